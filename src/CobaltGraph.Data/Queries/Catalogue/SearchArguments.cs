using CobaltGraph.Model;

namespace CobaltGraph.Data.Queries.Catalogue;

/// <summary>A page of connections.</summary>
/// <param name="Filter">Which connections.</param>
/// <param name="Cursor">Where the page begins; null for the first.</param>
/// <param name="After">The row before the page, the same place as the cursor's.</param>
internal sealed record SearchArguments(ConnectionFilter Filter, string? Cursor = null, Connection? After = null);
