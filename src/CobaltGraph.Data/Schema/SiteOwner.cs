using Npgsql;
using NpgsqlTypes;

namespace CobaltGraph.Data.Schema;

/// <summary>
/// Makes a session act as the role that owns a site, where that role cannot log in and the session's is a member of it. So all
/// that migrations make belongs to the owner, and none of it to whoever happened to migrate.
/// </summary>
internal static class SiteOwner
{
    /// <summary>
    /// Whether the owner r of schema n cannot log in, and so has to be become. Not where a member migrated in its own name before
    /// roles came into use: the owner could not change that member's tables.
    /// </summary>
    internal const string IsToBecome = """
        NOT r.rolcanlogin AND r.rolname !~ '^pg_' AND r.rolname <> current_user
        AND NOT EXISTS (
            SELECT 1 FROM pg_catalog.pg_class AS c
            WHERE c.relnamespace = n.oid AND c.relname = '__EFMigrationsHistory' AND c.relowner <> n.nspowner)
        """;

    private const string BecomeSql = $"""
        SELECT pg_catalog.current_setting('role'), pg_catalog.set_config('role', r.rolname::text, false)
        FROM pg_catalog.pg_namespace AS n
        JOIN pg_catalog.pg_roles AS r ON r.oid = n.nspowner
        WHERE n.nspname = coalesce($1, pg_catalog.current_schema())
          AND pg_catalog.pg_has_role(
              r.oid, CASE WHEN pg_catalog.current_setting('server_version_num')::integer >= 160000 THEN 'SET' ELSE 'MEMBER' END)
          AND {IsToBecome}
        """;

    /// <summary>Becomes the owner, if there is such a role.</summary>
    /// <param name="session">An open connection.</param>
    /// <param name="schema">The site; null for the first schema of the search path.</param>
    /// <returns>What <see cref="Restore"/> needs; null when nothing was changed.</returns>
    public static string? Become(NpgsqlConnection session, string? schema)
    {
        using var command = NewBecome(session, schema);
        return command.ExecuteScalar() as string;
    }

    /// <inheritdoc cref="Become"/>
    public static async Task<string?> BecomeAsync(NpgsqlConnection session, string? schema, CancellationToken cancellationToken)
    {
        var command = NewBecome(session, schema);
        await using (command.ConfigureAwait(false))
            return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) as string;
    }

    /// <summary>Goes back to the role before.</summary>
    public static void Restore(NpgsqlConnection session, string? before)
    {
        if (before is null)
            return;

        using var command = new NpgsqlCommand("SELECT pg_catalog.set_config('role', $1, false)", session);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = before });
        command.ExecuteNonQuery();
    }

    private static NpgsqlCommand NewBecome(NpgsqlConnection session, string? schema)
        => new(BecomeSql, session)
        {
            Parameters = { new() { Value = (object?)schema ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text } },
        };
}
