namespace CobaltGraph.Data.Ingest;

/// <summary>Cuts a stream of records into batches.</summary>
internal sealed class BatchBuilder<T>(BatchQueue<T> queue, IRecordSink<T> sink, IngestOptions<T> options, TimeProvider clock)
{
    /// <summary>Hands a batch over; without it, to the queue as it comes.</summary>
    public Func<Batch<T>, ValueTask<bool>>? HandOver { get; init; }

    private readonly Guid _call = Guid.NewGuid();
    private Batch<T>? _batch;
    private DateTimeOffset _now;
    private long _position;

    public int Count => _batch?.ItemCount ?? 0;

    public bool IsFull => Count >= options.BatchSize;

    public void Add(T record)
    {
        if (_batch is null)
        {
            _now = clock.GetUtcNow();
            _batch = Begin();
        }

        if (sink.Check(record) is { } reason)
            _batch.AddRefused(new IngestRejection<T>(record, _position, reason));
        else
            _batch.Add(record, _now);
        _position++;
    }

    /// <summary>Hands over what there is.</summary>
    /// <returns>False when the queue takes no more.</returns>
    public ValueTask<bool> FlushAsync()
    {
        var batch = Take();
        return batch is null ? ValueTask.FromResult(true) : HandOver is null ? queue.AddAsync(batch) : HandOver(batch);
    }

    /// <summary>What there is, to do something else with; null for nothing.</summary>
    public Batch<T>? Take()
    {
        var batch = _batch;
        _batch = null;
        return batch;
    }

    private Batch<T> Begin()
    {
        var identity = options.StreamKey is { } stream
            ? RecordIdentity<T>.InStream(stream, _position)
            : RecordIdentity<T>.Once(_call, _position);
        return identity.Batch = new Batch<T>(options.Source, _position, identity, queue.TakeBuffer());
    }
}
