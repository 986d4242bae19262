namespace CobaltGraph.Data.Adoption;

/// <summary>What an adoption did.</summary>
/// <param name="Survey">What was found; null when it had been adopted before.</param>
/// <param name="Stored">Rows of our tables.</param>
/// <param name="OldTables">The old tables under the names they have now, qualified.</param>
/// <param name="SetAsideTable">The table of the rows that have no place in ours, qualified; null when there are none.</param>
/// <param name="Elapsed">How long it took.</param>
internal sealed record AdoptionReport(
    AdoptionSurvey? Survey,
    IReadOnlyList<SurveyedTable> Stored,
    IReadOnlyList<string> OldTables,
    string? SetAsideTable,
    TimeSpan Elapsed);
