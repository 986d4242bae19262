namespace CobaltGraph.Data.Ingest;

/// <summary>What an ingest did: <see cref="Read"/> = stored + duplicate + rejected.</summary>
/// <typeparam name="T">Connection or DeviceSighting.</typeparam>
public sealed record IngestResult<T>
{
    /// <summary>Rows whose fate is known.</summary>
    public long Read => Stored + Duplicate + Rejected;

    /// <summary>Rows that this call stored.</summary>
    public required long Stored { get; init; }

    /// <summary>Rows of batches that were stored before, by this process or another.</summary>
    public required long Duplicate { get; init; }

    /// <summary>Rows that were refused.</summary>
    public required long Rejected { get; init; }

    /// <summary>Transactions that stored rows.</summary>
    public required long Batches { get; init; }

    /// <summary>Attempts that failed and were repeated.</summary>
    public required long Retries { get; init; }

    /// <summary>The first rejected rows, at most <see cref="IngestOptions{T}.MaxReportedRejections"/>.</summary>
    public required IReadOnlyList<IngestRejection<T>> Rejections { get; init; }
}

/// <summary>A row that was refused. The others of its batch are stored.</summary>
/// <typeparam name="T">Connection or DeviceSighting.</typeparam>
/// <param name="Record">The row as it was given.</param>
/// <param name="Position">Its place in the stream or batch, from 0.</param>
/// <param name="Reason">The field, what is wrong with it and what is accepted; safe to print.</param>
public sealed record IngestRejection<T>(T Record, long Position, string Reason);

/// <summary>A state of a running ingest.</summary>
/// <param name="Stored">Rows stored so far.</param>
/// <param name="Duplicate">Rows that were stored before.</param>
/// <param name="Rejected">Rows refused so far.</param>
/// <param name="Retries">Attempts that failed and were repeated.</param>
public readonly record struct IngestProgress(long Stored, long Duplicate, long Rejected, long Retries)
{
    /// <summary>Rows whose fate is known.</summary>
    public long Read => Stored + Duplicate + Rejected;
}
