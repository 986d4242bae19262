using CobaltGraph.Data.Import;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Tests.Import;

/// <summary>Takes blocks into memory, so that reading is tested apart from the database.</summary>
internal sealed class MemoryStore : IBatchStorer<Connection>, IBatchStorer<DeviceSighting>
{
    private readonly Lock _gate = new();
    private int _underWay;

    public MemoryStore() => Target = new ImportTarget(this, this);

    public ImportTarget Target { get; init; }

    public List<int> BatchSizes { get; } = [];

    public List<Connection> Connections { get; } = [];

    public List<DeviceSighting> Sightings { get; } = [];

    /// <summary>Called before a batch is taken, with its number from 1.</summary>
    public Action<int>? BeforeBatch { get; init; }

    public Func<Connection, string?> Refuse { get; init; } = _ => null;

    /// <summary>How long a batch takes.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>How many batches were under way side by side.</summary>
    public int MostAtOnce { get; private set; }

    public Task<BatchOutcome<Connection>> StoreAsync(Batch<Connection> batch, CancellationToken cancellationToken)
        => StoreAsync(batch, Connections, Refuse, cancellationToken);

    public Task<BatchOutcome<DeviceSighting>> StoreAsync(Batch<DeviceSighting> batch, CancellationToken cancellationToken)
        => StoreAsync(batch, Sightings, _ => null, cancellationToken);

    private async Task<BatchOutcome<T>> StoreAsync<T>(
        Batch<T> batch, List<T> rows, Func<T, string?> refuse, CancellationToken cancellationToken)
    {
        lock (_gate)
            MostAtOnce = Math.Max(MostAtOnce, ++_underWay);
        try
        {
            if (Delay > TimeSpan.Zero)
                await Task.Delay(Delay, cancellationToken);
            return Store(batch, rows, refuse, cancellationToken);
        }
        finally
        {
            lock (_gate)
                _underWay--;
        }
    }

    private BatchOutcome<T> Store<T>(Batch<T> batch, List<T> rows, Func<T, string?> refuse, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            BeforeBatch?.Invoke(BatchSizes.Count + 1);
            cancellationToken.ThrowIfCancellationRequested();
            BatchSizes.Add(batch.ItemCount);
            var rejections = batch.Refused.Select(refused => refused.Rejection).ToList();
            var before = rows.Count;
            for (var row = 0; row < batch.Rows.Count; row++)
            {
                var record = batch.Rows[row];
                if (refuse(record) is { } reason)
                    rejections.Add(new IngestRejection<T>(record, batch.FirstPosition + batch.ItemOf(row), reason));
                else
                    rows.Add(record);
            }

            return new BatchOutcome<T>(rows.Count - before, 0, 1, 0, [.. rejections.OrderBy(rejection => rejection.Position)]);
        }
    }
}
