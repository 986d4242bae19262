using CobaltGraph.Data.Schema;
using Microsoft.EntityFrameworkCore;

namespace CobaltGraph.Data.Adoption;

/// <summary>Tells a database of the original from ours and from others.</summary>
internal static class OriginalFinder
{
    private const string HistoryTable = "__EFMigrationsHistory";

    /// <summary>The schema that is adopted into: the first of the search path, whether it exists or not.</summary>
    public static async Task<(string Schema, bool Exists)> FindTargetAsync(
        AdoptionSession session, string? connectionPath, CancellationToken cancellationToken)
    {
        var schemas = session.Schemas;
        if (SearchPath.First(connectionPath) is { } named)
        {
            var found = await session.QueryAsync(
                "SELECT 1 FROM pg_namespace WHERE nspname = $1", cancellationToken, named).ConfigureAwait(false);
            return (named, found.Count > 0);
        }

        return schemas.Count > 0
            ? (schemas[0], true)
            : throw new AdoptionRefusedException(
                "The search path names no schema that exists. Name one in the connection (Search Path=…, or schema in the configuration file).");
    }

    /// <summary>Whether a schema holds migrations of ours.</summary>
    public static async Task<bool> HasMigrationsAsync(
        AdoptionSession session, string schema, CancellationToken cancellationToken)
    {
        var history = await session.QueryAsync(
            """
            SELECT 1 FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE n.nspname = $1 AND c.relname = $2
            """,
            cancellationToken, schema, HistoryTable).ConfigureAwait(false);
        if (history.Count == 0)
            return false;

        // A migration that failed on the original's tables leaves an empty one.
        var rows = await session.QueryAsync(
            $"SELECT 1 FROM {SqlText.Identifier(schema)}.{SqlText.Identifier(HistoryTable)} LIMIT 1", cancellationToken)
            .ConfigureAwait(false);
        return rows.Count > 0;
    }

    /// <summary>Finds the database of the original in the schemas of the search path.</summary>
    /// <exception cref="AdoptionRefusedException">There is none, or it cannot be adopted.</exception>
    public static async Task<OriginalDatabase> FindAsync(
        AdoptionSession session, string target, bool targetExists, CancellationToken cancellationToken)
    {
        if (targetExists && await HasMigrationsAsync(session, target, cancellationToken).ConfigureAwait(false))
        {
            throw new AdoptionRefusedException(
                $"Schema \"{target}\" is a CobaltGraph database of this kind already. `cobaltgraph migrate` brings it up to date.");
        }

        var schemas = session.Schemas;
        foreach (var schema in (targetExists ? [target] : Enumerable.Empty<string>()).Concat(schemas).Distinct())
        {
            var tables = await ReadTablesAsync(session, schema, cancellationToken).ConfigureAwait(false);
            var problems = tables.Problems;
            if (problems.Count == 0)
            {
                await CheckRightsAsync(session, schema, target, targetExists, cancellationToken).ConfigureAwait(false);
                await CheckNamesAsync(session, schema, target, cancellationToken).ConfigureAwait(false);
                return new(
                    schema, target, targetExists,
                    tables.Found[OriginalTable.Devices], tables.Found[OriginalTable.Connections], tables.Found[OriginalTable.DeviceEvents],
                    tables.HasMigrationTable);
            }

            // Whatever it is, ours cannot stand beside it.
            if (schema == target && tables.Found.Count > 0)
            {
                throw new AdoptionRefusedException(
                    $"Schema \"{schema}\" is neither a CobaltGraph database nor one of the original: {string.Join("; ", problems)}. Nothing was changed.");
            }
        }

        throw new AdoptionRefusedException(
            $"There is no database of the original in {(schemas.Count == 0 ? "the search path" : string.Join(", ", schemas.Select(s => $"\"{s}\"")))}: " +
            "it has the tables devices, connections and device_events. `cobaltgraph migrate` makes a new database.");
    }

    private static async Task<(Dictionary<string, OriginalTable> Found, List<string> Problems, bool HasMigrationTable)> ReadTablesAsync(
        AdoptionSession session, string schema, CancellationToken cancellationToken)
    {
        var rows = await session.QueryAsync(
            """
            SELECT c.relname::text, c.relkind::text, a.attname::text, t.typname::text,
                   CASE WHEN t.typname IN ('varchar', 'bpchar') AND a.atttypmod > 4 THEN a.atttypmod - 4 END,
                   NOT a.attnotnull, pg_total_relation_size(c.oid)
            FROM pg_class AS c
            JOIN pg_namespace AS n ON n.oid = c.relnamespace
            LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            LEFT JOIN pg_type AS t ON t.oid = a.atttypid
            WHERE n.nspname = $1 AND c.relname = ANY ($2) AND c.relkind <> 'c'
            ORDER BY c.relname, a.attnum
            """,
            cancellationToken,
            schema,
            OriginalTable.Known.Keys.Append(OriginalTable.SchemaMigrations).ToArray()).ConfigureAwait(false);

        var found = new Dictionary<string, OriginalTable>();
        var problems = new List<string>();
        foreach (var (name, columns) in OriginalTable.Known)
        {
            var own = rows.Where(row => (string)row[0]! == name).ToList();
            if (own.Count == 0)
            {
                problems.Add($"there is no table {name}");
                continue;
            }

            var table = new OriginalTable(
                name,
                own.Where(row => row[2] is not null).ToDictionary(
                    row => (string)row[2]!,
                    row => new OriginalColumn((string)row[2]!, (string)row[3]!, (int?)row[4], (bool)row[5]!)),
                (long)own[0][6]!);
            found.Add(name, table);
            if ((string)own[0][1]! != "r")
                problems.Add($"{name} is not a plain table");
            foreach (var (column, types) in columns)
            {
                if (!table.Columns.TryGetValue(column, out var actual))
                    problems.Add($"{name} has no column {column}");
                else if (!types.Contains(actual.Type))
                    problems.Add($"{name}.{column} is {actual.Type}, the original has {types[0]}");
            }
        }

        // Other programs have a table of that name too.
        string[] migrations = ["applied_at", "id", "migration_file"];
        return (found, problems, rows
            .Where(row => (string)row[0]! == OriginalTable.SchemaMigrations && (string)row[1]! == "r")
            .Select(row => row[2] as string)
            .Order(StringComparer.Ordinal)
            .SequenceEqual(migrations));
    }

    private static async Task CheckRightsAsync(
        AdoptionSession session, string schema, string target, bool targetExists, CancellationToken cancellationToken)
    {
        var foreign = await session.TextsAsync(
            """
            SELECT c.relname || ' belongs to ' || pg_get_userbyid(c.relowner)
            FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE n.nspname = $1 AND c.relname = ANY ($2) AND NOT pg_has_role(c.relowner, 'USAGE')
            """,
            cancellationToken, schema, OriginalTable.Known.Keys.ToArray()).ConfigureAwait(false);
        if (foreign.Count > 0)
        {
            throw new AdoptionRefusedException(
                $"Only their owner can move the tables aside: in schema \"{schema}\", {string.Join(", ", foreign)}. Connect as that role.");
        }

        var locked = await session.TextsAsync(
            "SELECT nspname::text FROM pg_namespace WHERE nspname IN ($1, $2) AND NOT has_schema_privilege(oid, 'CREATE')",
            cancellationToken, schema, target).ConfigureAwait(false);
        if (locked.Count > 0)
        {
            throw new AdoptionRefusedException(
                $"This user may not create tables in schema \"{locked[0]}\". Its owner can: GRANT CREATE ON SCHEMA {SqlText.Identifier(locked[0])} TO …");
        }

        if (!targetExists && (await session.QueryAsync(
                "SELECT 1 WHERE NOT has_database_privilege(current_database(), 'CREATE')", cancellationToken).ConfigureAwait(false)).Count > 0)
        {
            throw new AdoptionRefusedException(
                $"There is no schema \"{target}\", and this user may not create one. Have it created, or name another in the connection (Search Path=…).");
        }
    }

    // Told before anything is done; and CREATE OR REPLACE would take over a function or view that is somebody else's.
    private static async Task CheckNamesAsync(
        AdoptionSession session, string schema, string target, CancellationToken cancellationToken)
    {
        var objects = SqlObject.LoadAll().ToLookup(o => o.Kind, o => o.Name);
        using var context = new CobaltGraphContext(
            new DbContextOptionsBuilder<CobaltGraphContext>().UseCobaltGraph().Options);
        var relations = context.Model.GetEntityTypes().Select(type => type.GetTableName()).OfType<string>()
            .Concat(objects[SqlObjectKind.View]).Distinct().ToArray();
        var taken = await session.TextsAsync(
            """
            SELECT DISTINCT 'function ' || p.proname
            FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
            WHERE n.nspname = $1 AND p.proname = ANY ($2)
            UNION ALL
            SELECT CASE c.relkind WHEN 'v' THEN 'view ' ELSE 'table ' END || c.relname
            FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE n.nspname = $1 AND c.relname = ANY ($3)
              AND NOT ($1 = $4 AND (c.relname = ANY ($5) OR EXISTS (
                  SELECT 1 FROM pg_rewrite AS r
                  JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
                  JOIN pg_class AS old ON old.oid = d.refobjid AND old.relnamespace = n.oid AND old.relname = ANY ($5)
                  WHERE r.ev_class = c.oid AND c.relkind = 'v')))
            ORDER BY 1
            """,
            cancellationToken, target, objects[SqlObjectKind.Function].Distinct().ToArray(), relations, schema,
            OriginalTable.Known.Keys.ToArray()).ConfigureAwait(false);
        if (taken.Count > 0)
        {
            throw new AdoptionRefusedException(
                $"Schema \"{target}\" has objects of another program with names that are needed: {string.Join(", ", taken)}. " +
                "Rename them, or adopt into a schema of its own (Search Path=NAME,…). Nothing was changed.");
        }
    }
}
