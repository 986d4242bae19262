using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace CobaltGraph.Data.Import;

/// <summary>Where the records of an import go.</summary>
internal sealed record ImportTarget(IBatchStorer<Connection> Connections, IBatchStorer<DeviceSighting> Sightings)
{
    public IRecordSink<Connection> ConnectionSink { get; } = new ConnectionSink();

    public IRecordSink<DeviceSighting> SightingSink { get; } = new SightingSink();

    /// <summary>Finds what the ledger holds under a source and a key; null where there is no ledger.</summary>
    public Func<string, string, CancellationToken, Task<StoredEntry?>>? FindStored { get; init; }

    /// <summary>The database.</summary>
    /// <param name="dataSource">The database, with all migrations applied; its search path names the site.</param>
    /// <param name="loggerFactory">Gets the retries and failures; null for none.</param>
    /// <param name="retry">How transient faults are retried; null for the default.</param>
    public static ImportTarget Database(
        NpgsqlDataSource dataSource, ILoggerFactory? loggerFactory = null, IngestRetryOptions? retry = null)
    {
        var ingest = new IngestService(dataSource, loggerFactory);
        return new ImportTarget(ingest.ConnectionStorer(retry ?? new()), ingest.SightingStorer(retry ?? new()))
        {
            FindStored = async (source, key, cancellationToken) =>
            {
                var connection = await dataSource.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
                await using (connection.ConfigureAwait(false))
                    return await Ledger.FindAsync(connection, source, key, cancellationToken).ConfigureAwait(false);
            },
        };
    }

    /// <summary>Nowhere: everything is read and checked, and nothing is stored.</summary>
    public static ImportTarget Nowhere { get; } = new(new Counting<Connection>(), new Counting<DeviceSighting>());

    private sealed class Counting<T> : IBatchStorer<T>
    {
        public Task<BatchOutcome<T>> StoreAsync(Batch<T> batch, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return Task.FromResult(new BatchOutcome<T>(
                batch.Rows.Count, 0, 0, 0, [.. batch.Refused.Select(refused => refused.Rejection)]));
        }
    }
}
