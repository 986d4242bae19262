namespace CobaltGraph.Data.Queries;

/// <summary>Who or what has the most traffic of a range of time.</summary>
/// <typeparam name="T">What is ranked.</typeparam>
public sealed record TrafficRanking<T>
{
    /// <summary>The first places; of equals the smaller address comes first.</summary>
    public required IReadOnlyList<T> Items { get; init; }

    /// <summary>What the ranking was made from.</summary>
    public required QueryTier Tier { get; init; }
}
