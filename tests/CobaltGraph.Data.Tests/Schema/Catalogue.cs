using CobaltGraph.Testing;
using Npgsql;

namespace CobaltGraph.Data.Tests.Schema;

/// <summary>What a schema is, in the server's own words: one line per column, constraint, index, function, trigger, …</summary>
internal static class Catalogue
{
    private const string Sql = """
        WITH site AS (SELECT oid FROM pg_namespace WHERE nspname = current_schema()),
        relation AS (SELECT c.* FROM pg_class AS c JOIN site ON site.oid = c.relnamespace)
        SELECT line FROM (
            SELECT concat_ws(' ', 'relation', r.relname, r.relkind, r.relpersistence, r.reloptions::text,
                pg_get_partkeydef(r.oid), pg_get_expr(r.relpartbound, r.oid), obj_description(r.oid, 'pg_class')) AS line
            FROM relation AS r WHERE r.relkind IN ('r', 'p', 'v', 'S', 'm')
            UNION ALL
            SELECT concat_ws(' ', 'column', r.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod),
                a.attnotnull, a.attgenerated, a.attidentity, a.attstorage, pg_get_expr(d.adbin, d.adrelid),
                col_description(r.oid, a.attnum))
            FROM relation AS r
            JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
            LEFT JOIN pg_attrdef AS d ON d.adrelid = r.oid AND d.adnum = a.attnum
            WHERE r.relkind IN ('r', 'p', 'v')
            UNION ALL
            SELECT concat_ws(' ', 'constraint', r.relname, c.conname, c.contype, c.convalidated, pg_get_constraintdef(c.oid))
            FROM relation AS r JOIN pg_constraint AS c ON c.conrelid = r.oid
            UNION ALL
            SELECT concat_ws(' ', 'index', i.indisvalid, pg_get_indexdef(i.indexrelid))
            FROM relation AS r JOIN pg_index AS i ON i.indrelid = r.oid
            UNION ALL
            SELECT concat_ws(' ', 'sequence', s.seqrelid::regclass, s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqcache, s.seqcycle)
            FROM relation AS r JOIN pg_sequence AS s ON s.seqrelid = r.oid
            UNION ALL
            SELECT concat_ws(' ', 'function', pg_get_functiondef(p.oid), p.proacl::text, obj_description(p.oid, 'pg_proc'))
            FROM pg_proc AS p JOIN site ON site.oid = p.pronamespace
            UNION ALL
            SELECT concat_ws(' ', 'trigger', t.tgenabled, pg_get_triggerdef(t.oid), obj_description(t.oid, 'pg_trigger'))
            FROM relation AS r JOIN pg_trigger AS t ON t.tgrelid = r.oid WHERE NOT t.tgisinternal
            UNION ALL
            SELECT concat_ws(' ', 'view', r.relname, pg_get_viewdef(r.oid)) FROM relation AS r WHERE r.relkind = 'v'
        ) AS catalogue
        ORDER BY line
        """;

    public static async Task<string[]> ReadAsync(TestDatabase database)
        => [.. (await database.QueryAsync(Sql)).Select(row => (string)row[0]!)];

    /// <summary>Of the schema that a connection's search path names first.</summary>
    public static async Task<string[]> ReadAsync(string connectionString)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var command = source.CreateCommand(Sql);
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var lines = new List<string>();
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
            lines.Add(reader.GetString(0));
        return [.. lines];
    }
}
