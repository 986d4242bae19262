namespace CobaltGraph.Data.Ingest;

/// <summary>A batch could not be stored, for a reason that lies in no row of it.</summary>
public class IngestException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">What happened to which batch, and what to do; safe to print.</param>
    /// <param name="source">Source of the batch.</param>
    /// <param name="batchKey">Key of the batch.</param>
    /// <param name="isOutcomeUnknown">Whether the batch may be stored.</param>
    /// <param name="innerException">What the last attempt ended with.</param>
    public IngestException(
        string message,
        string source,
        string batchKey,
        bool isOutcomeUnknown = false,
        Exception? innerException = null)
        : base(message, innerException)
    {
        BatchSource = source;
        BatchKey = batchKey;
        IsOutcomeUnknown = isOutcomeUnknown;
    }

    /// <summary>Source of the batch, as in <c>ingest_batches</c>.</summary>
    public string BatchSource { get; }

    /// <summary>Key of the batch within its source, as in <c>ingest_batches</c>.</summary>
    public string BatchKey { get; }

    /// <summary>
    /// Whether an attempt got no answer to its commit, and no later one could tell what became of it: the batch is stored
    /// as a whole or not at all, and storing it again under its key settles which. Otherwise it is not stored.
    /// </summary>
    public bool IsOutcomeUnknown { get; }
}

/// <summary>A batch of the same source and key is stored already, with other content. Nothing of this one is stored.</summary>
public sealed class BatchConflictException(string message, string source, string batchKey)
    : IngestException(message, source, batchKey);
