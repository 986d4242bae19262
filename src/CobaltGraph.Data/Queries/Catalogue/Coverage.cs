namespace CobaltGraph.Data.Queries.Catalogue;

/// <summary>How many of the queries are answered by indexes, whichever values they are asked with.</summary>
/// <param name="Asked">Queries.</param>
/// <param name="Missing">Names of those that lack an index.</param>
internal sealed record Coverage(int Asked, IReadOnlyList<string> Missing)
{
    /// <summary>Reading a table of this size as a whole takes a few milliseconds.</summary>
    public const long SmallBytes = 8 << 20;

    /// <summary>
    /// More connections that conditions dropped are a search row by row, be it along an index. Of one score, a search looks
    /// through 200,000 before it asks anything else.
    /// </summary>
    public const double MostDropped = 250_000;

    public int Covered => Asked - Missing.Count;

    public double Percent => Asked == 0 ? 100 : 100.0 * Covered / Asked;

    public static Coverage Of(IEnumerable<CallPlan> plans)
    {
        var queries = plans.GroupBy(plan => plan.Call.Query).ToList();
        return new(
            queries.Count,
            [.. queries.Where(query => query.Any(plan => !plan.IsCovered)).Select(query => query.Key)]);
    }
}
