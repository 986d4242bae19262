namespace CobaltGraph.Data.Ingest;

/// <summary>How a stream is stored.</summary>
/// <typeparam name="T">Connection or DeviceSighting.</typeparam>
public record IngestOptions<T>
{
    /// <summary>Rows of a batch unless told otherwise, and of every batch of a stream that has a key.</summary>
    public const int DefaultBatchSize = 10_000;

    /// <summary>Who delivers the rows, such as the name of the sensor; 1 to 200 characters. Part of every batch's key.</summary>
    public string Source { get; init; } = "application";

    /// <summary>
    /// A name for this stream within its source, 1 to 150 characters: storing a stream of the same name again, as a whole
    /// or further than before, adds only what is missing. Null: every call brings new rows.
    /// </summary>
    public string? StreamKey { get; init; }

    /// <summary>
    /// Rows per transaction, 1 to 1,000,000. With a <see cref="StreamKey"/> it stays <see cref="DefaultBatchSize"/>, so
    /// that a repetition is split alike.
    /// </summary>
    public int BatchSize { get; init; } = DefaultBatchSize;

    /// <summary>Connections to the server that store batches side by side, 1 to 32.</summary>
    public int Writers { get; init; } = 1;

    /// <summary>How transient faults are retried.</summary>
    public IngestRetryOptions Retry { get; init; } = new();

    /// <summary>How many rejections the result keeps, from 0; all are counted.</summary>
    public int MaxReportedRejections { get; init; } = 100;

    /// <summary>
    /// Called for every rejected row, by one thread at a time, once the others of its batch are stored. An exception of it
    /// ends the call and is thrown from there, when the batches under way are done; nothing that is stored is undone. It must
    /// not wait for the call or the writer that it is a part of: they wait for it.
    /// </summary>
    public Action<IngestRejection<T>>? OnRejected { get; init; }
}

/// <summary>How a writer for live sensors stores.</summary>
/// <typeparam name="T">Connection or DeviceSighting.</typeparam>
public sealed record IngestWriterOptions<T> : IngestOptions<T>
{
    /// <summary>The longest time that a row waits for its batch to fill; above zero, at most a day.</summary>
    public TimeSpan FlushInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Rows that may wait before <see cref="IngestWriter{T}.WriteAsync"/> does; 1 to 10,000,000.</summary>
    public int Capacity { get; init; } = 50_000;
}

/// <summary>
/// How faults that pass by themselves are retried: lost connections, deadlocks, serialization failures, a server that
/// restarts or has no connection left. Waits double, with jitter. Any other fault ends the call at once.
/// </summary>
/// <remarks>
/// Where every attempt fails at once, as while a server restarts, the defaults keep trying for five minutes on average, and
/// for three and a half at least.
/// </remarks>
public sealed record IngestRetryOptions
{
    /// <summary>How often a batch is tried in all, 1 to 100.</summary>
    public int MaxAttempts { get; init; } = 35;

    /// <summary>Wait after the first failure, at most; above zero.</summary>
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest wait between two attempts.</summary>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// How long one attempt may take before it counts as lost; above zero, at most a day. Batches of more than 10,000 rows
    /// have it once for every 10,000. It holds for the rows, the server's work on them and the commit, whatever
    /// <c>Command Timeout</c> the connection has. A batch that took longer twice is stored in two halves, each of which has
    /// this time, in one transaction.
    /// </summary>
    public TimeSpan AttemptTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long one batch may take with all attempts and waits, after which the call ends; above zero, at most a day.
    /// Batches of more than 10,000 rows have it once for every 10,000.
    /// </summary>
    public TimeSpan BatchTimeout { get; init; } = TimeSpan.FromMinutes(15);
}
