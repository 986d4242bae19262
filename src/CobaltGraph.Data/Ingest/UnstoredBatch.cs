namespace CobaltGraph.Data.Ingest;

/// <summary>A batch that a writer took and did not surely store: it is stored as a whole or not at all.</summary>
/// <typeparam name="T">Connection or DeviceSighting.</typeparam>
/// <param name="Source">Source of the batch, as in <c>ingest_batches</c>.</param>
/// <param name="BatchKey">Key of the batch within its source; with other rows or another key it would be another batch.</param>
/// <param name="Records">Its rows as they were handed over, those among them that break a rule.</param>
public sealed record UnstoredBatch<T>(string Source, string BatchKey, IReadOnlyList<T> Records);
