namespace CobaltGraph.Benchmarks.Queries;

/// <summary>What was asked for.</summary>
internal sealed record QueriesSetup
{
    public required long Connections { get; init; }

    public required int Devices { get; init; }

    public required int Days { get; init; }

    public required long Seed { get; init; }

    /// <summary>Calls of each query in each way; fewer of the original's.</summary>
    public required int Repetitions { get; init; }

    /// <summary>Common values of each condition, and as many rare ones.</summary>
    public required int ValuesPerKind { get; init; }

    /// <summary>Whether every pair of two conditions is asked, and nothing else, by the query layer alone.</summary>
    public bool OnlyPairs { get; init; }

    /// <summary>A way that needed more for a query is not asked again.</summary>
    public required TimeSpan TimePerQuery { get; init; }

    /// <summary>The time of the last row.</summary>
    public required DateTimeOffset ReferenceTime { get; init; }
}
