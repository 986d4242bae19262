namespace CobaltGraph.Data.Ingest;

/// <summary>Takes rows as they come and stores them in batches, by size or age. Safe for use by several threads.</summary>
/// <typeparam name="T">Connection or DeviceSighting.</typeparam>
public abstract class IngestWriter<T> : IAsyncDisposable
{
    private protected IngestWriter()
    {
    }

    /// <summary>Hands a row over; waits while <see cref="IngestWriterOptions{T}.Capacity"/> rows wait.</summary>
    /// <param name="record">The row.</param>
    /// <param name="cancellationToken">Ends the wait; the row is then not handed over.</param>
    /// <exception cref="IngestException">A batch could not be stored; the writer takes no more rows.</exception>
    /// <exception cref="InvalidOperationException">The writer is completed.</exception>
    public abstract ValueTask WriteAsync(T record, CancellationToken cancellationToken = default);

    /// <summary>Hands a row over if there is room; false otherwise, and when the writer takes no more.</summary>
    /// <param name="record">The row.</param>
    public abstract bool TryWrite(T record);

    /// <summary>Returns once every row that was handed over before is committed or rejected.</summary>
    /// <param name="cancellationToken">Ends the wait, not the storing.</param>
    /// <exception cref="IngestException">A batch could not be stored.</exception>
    public abstract Task FlushAsync(CancellationToken cancellationToken = default);

    /// <summary>Takes no more rows, stores what waits, and tells what became of all.</summary>
    /// <param name="cancellationToken">Gives up what is not yet stored.</param>
    /// <exception cref="IngestException">A batch could not be stored.</exception>
    public abstract Task<IngestResult<T>> CompleteAsync(CancellationToken cancellationToken = default);

    /// <summary>Stores what waits, as <see cref="CompleteAsync"/>; a failure that was thrown already is not thrown again.</summary>
    public abstract ValueTask DisposeAsync();
}
