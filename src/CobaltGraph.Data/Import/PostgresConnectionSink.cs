using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;
using Npgsql;

namespace CobaltGraph.Data.Import;

/// <summary>
/// Stores each batch in one transaction by one COPY. Should the server refuse a row that was thought good, the batch is
/// halved, in savepoints of one transaction, until the rows at fault stand alone; all others are stored.
/// </summary>
internal sealed class PostgresConnectionSink(NpgsqlDataSource dataSource) : IConnectionSink
{
    private const string Savepoint = "import_part";

    public async Task<IReadOnlyList<RefusedRow>> StoreAsync(IReadOnlyList<Connection> rows, CancellationToken cancellationToken)
    {
        try
        {
            var connection = await dataSource.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                try
                {
                    await StoreWholeAsync(connection, rows, cancellationToken).ConfigureAwait(false);
                    return [];
                }
                catch (PostgresException e) when (IsDataError(e))
                {
                    return await StorePartsAsync(connection, rows, e, cancellationToken).ConfigureAwait(false);
                }
            }
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.QueryCanceled && cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(e.Message, e, cancellationToken);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or IOException)
        {
            throw new BatchStoreException(Describe(e), isOutcomeUnknown: false, e);
        }
    }

    private static async Task StoreWholeAsync(
        NpgsqlConnection connection,
        IReadOnlyList<Connection> rows,
        CancellationToken cancellationToken)
    {
        var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            await CopyAsync(connection, rows, 0, rows.Count, cancellationToken).ConfigureAwait(false);
            await CommitAsync(transaction).ConfigureAwait(false);
        }
    }

    private static async Task<IReadOnlyList<RefusedRow>> StorePartsAsync(
        NpgsqlConnection connection,
        IReadOnlyList<Connection> rows,
        PostgresException cause,
        CancellationToken cancellationToken)
    {
        if (rows.Count == 1)
            return [new RefusedRow(0, Describe(cause))];

        var refused = new List<RefusedRow>();
        var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            var parts = new Stack<(int Start, int Count)>();
            Halve(parts, 0, rows.Count);
            while (parts.TryPop(out var part))
            {
                await transaction.SaveAsync(Savepoint, cancellationToken).ConfigureAwait(false);
                try
                {
                    await CopyAsync(connection, rows, part.Start, part.Count, cancellationToken).ConfigureAwait(false);
                    // A deferred key would otherwise fail at the commit, where no part can be told from another.
                    await ExecuteAsync(connection, "SET CONSTRAINTS ALL IMMEDIATE", cancellationToken).ConfigureAwait(false);
                    await ExecuteAsync(connection, "SET CONSTRAINTS ALL DEFERRED", cancellationToken).ConfigureAwait(false);
                }
                catch (PostgresException e) when (IsDataError(e))
                {
                    await transaction.RollbackAsync(Savepoint, cancellationToken).ConfigureAwait(false);
                    if (part.Count == 1)
                        refused.Add(new RefusedRow(part.Start, Describe(e)));
                    else
                        Halve(parts, part.Start, part.Count);
                }

                await transaction.ReleaseAsync(Savepoint, cancellationToken).ConfigureAwait(false);
            }

            await CommitAsync(transaction).ConfigureAwait(false);
        }

        return refused;
    }

    private static void Halve(Stack<(int Start, int Count)> parts, int start, int count)
    {
        var half = count / 2;
        parts.Push((start + half, count - half));
        parts.Push((start, half));
    }

    private static async Task CopyAsync(
        NpgsqlConnection connection,
        IReadOnlyList<Connection> rows,
        int start,
        int count,
        CancellationToken cancellationToken)
    {
        var part = start == 0 && count == rows.Count ? rows : rows.Skip(start).Take(count);
        var stored = await ConnectionCopy.WriteAsync(connection, part, cancellationToken).ConfigureAwait(false);
        if (stored != count)
            throw new NpgsqlException($"The server stored {stored} of {count} rows.");
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        var command = connection.CreateCommand();
        await using (command.ConfigureAwait(false))
        {
            command.CommandText = sql;
            await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <remarks>Not cancelled: a commit that is given up may have happened.</remarks>
    private static async Task CommitAsync(NpgsqlTransaction transaction)
    {
        try
        {
            await transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is NpgsqlException and not PostgresException or TimeoutException or IOException)
        {
            throw new BatchStoreException(Describe(e), isOutcomeUnknown: true, e);
        }
    }

    private static bool IsDataError(PostgresException e)
        => e.SqlState.StartsWith("22", StringComparison.Ordinal) || e.SqlState.StartsWith("23", StringComparison.Ordinal);

    private static string Describe(Exception e) => e is PostgresException p
        ? DisplayText.Escape(p.ConstraintName is { } name
            ? $"the database refused it: {p.MessageText} (SQLSTATE {p.SqlState}, {name})"
            : $"the database refused it: {p.MessageText} (SQLSTATE {p.SqlState})")
        : DisplayText.Escape(e.Message);
}
