using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Import;

/// <summary>Where the records of an import go.</summary>
internal sealed record ImportTarget(IBatchStorer<Connection> Connections, IBatchStorer<DeviceSighting> Sightings)
{
    public IRecordSink<Connection> ConnectionSink { get; } = new ConnectionSink();

    public IRecordSink<DeviceSighting> SightingSink { get; } = new SightingSink();

    /// <summary>The database.</summary>
    public static ImportTarget Database(IngestService ingest, IngestRetryOptions? retry = null)
        => new(ingest.ConnectionStorer(retry ?? new()), ingest.SightingStorer(retry ?? new()));

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
