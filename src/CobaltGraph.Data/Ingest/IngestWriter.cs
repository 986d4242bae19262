namespace CobaltGraph.Data.Ingest;

/// <summary>Takes rows as they come and stores them in batches, by size or age. Safe for use by several threads.</summary>
/// <typeparam name="T">Connection or DeviceSighting.</typeparam>
public abstract class IngestWriter<T> : IAsyncDisposable
{
    private protected IngestWriter()
    {
    }

    /// <summary>
    /// Rows that were handed over and are not surely stored, in the order they came; none after a success. Storing each
    /// batch under its source and key with <see cref="IIngestService.StoreBatchAsync(string, string, IReadOnlyList{Model.Connection}, CancellationToken)"/>
    /// settles it: what was stored after all is a duplicate then, the rest is stored once.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// Neither <see cref="CompleteAsync"/> nor <see cref="DisposeAsync"/> has ended yet, so that this cannot be told.
    /// </exception>
    public abstract IReadOnlyList<UnstoredBatch<T>> Unstored { get; }

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
    /// <exception cref="OperationCanceledException">
    /// The wait was cancelled, or a <see cref="CompleteAsync"/> that gave up rows.
    /// </exception>
    public abstract Task FlushAsync(CancellationToken cancellationToken = default);

    /// <summary>Takes no more rows, stores what waits, and tells what became of all.</summary>
    /// <param name="cancellationToken">
    /// Gives up what is not yet stored, for good: the rows are in <see cref="Unstored"/>. Commits under way are waited for.
    /// </param>
    /// <exception cref="IngestException">A batch could not be stored.</exception>
    /// <exception cref="OperationCanceledException">Cancelled here or by another call, and rows were given up.</exception>
    public abstract Task<IngestResult<T>> CompleteAsync(CancellationToken cancellationToken = default);

    /// <summary>Stores what waits, as <see cref="CompleteAsync"/>; a failure that was thrown already is not thrown again.</summary>
    public abstract ValueTask DisposeAsync();
}
