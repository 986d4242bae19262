namespace CobaltGraph.Data.Queries.Catalogue;

/// <summary>A call of the catalogue with the plans of the statements it sent.</summary>
internal sealed record CallPlan(QueryCall Call, long Rows, IReadOnlyList<Statement> Statements, IReadOnlyList<StatementPlan> Plans)
{
    public double RowsRead => Plans.Sum(plan => plan.RowsRead);

    public double MostSorted => Plans.Count == 0 ? 0 : Plans.Max(plan => plan.MostSorted);

    public double Milliseconds => Plans.Sum(plan => plan.Milliseconds);

    public IReadOnlyCollection<string> Partitions => [.. Plans.SelectMany(plan => plan.Partitions).Distinct().Order(StringComparer.Ordinal)];

    public IEnumerable<SequentialScan> SequentialScans => Plans.SelectMany(plan => plan.SequentialScans);
}
