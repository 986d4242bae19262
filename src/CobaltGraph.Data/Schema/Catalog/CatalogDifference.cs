namespace CobaltGraph.Data.Schema.Catalog;

/// <summary>One thing that is not as expected.</summary>
/// <param name="Kind">What the object is.</param>
/// <param name="Name">Its name in the schema that was looked at.</param>
/// <param name="Property">What of it differs; null when the object itself is missing or too many.</param>
/// <param name="Expected">As it must be; null when there must be nothing.</param>
/// <param name="Found">As it is; null when there is nothing.</param>
/// <param name="ExpectedObject">The object as it must be; null when there must be none.</param>
/// <param name="FoundObject">The object as it is; null when it is missing.</param>
internal sealed record CatalogDifference(
    string Kind,
    string Name,
    string? Property,
    string? Expected,
    string? Found,
    CatalogObject? ExpectedObject,
    CatalogObject? FoundObject);
