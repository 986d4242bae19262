namespace CobaltGraph.Data.Adoption;

/// <summary>What an adoption set aside.</summary>
/// <param name="Schema">Where it is.</param>
/// <param name="Views">Views, by the names that they have now.</param>
/// <param name="Tables">Tables.</param>
/// <param name="Functions">Functions of their triggers.</param>
/// <param name="Bytes">Size of the tables, indexes included.</param>
internal sealed record OldTables(
    string Schema,
    IReadOnlyList<string> Views,
    IReadOnlyList<string> Tables,
    IReadOnlyList<string> Functions,
    long Bytes)
{
    public bool IsEmpty => Views.Count == 0 && Tables.Count == 0 && Functions.Count == 0;
}
