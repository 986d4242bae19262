namespace CobaltGraph.Data.Queries.Catalogue;

/// <summary>A page of devices.</summary>
internal sealed record ListArguments(DeviceFilter Filter, DeviceSort Sort, string? Cursor = null, DeviceListItem? After = null);
