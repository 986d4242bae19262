using CobaltGraph.Data.Schema.Catalog;

namespace CobaltGraph.Data.Schema;

/// <summary>What a schema is, beside what its recorded migrations must have made.</summary>
/// <param name="State">The recorded migrations.</param>
/// <param name="Expected">What they must have made, as it was made anew beside the schema.</param>
/// <param name="Respelled">The same, after its constraints, views and indexes were made from the server's texts of them.</param>
/// <param name="Found">What is there.</param>
/// <param name="Differences">Where the two differ.</param>
/// <param name="Notes">What is allowed, and worth knowing.</param>
internal sealed record SchemaProofReport(
    SchemaState State,
    SchemaCatalog Expected,
    SchemaCatalog Respelled,
    SchemaCatalog Found,
    IReadOnlyList<CatalogDifference> Differences,
    IReadOnlyList<string> Notes);
