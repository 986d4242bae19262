using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace CobaltGraph.Data.Ingest;

/// <summary>
/// Metrics and traces of the ingest, under the name <c>CobaltGraph</c>: rows by outcome, retries, and how long batches take.
/// </summary>
internal static class IngestDiagnostics
{
    public const string Name = "CobaltGraph";

    public static readonly ActivitySource Activities = new(Name);

    private static readonly Meter Meter = new(Name);

    public static readonly Counter<long> Retries = Meter.CreateCounter<long>(
        "cobaltgraph.ingest.retries", "{attempt}", "Attempts that failed and were repeated.");

    private static readonly Counter<long> Rows = Meter.CreateCounter<long>(
        "cobaltgraph.ingest.rows", "{row}", "Rows by outcome: stored, duplicate or rejected.");

    private static readonly Histogram<double> BatchDuration = Meter.CreateHistogram<double>(
        "cobaltgraph.ingest.batch.duration", "s", "Time to store a batch, retries included.");

    public static void Record(string kind, string source, long stored, long duplicate, long rejected, TimeSpan elapsed)
    {
        Count("stored", stored);
        Count("duplicate", duplicate);
        Count("rejected", rejected);
        BatchDuration.Record(elapsed.TotalSeconds, new KeyValuePair<string, object?>("cobaltgraph.kind", kind));

        void Count(string outcome, long rows)
        {
            if (rows > 0)
            {
                Rows.Add(
                    rows,
                    new KeyValuePair<string, object?>("cobaltgraph.kind", kind),
                    new KeyValuePair<string, object?>("cobaltgraph.source", source),
                    new KeyValuePair<string, object?>("cobaltgraph.outcome", outcome));
            }
        }
    }
}
