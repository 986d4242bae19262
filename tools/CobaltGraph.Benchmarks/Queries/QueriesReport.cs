using CobaltGraph.Benchmarks.Ingest;
using CobaltGraph.Benchmarks.Measuring;

namespace CobaltGraph.Benchmarks.Queries;

/// <summary>What <c>--json</c> holds. Times of queries are milliseconds, sizes bytes.</summary>
internal sealed record QueriesReport
{
    /// <summary>Name and version of these keys.</summary>
    public string Schema { get; init; } = "cobaltgraph.benchmark.queries/1";

    public required DateTimeOffset StartedAt { get; init; }

    public required MachineDescription Machine { get; init; }

    public required ServerDescription Server { get; init; }

    public required QueriesSetup Setup { get; init; }

    /// <summary>Bytes of our database and of the original's, with all indexes; null for one that was not made.</summary>
    public required IReadOnlyDictionary<string, long> DatabaseBytes { get; init; }

    public IReadOnlyList<QueryResult> Queries { get; init; } = [];

    public IReadOnlyList<Target> Targets { get; init; } = [];
}
