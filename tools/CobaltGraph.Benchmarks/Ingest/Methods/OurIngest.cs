using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;
using Npgsql;

namespace CobaltGraph.Benchmarks.Ingest.Methods;

/// <summary>CobaltGraph's ingest, every rule of the database in force.</summary>
internal sealed class OurIngest(int writers) : IngestMethod
{
    public override string Key => $"a{writers}";

    public override string Title => $"CobaltGraph's ingest, {(writers == 1 ? "one writer" : $"{writers} writers")}";

    public override Schema Schema => Schema.CobaltGraph;

    public override Task StoreAsync(
        NpgsqlDataSource dataSource, Connection[] rows, int batchSize, CancellationToken cancellationToken)
        => StoreAsync(dataSource, rows, batchSize, writers, cancellationToken);

    /// <summary>Stores a stream of rows, which is never held.</summary>
    public static async Task StoreAsync(
        NpgsqlDataSource dataSource, IEnumerable<Connection> rows, int batchSize, int writers, CancellationToken cancellationToken)
    {
        // The ingest service is not there yet: this is what it will do for a batch, without ledger, retry and isolation
        // of bad rows.
        var turn = new object();
        using var batches = rows.Chunk(batchSize).GetEnumerator();
        await Task.WhenAll(Enumerable.Range(0, writers).Select(_ => Task.Run(WriteAsync, cancellationToken)));

        async Task WriteAsync()
        {
            await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
            while (Next() is { } batch)
            {
                await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
                await ConnectionCopy.WriteAsync(connection, batch, cancellationToken);
                await transaction.CommitAsync(cancellationToken);
            }
        }

        Connection[]? Next()
        {
            lock (turn)
                return batches.MoveNext() ? batches.Current : null;
        }
    }
}
