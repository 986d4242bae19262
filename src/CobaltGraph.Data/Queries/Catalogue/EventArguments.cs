using CobaltGraph.Model;

namespace CobaltGraph.Data.Queries.Catalogue;

/// <summary>A page of device events.</summary>
/// <param name="Filter">Which events.</param>
/// <param name="Cursor">Where the page begins; null for the first.</param>
/// <param name="After">The event before it; null for the first page.</param>
internal sealed record EventArguments(EventFilter Filter, string? Cursor = null, DeviceEvent? After = null);
