namespace CobaltGraph.Data.Adoption;

/// <summary>What a database of the original holds, and what becomes of it.</summary>
/// <param name="Original">The database.</param>
/// <param name="Tables">Its tables with their rows and sizes.</param>
/// <param name="Cases">Rows that cannot be carried as they are; only reasons with rows.</param>
/// <param name="SetAside">Rows that will have no place in our tables.</param>
/// <param name="Months">Months (UTC, as their first day) that get a partition.</param>
/// <param name="Notes">What else its owner should know.</param>
internal sealed record AdoptionSurvey(
    OriginalDatabase Original,
    IReadOnlyList<SurveyedTable> Tables,
    IReadOnlyList<AdoptionCase> Cases,
    long SetAside,
    IReadOnlyList<DateTime> Months,
    IReadOnlyList<string> Notes)
{
    // Measured on two cores; see docs/adoption.md.
    private const double RowsPerSecond = 10_000;

    /// <summary>Rows of all tables.</summary>
    public long Rows => Tables.Sum(table => table.Rows);

    /// <summary>Size of all tables, indexes included.</summary>
    public long Bytes => Tables.Sum(table => table.Bytes);

    /// <summary>About how long it takes.</summary>
    public TimeSpan EstimatedTime => TimeSpan.FromSeconds(Math.Ceiling(1 + Rows / RowsPerSecond));
}

/// <summary>A table and how much it holds.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Rows">Its rows.</param>
/// <param name="Bytes">Its size, indexes included.</param>
internal sealed record SurveyedTable(string Name, long Rows, long Bytes);
