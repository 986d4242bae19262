namespace CobaltGraph.Data.Queries.Catalogue;

/// <summary>An index of the site.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Table">The table.</param>
/// <param name="IsUnique">Whether it keeps a rule, so that it is needed with or without queries.</param>
/// <param name="Bytes">Its size, with those of all partitions.</param>
internal sealed record TableIndex(string Name, string Table, bool IsUnique, long Bytes);
