namespace CobaltGraph.Data.Queries;

/// <summary>A number of rows, counted or estimated.</summary>
/// <param name="Value">The number.</param>
/// <param name="IsExact">Whether it was counted; else it is the database's estimate, above the cap of counting.</param>
public readonly record struct RowCount(long Value, bool IsExact);
