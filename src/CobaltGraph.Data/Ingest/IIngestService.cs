using CobaltGraph.Model;

namespace CobaltGraph.Data.Ingest;

/// <summary>
/// Stores what sensors deliver, in batches of one transaction each: connections by COPY, sightings by a set-based merge.
/// Every batch writes its key to <c>ingest_batches</c> in the transaction that stores its rows, so that a batch that is
/// sent again — after a fault, by a restarted process, by two processes at once — is stored once. Safe for use by several
/// threads. <c>AddCobaltGraph</c> registers it as a singleton.
/// </summary>
public interface IIngestService
{
    /// <summary>
    /// Stores a stream of connections. Batches that were committed stay, whatever ends the call; with
    /// <see cref="IngestOptions{T}.StreamKey"/> a repeated call stores what is missing and nothing twice.
    /// </summary>
    /// <param name="connections">
    /// The connections, read once, never more than a few batches ahead. Their enumerator gets a token that is cancelled with the
    /// call, and once nothing more can be stored.
    /// </param>
    /// <param name="options">Source, batches, writers; null for the defaults.</param>
    /// <param name="progress">Told after every batch; an exception of it ends the call, as one of OnRejected does.</param>
    /// <param name="cancellationToken">Ends the call after the commits that are under way.</param>
    /// <returns>What became of every row: read = stored + duplicate + rejected.</returns>
    /// <exception cref="ArgumentException">An option is out of its range; the message names it.</exception>
    /// <exception cref="BatchConflictException">A batch of the same key and other content is stored already.</exception>
    /// <exception cref="IngestException">
    /// A batch could not be stored, for a reason that lies in no row and that did not pass within the retries.
    /// </exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    Task<IngestResult<Connection>> StoreAsync(
        IAsyncEnumerable<Connection> connections,
        IngestOptions<Connection>? options = null,
        IProgress<IngestProgress>? progress = null,
        CancellationToken cancellationToken = default);

    /// <summary>
    /// Stores a stream of sightings, as connections are stored. Devices that are not known are created as discovered.
    /// </summary>
    /// <inheritdoc cref="StoreAsync(IAsyncEnumerable{Connection}, IngestOptions{Connection}?, IProgress{IngestProgress}?, CancellationToken)"/>
    Task<IngestResult<DeviceSighting>> StoreAsync(
        IAsyncEnumerable<DeviceSighting> sightings,
        IngestOptions<DeviceSighting>? options = null,
        IProgress<IngestProgress>? progress = null,
        CancellationToken cancellationToken = default);

    /// <summary>Stores one batch under a key of the caller's, such as a sensor and its sequence number.</summary>
    /// <param name="source">Who delivers it; 1 to 200 characters.</param>
    /// <param name="batchKey">The batch within its source; 1 to 200 characters. The same key means the same rows.</param>
    /// <param name="connections">The rows, at most 1,000,000.</param>
    /// <param name="cancellationToken">Ends the call, unless the commit is under way.</param>
    /// <inheritdoc cref="StoreAsync(IAsyncEnumerable{Connection}, IngestOptions{Connection}?, IProgress{IngestProgress}?, CancellationToken)"/>
    Task<IngestResult<Connection>> StoreBatchAsync(
        string source,
        string batchKey,
        IReadOnlyList<Connection> connections,
        CancellationToken cancellationToken = default);

    /// <inheritdoc cref="StoreBatchAsync(string, string, IReadOnlyList{Connection}, CancellationToken)"/>
    Task<IngestResult<DeviceSighting>> StoreBatchAsync(
        string source,
        string batchKey,
        IReadOnlyList<DeviceSighting> sightings,
        CancellationToken cancellationToken = default);

    /// <summary>Opens a writer for connections as they come, which flushes by size or age.</summary>
    /// <param name="options">Sizes and times; null for the defaults.</param>
    IngestWriter<Connection> OpenConnectionWriter(IngestWriterOptions<Connection>? options = null);

    /// <summary>Opens a writer for sightings as they come, which flushes by size or age.</summary>
    /// <param name="options">Sizes and times; null for the defaults.</param>
    IngestWriter<DeviceSighting> OpenSightingWriter(IngestWriterOptions<DeviceSighting>? options = null);
}
