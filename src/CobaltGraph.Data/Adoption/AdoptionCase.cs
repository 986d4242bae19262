namespace CobaltGraph.Data.Adoption;

/// <summary>How many rows of a database cannot be carried as they are, for one reason.</summary>
/// <param name="Table">The original's table.</param>
/// <param name="Column">The column that is at fault.</param>
/// <param name="Problem">What is wrong with it.</param>
/// <param name="Rows">How many rows.</param>
/// <param name="Outcome">What becomes of them.</param>
/// <param name="SetsAside">Whether the rows have no place in our tables.</param>
internal sealed record AdoptionCase(
    string Table, string Column, string Problem, long Rows, string Outcome, bool SetsAside);
