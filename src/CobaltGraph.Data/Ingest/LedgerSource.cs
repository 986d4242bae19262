using Npgsql;
using NpgsqlTypes;

namespace CobaltGraph.Data.Ingest;

/// <summary>
/// Whose batches are whose: where the site has roles, a source belongs to the role that it names up to its first slash, and is
/// open to that login and to members of that role.
/// </summary>
internal static class LedgerSource
{
    // Raised where a row-level policy refuses a row; the text is in the server's language.
    private const string PolicyRoutine = "ExecWithCheckOptions";

    private const string DefaultSql = """
        SELECT session_user::text,
               NOT row_security_active('ingest_batches')
                   OR EXISTS (
                       SELECT 1 FROM pg_catalog.pg_roles WHERE rolname::text = split_part($1, '/', 1) AND pg_has_role(session_user, oid, 'MEMBER')),
               EXISTS (SELECT 1 FROM ingest_batches WHERE source = $1)
        """;

    /// <summary>A source that this login may use: the usual one, or the usual one below the login's name.</summary>
    /// <param name="dataSource">The database.</param>
    /// <param name="usual">The source where nothing forbids it.</param>
    /// <param name="cancellationToken">Ends the query.</param>
    /// <returns>
    /// The login, and the source; null where the usual one has batches and the login may not use it, for under another name
    /// they would be stored again.
    /// </returns>
    public static async Task<(string Login, string? Source)> DefaultAsync(
        NpgsqlDataSource dataSource, string usual, CancellationToken cancellationToken)
    {
        var command = dataSource.CreateCommand(DefaultSql);
        await using (command.ConfigureAwait(false))
        {
            command.Parameters.Add(new() { Value = usual, NpgsqlDbType = NpgsqlDbType.Text });
            try
            {
                var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
                await using (reader.ConfigureAwait(false))
                {
                    await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
                    var login = reader.GetString(0);
                    return (login, reader.GetBoolean(1) ? usual : reader.GetBoolean(2) ? null : $"{login}/{usual}");
                }
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UndefinedTable)
            {
                // Storing says better what is missing.
                return ("", usual);
            }
        }
    }

    /// <summary>Whether the fault is that the source belongs to another role.</summary>
    public static bool IsForeign(Exception? fault)
        => fault is PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege, Routine: PolicyRoutine };

    /// <summary>Says which sources a login may use.</summary>
    public static string Explain(string source)
        => $"'{Model.DisplayText.Escape(source)}' is not a source of this login. Its sources are its own name and what follows that " +
            "name and a slash, such as LOGIN/conn, and likewise for a role that it is a member of";
}
