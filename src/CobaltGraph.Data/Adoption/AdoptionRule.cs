namespace CobaltGraph.Data.Adoption;

/// <summary>A kind of row that cannot be carried as it is, and what becomes of it.</summary>
/// <param name="Table">The original's table.</param>
/// <param name="Column">The column that is at fault; its value is kept under <c>adopted</c> unless the row is set aside.</param>
/// <param name="Problem">What is wrong with it.</param>
/// <param name="Condition">SQL that tells such a row; <c>t</c> is the row, <c>m</c> its MAC address.</param>
/// <param name="Outcome">What becomes of it.</param>
/// <param name="SetsAside">Whether the row has no place in our tables.</param>
internal sealed record AdoptionRule(
    string Table, string Column, string Problem, string Condition, string Outcome, bool SetsAside = false);
