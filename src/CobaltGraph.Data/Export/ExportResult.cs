namespace CobaltGraph.Data.Export;

/// <summary>What an export wrote.</summary>
/// <param name="Rows">Rows, without the header of CSV.</param>
public sealed record ExportResult(long Rows);
