using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using CobaltGraph.Data.Schema;

namespace CobaltGraph.Data.Adoption;

/// <summary>Moves what the original made out of the way, and drops it when nobody wants it any more.</summary>
internal static partial class OldObjects
{
    private const int MaxNameBytes = 63;

    /// <summary>The original's views.</summary>
    private static readonly string[] Views = ["active_devices", "device_summary"];

    /// <summary>The functions of its row triggers.</summary>
    private static readonly string[] Functions = ["log_device_event", "update_device_status"];

    /// <summary>How the comment begins of what an adoption has set aside.</summary>
    public const string AsideComment = "Set aside by cobaltgraph adopt for schema ";

    /// <summary>How the comment begins of the table of rows that had no place.</summary>
    public const string LeftOutComment = "Rows that cobaltgraph adopt could not carry into schema ";

    /// <summary>Whether a name is one that an adoption gives.</summary>
    public static bool IsAside(string name) => AsideName().IsMatch(name);

    [GeneratedRegex("^original[0-9]*_")]
    private static partial Regex AsideName();

    // Found again by these words; the schema tells one site's from another's.
    private static string Marker(string target) => $"{AsideComment}{SqlText.Identifier(target)}.";

    /// <summary>A prefix under which every name is free.</summary>
    public static async Task<string> FindPrefixAsync(
        AdoptionSession session, OriginalDatabase original, CancellationToken cancellationToken)
    {
        var names = (await RelationsAsync(session, original, cancellationToken).ConfigureAwait(false)).Select(r => r.Name)
            .Concat(Functions).Concat(["adoption_macs", "adoption_edges", "set_aside"]).ToArray();
        for (var n = 1; ; n++)
        {
            var prefix = n == 1 ? "original_" : $"original{n}_";
            var taken = await session.QueryAsync(
                """
                SELECT 1 FROM pg_namespace AS s
                WHERE s.nspname IN ($1, $2)
                  AND (EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = s.oid AND relname = ANY ($3))
                    OR EXISTS (SELECT 1 FROM pg_type WHERE typnamespace = s.oid AND typname = ANY ($3))
                    OR EXISTS (SELECT 1 FROM pg_proc WHERE pronamespace = s.oid AND proname = ANY ($3)))
                """,
                cancellationToken, original.Schema, original.Target, names.Select(name => Rename(prefix, name)).ToArray())
                .ConfigureAwait(false);
            if (taken.Count == 0)
                return prefix;
        }
    }

    /// <summary>A name with the prefix, no longer than the server takes one.</summary>
    public static string Rename(string prefix, string name)
    {
        if (Encoding.UTF8.GetByteCount(prefix + name) <= MaxNameBytes)
            return prefix + name;

        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)))[..8];
        var kept = name;
        while (Encoding.UTF8.GetByteCount($"{prefix}{kept}_{hash}") > MaxNameBytes)
            kept = kept[..^(char.IsLowSurrogate(kept[^1]) ? 2 : 1)];
        return $"{prefix}{kept}_{hash}";
    }

    /// <summary>Renames the tables and all that belongs to them, and says in their comments what they are.</summary>
    public static async Task MoveAsideAsync(
        AdoptionSession session, OriginalDatabase original, string prefix, CancellationToken cancellationToken)
    {
        var schema = SqlText.Identifier(original.Schema);
        foreach (var (kind, name, comment) in await RelationsAsync(session, original, cancellationToken).ConfigureAwait(false))
        {
            var now = $"{schema}.{SqlText.Identifier(Rename(prefix, name))}";
            await session.ExecuteAsync(
                $"ALTER {kind} {schema}.{SqlText.Identifier(name)} RENAME TO {SqlText.Identifier(Rename(prefix, name))}", cancellationToken)
                .ConfigureAwait(false);
            if (kind is "TABLE" or "VIEW")
                await MarkAsync(session, original.Target, $"{kind} {now}", comment, cancellationToken).ConfigureAwait(false);
        }

        // Those with an index went with it. Names that the server makes up avoid any that the schema has.
        var constraints = await session.QueryAsync(
            """
            SELECT c.relname::text, k.conname::text
            FROM pg_constraint AS k
            JOIN pg_class AS c ON c.oid = k.conrelid
            JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE n.nspname = $1 AND c.relname = ANY ($2) AND k.contype IN ('c', 'f', 'n') AND k.coninhcount = 0
            """,
            cancellationToken, original.Schema, original.TableNames.Select(name => Rename(prefix, name)).ToArray()).ConfigureAwait(false);
        foreach (var constraint in constraints)
        {
            var name = (string)constraint[1]!;
            await session.ExecuteAsync(
                $"ALTER TABLE {schema}.{SqlText.Identifier((string)constraint[0]!)} RENAME CONSTRAINT {SqlText.Identifier(name)} TO {SqlText.Identifier(Rename(prefix, name))}",
                cancellationToken).ConfigureAwait(false);
        }

        var functions = await session.QueryAsync(
            """
            SELECT DISTINCT p.proname::text, obj_description(p.oid, 'pg_proc')
            FROM pg_trigger AS t
            JOIN pg_class AS c ON c.oid = t.tgrelid
            JOIN pg_namespace AS n ON n.oid = c.relnamespace
            JOIN pg_proc AS p ON p.oid = t.tgfoid AND p.pronamespace = n.oid
            WHERE n.nspname = $1 AND c.relname = ANY ($2) AND p.proname = ANY ($3) AND p.pronargs = 0
              AND pg_has_role(p.proowner, 'USAGE')
            """,
            cancellationToken, original.Schema, original.TableNames.Select(name => Rename(prefix, name)).ToArray(), Functions)
            .ConfigureAwait(false);
        foreach (var function in functions)
        {
            var name = (string)function[0]!;
            await session.ExecuteAsync(
                $"ALTER FUNCTION {schema}.{SqlText.Identifier(name)}() RENAME TO {SqlText.Identifier(Rename(prefix, name))}", cancellationToken)
                .ConfigureAwait(false);
            await MarkAsync(
                session, original.Target, $"FUNCTION {schema}.{SqlText.Identifier(Rename(prefix, name))}()", (string?)function[1], cancellationToken)
                .ConfigureAwait(false);
        }
    }

    /// <summary>Makes the table of the rows that have no place in ours.</summary>
    public static Task<long> CreateSetAsideAsync(
        AdoptionSession session, string target, string table, CancellationToken cancellationToken)
        => session.ExecuteAsync(
            $"""
            CREATE TABLE {table} (
                table_name text NOT NULL,
                reason text NOT NULL,
                row_data jsonb NOT NULL
            );
            COMMENT ON TABLE {table} IS {SqlText.Literal(
                $"{LeftOutComment}{SqlText.Identifier(target)}, and why. Nothing else holds them once the old tables are dropped.")};
            """,
            cancellationToken);

    /// <summary>What of others depends on the old tables, in words.</summary>
    public static async Task<IReadOnlyList<string>> FindDependentsAsync(
        AdoptionSession session, string schema, IEnumerable<string> tables, IEnumerable<string> ownViews, CancellationToken cancellationToken)
        => await session.TextsAsync(
            """
            WITH old AS (
                SELECT c.oid, c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                WHERE n.nspname = $1 AND c.relname = ANY ($2)
            )
            SELECT DISTINCT CASE v.relkind WHEN 'm' THEN 'materialized view ' ELSE 'view ' END || quote_ident(vn.nspname) || '.' || quote_ident(v.relname)
                || ' reads ' || old.relname
            FROM old
            JOIN pg_depend AS d ON d.refobjid = old.oid AND d.refclassid = 'pg_class'::regclass AND d.classid = 'pg_rewrite'::regclass
            JOIN pg_rewrite AS r ON r.oid = d.objid
            JOIN pg_class AS v ON v.oid = r.ev_class AND v.oid <> old.oid
            JOIN pg_namespace AS vn ON vn.oid = v.relnamespace
            WHERE NOT (vn.nspname = $1 AND v.relname = ANY ($3))
            UNION ALL
            SELECT 'foreign key ' || quote_ident(k.conname) || ' of ' || quote_ident(fn.nspname) || '.' || quote_ident(f.relname) || ' refers to ' || old.relname
            FROM old
            JOIN pg_constraint AS k ON k.confrelid = old.oid AND k.contype = 'f' AND k.conrelid NOT IN (SELECT oid FROM old)
            JOIN pg_class AS f ON f.oid = k.conrelid
            JOIN pg_namespace AS fn ON fn.oid = f.relnamespace
            ORDER BY 1
            """,
            cancellationToken, schema, tables.Concat(ownViews).ToArray(), ownViews.ToArray()).ConfigureAwait(false);

    /// <summary>What of the database's own stays behind with the old tables, in words.</summary>
    public static async Task<IReadOnlyList<string>> FindLeftBehindAsync(
        AdoptionSession session, OriginalDatabase original, CancellationToken cancellationToken)
        => [
            .. await FindDependentsAsync(session, original.Schema, original.TableNames, Views, cancellationToken).ConfigureAwait(false),
            .. await session.TextsAsync(
                """
                SELECT 'trigger ' || quote_ident(t.tgname) || ' on ' || c.relname || ' calls ' || p.proname
                FROM pg_trigger AS t
                JOIN pg_class AS c ON c.oid = t.tgrelid
                JOIN pg_namespace AS n ON n.oid = c.relnamespace
                JOIN pg_proc AS p ON p.oid = t.tgfoid
                WHERE n.nspname = $1 AND c.relname = ANY ($2) AND NOT t.tgisinternal AND p.proname <> ALL ($3)
                UNION ALL
                SELECT 'rights on ' || c.relname || ' of ' || string_agg(DISTINCT coalesce(pg_get_userbyid(nullif(a.grantee, 0::oid)), 'PUBLIC'), ', ')
                FROM pg_class AS c
                JOIN pg_namespace AS n ON n.oid = c.relnamespace
                CROSS JOIN LATERAL aclexplode(c.relacl) AS a
                WHERE n.nspname = $1 AND c.relname = ANY ($2) AND a.grantee <> c.relowner
                GROUP BY c.relname
                ORDER BY 1
                """,
                cancellationToken, original.Schema, original.TableNames.ToArray(), Functions).ConfigureAwait(false),
        ];

    /// <summary>What an adoption into a schema set aside and nobody dropped yet.</summary>
    public static async Task<OldTables> FindAsync(
        AdoptionSession session, string target, CancellationToken cancellationToken)
    {
        var schemas = session.Schemas.Append(target).Distinct().ToArray();
        var relations = await session.QueryAsync(
            """
            SELECT n.nspname::text, c.relname::text, c.relkind::text, pg_total_relation_size(c.oid)
            FROM pg_class AS c
            JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'v') AND starts_with(obj_description(c.oid, 'pg_class'), $2)
            ORDER BY c.relkind DESC, c.relname
            """,
            cancellationToken, schemas, Marker(target)).ConfigureAwait(false);
        var functions = await session.QueryAsync(
            """
            SELECT n.nspname::text, p.proname::text
            FROM pg_proc AS p
            JOIN pg_namespace AS n ON n.oid = p.pronamespace
            WHERE n.nspname = ANY ($1) AND starts_with(obj_description(p.oid, 'pg_proc'), $2)
            ORDER BY p.proname
            """,
            cancellationToken, schemas, Marker(target)).ConfigureAwait(false);
        return new(
            relations.Count > 0 ? (string)relations[0][0]! : target,
            [.. relations.Where(row => (string)row[2]! == "v").Select(row => (string)row[1]!)],
            [.. relations.Where(row => (string)row[2]! == "r").Select(row => (string)row[1]!)],
            [.. functions.Select(row => (string)row[1]!)],
            relations.Sum(row => (long)row[3]!));
    }

    /// <summary>Drops them.</summary>
    public static async Task DropAsync(AdoptionSession session, OldTables old, CancellationToken cancellationToken)
    {
        var schema = SqlText.Identifier(old.Schema);
        foreach (var view in old.Views)
            await session.ExecuteAsync($"DROP VIEW {schema}.{SqlText.Identifier(view)}", cancellationToken).ConfigureAwait(false);
        if (old.Tables.Count > 0)
        {
            var tables = string.Join(", ", old.Tables.Select(table => $"{schema}.{SqlText.Identifier(table)}"));
            await session.ExecuteAsync($"DROP TABLE {tables}", cancellationToken).ConfigureAwait(false);
        }

        foreach (var function in old.Functions)
            await session.ExecuteAsync($"DROP FUNCTION {schema}.{SqlText.Identifier(function)}()", cancellationToken).ConfigureAwait(false);
    }

    private static Task<long> MarkAsync(
        AdoptionSession session, string target, string what, string? comment, CancellationToken cancellationToken)
    {
        var text = $"{Marker(target)} `cobaltgraph adopt --drop-old` drops it.{(comment is null ? "" : "\n" + comment)}";
        return session.ExecuteAsync($"COMMENT ON {what} IS {SqlText.Literal(text)}", cancellationToken);
    }

    private static async Task<IReadOnlyList<(string Kind, string Name, string? Comment)>> RelationsAsync(
        AdoptionSession session, OriginalDatabase original, CancellationToken cancellationToken)
    {
        var rows = await session.QueryAsync(
            """
            WITH old AS (
                SELECT c.oid, c.relnamespace FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                WHERE n.nspname = $1 AND c.relname = ANY ($2)
            )
            SELECT DISTINCT
                   CASE r.relkind WHEN 'r' THEN 'TABLE' WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'INDEX' END,
                   r.relname::text, obj_description(r.oid, 'pg_class')
            FROM (
                SELECT oid FROM old
                UNION ALL
                SELECT i.indexrelid FROM pg_index AS i JOIN old ON old.oid = i.indrelid
                UNION ALL
                SELECT d.objid FROM pg_depend AS d JOIN old ON old.oid = d.refobjid
                JOIN pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
                WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
                UNION ALL
                SELECT w.ev_class FROM pg_depend AS d JOIN old ON old.oid = d.refobjid
                JOIN pg_rewrite AS w ON w.oid = d.objid
                JOIN pg_class AS v ON v.oid = w.ev_class AND v.relkind = 'v' AND v.relnamespace = old.relnamespace
                WHERE d.classid = 'pg_rewrite'::regclass AND v.relname = ANY ($3)
            ) AS o
            JOIN pg_class AS r ON r.oid = o.oid
            JOIN pg_namespace AS n ON n.oid = r.relnamespace AND n.nspname = $1
            ORDER BY 1, 2
            """,
            cancellationToken, original.Schema, original.TableNames.ToArray(), Views).ConfigureAwait(false);
        return [.. rows.Select(row => ((string)row[0]!, (string)row[1]!, (string?)row[2]))];
    }
}
