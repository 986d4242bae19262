using System.Data;
using CobaltGraph.Data.Schema;
using Npgsql;

namespace CobaltGraph.Data.Adoption;

/// <summary>One transaction on one session, whose statements find nothing by name but what is of pg_catalog.</summary>
internal sealed class AdoptionSession : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlTransaction _transaction;

    private AdoptionSession(NpgsqlConnection connection, NpgsqlTransaction transaction, string searchPath, string[] schemas)
    {
        _connection = connection;
        _transaction = transaction;
        SearchPath = searchPath;
        Schemas = schemas;
    }

    /// <summary>The search path that the connection came with.</summary>
    public string SearchPath { get; }

    /// <summary>The schemas on it that exist.</summary>
    public IReadOnlyList<string> Schemas { get; }

    public Version ServerVersion => _connection.PostgreSqlVersion;

    /// <summary>Acts as the role that owns a site, where migrations do.</summary>
    public Task BecomeOwnerAsync(string schema, CancellationToken cancellationToken)
        => SiteOwner.BecomeAsync(_connection, schema, cancellationToken);

    /// <summary>Grants what the roles of a site have, if it has roles.</summary>
    public Task GrantAsync(string schema, CancellationToken cancellationToken)
        => RolesScript.RenewAsync(_connection, schema, cancellationToken);

    public static async Task<AdoptionSession> BeginAsync(
        NpgsqlDataSource dataSource, bool readOnly, CancellationToken cancellationToken)
    {
        var connection = await dataSource.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var transaction = await connection.BeginTransactionAsync(
                readOnly ? IsolationLevel.RepeatableRead : IsolationLevel.ReadCommitted, cancellationToken).ConfigureAwait(false);
            var (path, schemas) = await ReadPathAsync(connection, cancellationToken).ConfigureAwait(false);
            var session = new AdoptionSession(connection, transaction, path, schemas);

            // Times and numbers that are kept as text are written the same everywhere. The statistics are for the statements
            // of this transaction; autovacuum makes the others. Adopting groups all connections several times, each in a
            // statement of its own that has the server nearly to itself: with less memory the groups would go to disk.
            await session.ExecuteAsync(
                $"""
                SET LOCAL search_path = pg_catalog;
                SET LOCAL timezone = 'UTC';
                SET LOCAL extra_float_digits = 1;
                SET LOCAL statement_timeout = 0;
                SET LOCAL idle_in_transaction_session_timeout = 0;
                SET LOCAL jit = off;
                SET LOCAL work_mem = '{(readOnly ? "64MB" : "256MB")}';
                {(connection.PostgreSqlVersion.Major >= 17 ? "SET LOCAL transaction_timeout = 0;" : "")}
                {(readOnly ? "SET TRANSACTION READ ONLY;" : "SET LOCAL maintenance_work_mem = '256MB'; SET LOCAL default_statistics_target = 20;")}
                """,
                cancellationToken).ConfigureAwait(false);
            return session;
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The server process, for messages and tests.</summary>
    public int ProcessId => _connection.ProcessID;

    public async Task<long> ExecuteAsync(string sql, CancellationToken cancellationToken, params object?[] parameters)
    {
        var command = Command(sql, parameters);
        await using (command.ConfigureAwait(false))
            return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>All rows; NULL is null.</summary>
    public async Task<IReadOnlyList<object?[]>> QueryAsync(
        string sql, CancellationToken cancellationToken, params object?[] parameters)
    {
        var command = Command(sql, parameters);
        await using var openCommand = command.ConfigureAwait(false);
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var openReader = reader.ConfigureAwait(false);
        var rows = new List<object?[]>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            var row = new object?[reader.FieldCount];
            for (var i = 0; i < row.Length; i++)
                row[i] = reader.IsDBNull(i) ? null : reader.GetValue(i);
            rows.Add(row);
        }

        return rows;
    }

    /// <summary>The first column of all rows, as text.</summary>
    public async Task<IReadOnlyList<string>> TextsAsync(
        string sql, CancellationToken cancellationToken, params object?[] parameters)
        => [.. (await QueryAsync(sql, cancellationToken, parameters).ConfigureAwait(false)).Select(row => (string)row[0]!)];

    public Task CommitAsync(CancellationToken cancellationToken) => _transaction.CommitAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        try
        {
            await _transaction.DisposeAsync().ConfigureAwait(false);
        }
        catch (NpgsqlException)
        {
            // The session is broken; the server rolled back.
        }
        finally
        {
            await _connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static async Task<(string Path, string[] Schemas)> ReadPathAsync(
        NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand(
            "SELECT current_setting('search_path'), current_schemas(false)::text[]", connection);
        await using var openCommand = command.ConfigureAwait(false);
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var openReader = reader.ConfigureAwait(false);
        await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        return (reader.GetString(0), reader.GetFieldValue<string[]>(1));
    }

    private NpgsqlCommand Command(string sql, object?[] parameters)
    {
        var command = new NpgsqlCommand(sql, _connection, _transaction) { CommandTimeout = 0 };
        foreach (var value in parameters)
            command.Parameters.Add(new() { Value = value ?? DBNull.Value });
        return command;
    }
}
