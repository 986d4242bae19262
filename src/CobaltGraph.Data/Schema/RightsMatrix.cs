using Npgsql;
using NpgsqlTypes;

namespace CobaltGraph.Data.Schema;

/// <summary>Who may do what with a site, asked of the server: memberships and PUBLIC count.</summary>
internal static class RightsMatrix
{
    /// <summary>What stands for everybody.</summary>
    public const string Everybody = "PUBLIC";

    // As in CatalogSql: full names of functions, and operands that fit an operator of the server's without a cast.
    private const string Sql = """
        WITH site AS (SELECT oid, nspowner FROM pg_catalog.pg_namespace WHERE nspname = $1),
        who AS (
            SELECT r.name, CASE WHEN r.name = 'PUBLIC' AND NOT r.is_role THEN 'public' ELSE r.name END AS grantee
            FROM (
                SELECT u.name, true AS is_role FROM pg_catalog.unnest($2) AS u(name)
                WHERE EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = u.name)
                UNION ALL
                SELECT 'PUBLIC', false
            ) AS r
        ),
        relation AS (
            SELECT c.oid, c.relkind, pg_catalog.pg_get_userbyid(c.relowner) AS owner,
                   CASE WHEN c.relispartition THEN pg_catalog.regexp_replace(c.relname, '^connections_y\d{4}m\d{2}$', 'connections_yYYYYmMM')
                        ELSE c.relname::text END AS name,
                   CASE WHEN c.relkind = 'S' THEN 'sequence' WHEN c.relkind IN ('v', 'm') THEN 'view'
                        WHEN c.relispartition THEN 'partition' ELSE 'table' END AS kind
            FROM pg_catalog.pg_class AS c
            JOIN site ON site.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
        ),
        routine AS (
            SELECT p.oid, pg_catalog.pg_get_userbyid(p.proowner) AS owner,
                   p.proname::text || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')' AS name
            FROM pg_catalog.pg_proc AS p
            JOIN site ON site.oid = p.pronamespace
        )
        SELECT DISTINCT who.name, a.kind, a.name, a.verb, a.columns
        FROM who
        CROSS JOIN LATERAL (
            SELECT 'database' AS kind, current_database()::text AS name, v.verb, NULL AS columns
            FROM (VALUES ('CONNECT'), ('CREATE'), ('TEMPORARY')) AS v(verb)
            WHERE pg_catalog.has_database_privilege(who.grantee, current_database(), v.verb)
            UNION ALL
            SELECT 'schema', $1, 'OWNER', NULL FROM site WHERE pg_catalog.pg_get_userbyid(site.nspowner) = who.name
            UNION ALL
            SELECT 'schema', $1, v.verb, NULL
            FROM site, (VALUES ('USAGE'), ('CREATE')) AS v(verb)
            WHERE pg_catalog.pg_get_userbyid(site.nspowner) <> who.name AND pg_catalog.has_schema_privilege(who.grantee, site.oid, v.verb)
            UNION ALL
            SELECT r.kind, r.name, 'OWNER', NULL FROM relation AS r WHERE r.owner = who.name
            UNION ALL
            SELECT r.kind, r.name, v.verb, NULL
            FROM relation AS r
            CROSS JOIN pg_catalog.unnest(pg_catalog.array_cat(
                ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'],
                CASE WHEN pg_catalog.current_setting('server_version_num')::integer >= 170000 THEN ARRAY['MAINTAIN'] ELSE ARRAY[]::text[] END))
                AS v(verb)
            WHERE r.kind <> 'sequence' AND r.owner <> who.name AND pg_catalog.has_table_privilege(who.grantee, r.oid, v.verb)
            UNION ALL
            SELECT r.kind, r.name, v.verb, pg_catalog.string_agg(pg_catalog.quote_ident(c.attname), ', ' ORDER BY c.attnum)
            FROM relation AS r
            CROSS JOIN (VALUES ('SELECT'), ('INSERT'), ('UPDATE'), ('REFERENCES')) AS v(verb)
            JOIN pg_catalog.pg_attribute AS c ON c.attrelid = r.oid AND c.attnum > 0 AND NOT c.attisdropped
            WHERE r.kind <> 'sequence' AND r.owner <> who.name
              AND NOT pg_catalog.has_table_privilege(who.grantee, r.oid, v.verb)
              AND pg_catalog.has_column_privilege(who.grantee, r.oid, c.attnum, v.verb)
            GROUP BY r.kind, r.name, r.oid, v.verb
            UNION ALL
            SELECT r.kind, r.name, v.verb, NULL
            FROM relation AS r
            CROSS JOIN (VALUES ('USAGE'), ('SELECT'), ('UPDATE')) AS v(verb)
            WHERE r.relkind = 'S' AND r.owner <> who.name
              AND CASE WHEN r.relkind = 'S' THEN pg_catalog.has_sequence_privilege(who.grantee, r.oid, v.verb) END
            UNION ALL
            SELECT 'function', f.name, CASE WHEN f.owner = who.name THEN 'OWNER' ELSE 'EXECUTE' END, NULL
            FROM routine AS f
            WHERE f.owner = who.name OR pg_catalog.has_function_privilege(who.grantee, f.oid, 'EXECUTE')
        ) AS a(kind, name, verb, columns)
        """;

    private static readonly string[] Kinds = ["database", "schema", "table", "partition", "view", "sequence", "function"];

    private static readonly string[] Verbs =
    [
        "OWNER", "CONNECT", "CREATE", "TEMPORARY", "USAGE", "SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES",
        "TRIGGER", "MAINTAIN", "EXECUTE",
    ];

    /// <summary>Which of some roles exist.</summary>
    public static async Task<IReadOnlySet<string>> ExistingAsync(
        NpgsqlConnection connection, IReadOnlyList<string> roles, CancellationToken cancellationToken)
    {
        var existing = new HashSet<string>(StringComparer.Ordinal);
        var command = new NpgsqlCommand("SELECT rolname::text FROM pg_catalog.pg_roles WHERE rolname::text = ANY ($1)", connection);
        await using (command.ConfigureAwait(false))
        {
            command.Parameters.Add(new() { Value = roles.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
            var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                    existing.Add(reader.GetString(0));
            }
        }

        return existing;
    }

    /// <summary>Reads the rights of some roles and of everybody, in the order of objects, roles and privileges.</summary>
    /// <param name="connection">Open; any role may ask.</param>
    /// <param name="schema">The site.</param>
    /// <param name="roles">The roles, in the order wanted; those that do not exist have no rights.</param>
    /// <param name="cancellationToken">Ends the query.</param>
    public static async Task<IReadOnlyList<Right>> ReadAsync(
        NpgsqlConnection connection, string schema, IReadOnlyList<string> roles, CancellationToken cancellationToken)
    {
        var rights = new List<Right>();
        var command = new NpgsqlCommand(Sql, connection);
        await using (command.ConfigureAwait(false))
        {
            command.Parameters.Add(new() { Value = schema, NpgsqlDbType = NpgsqlDbType.Text });
            command.Parameters.Add(new() { Value = roles.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
            var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                {
                    rights.Add(new(
                        reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetString(3),
                        reader.IsDBNull(4) ? null : reader.GetString(4)));
                }
            }
        }

        List<string> order = [.. roles, Everybody];
        return [.. rights
            .OrderBy(right => Array.IndexOf(Kinds, right.Kind))
            .ThenBy(right => right.Object, StringComparer.Ordinal)
            .ThenBy(right => order.IndexOf(right.Role))
            .ThenBy(right => Array.IndexOf(Verbs, right.Verb))
            .ThenBy(right => right.Columns, StringComparer.Ordinal)];
    }
}
