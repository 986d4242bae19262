namespace CobaltGraph.Data.Queries.Catalogue;

/// <summary>A call of the catalogue with the plans of the statements it sent.</summary>
internal sealed record CallPlan(QueryCall Call, long Rows, IReadOnlyList<Statement> Statements, IReadOnlyList<StatementPlan> Plans)
{
    public double RowsRead => Plans.Sum(plan => plan.RowsRead);

    public double MostSorted => Plans.Count == 0 ? 0 : Plans.Max(plan => plan.MostSorted);

    public double Milliseconds => Plans.Sum(plan => plan.Milliseconds);

    public IReadOnlyCollection<string> Partitions => [.. Plans.SelectMany(plan => plan.Partitions).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>Whether an index led to the rows: no table was read as a whole, and few connections in vain.</summary>
    public bool IsCovered => !SequentialScans.Any(scan => scan.IsMissingIndex(Coverage.SmallBytes))
        && Plans.All(plan => plan.ConnectionsDropped <= Coverage.MostDropped);

    public IEnumerable<SequentialScan> SequentialScans => Plans.SelectMany(plan => plan.SequentialScans);
}
