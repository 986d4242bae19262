namespace CobaltGraph.Data.Import;

/// <summary>A batch could not be stored, for a reason that lies in no row.</summary>
internal sealed class BatchStoreException(string message, bool isOutcomeUnknown, Exception innerException)
    : Exception(message, innerException)
{
    /// <summary>
    /// Whether the commit itself broke: the batch may or may not be stored. Otherwise it is not.
    /// </summary>
    public bool IsOutcomeUnknown { get; } = isOutcomeUnknown;
}
