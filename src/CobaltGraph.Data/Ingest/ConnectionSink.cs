using System.Data;
using CobaltGraph.Model;
using Npgsql;

namespace CobaltGraph.Data.Ingest;

/// <summary>Stores connections by COPY.</summary>
internal sealed class ConnectionSink : IRecordSink<Connection>
{
    private const string Parent = "connections";

    public string Kind => "connections";

    public IRecordBuffer<Connection> NewBuffer() => new ConnectionBuffer();

    public string? Check(Connection record) => RecordRules.Check(record);

    public async Task StoreAsync(
        NpgsqlConnection connection, LedgerEntry entry, IRecordBuffer<Connection> rows, int firstRow, Attempt attempt,
        CancellationToken cancellationToken)
    {
        var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken)
            .ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            await LedgerClaim.ClaimAsync(connection, entry, attempt, cancellationToken).ConfigureAwait(false);
            if (attempt.ClaimedAt is null)
                return;
            if (rows.Count > firstRow)
            {
                await ConnectionCopy.WriteAsync(
                    connection, Parent, (ConnectionBuffer)rows, firstRow, rows.Count - firstRow, attempt.StatementTimeout,
                    cancellationToken).ConfigureAwait(false);
            }

            await LedgerClaim.CommitAsync(connection, attempt, cancellationToken).ConfigureAwait(false);
        }
    }

    public async Task StorePartAsync(
        NpgsqlConnection connection, IRecordBuffer<Connection> rows, int start, int count, Attempt attempt,
        CancellationToken cancellationToken)
    {
        await ConnectionCopy.WriteAsync(
            connection, Parent, (ConnectionBuffer)rows, start, count, attempt.StatementTimeout, cancellationToken)
            .ConfigureAwait(false);
        // A deferred key would otherwise fail at the commit, where no part can be told from another.
        var constraints = new NpgsqlBatch(connection)
        {
            Timeout = attempt.TimeoutSeconds,
            BatchCommands = { new("SET CONSTRAINTS ALL IMMEDIATE"), new("SET CONSTRAINTS ALL DEFERRED") },
        };
        await using (constraints.ConfigureAwait(false))
            await constraints.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }
}
