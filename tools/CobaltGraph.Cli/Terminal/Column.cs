namespace CobaltGraph.Cli.Terminal;

/// <summary>A column of an answer.</summary>
/// <param name="Key">Its name in JSON and in the header of plain output. Never renamed.</param>
/// <param name="Title">Its heading on a terminal.</param>
/// <param name="Value">The cell.</param>
/// <param name="Style">A colour for the cell on a terminal, or null.</param>
internal sealed record Column<T>(
    string Key, string Title, Func<T, object?> Value, Func<T, string?>? Style = null)
{
    /// <summary>How a terminal shows the cell, when not as its value is always shown.</summary>
    public Func<T, string>? Display { get; init; }

    /// <summary>Left out on a terminal, where it would be in the way.</summary>
    public bool ProgramsOnly { get; init; }

    /// <summary>
    /// Left out of a table that would not fit the terminal: the column with the highest number first, one with 0 never.
    /// </summary>
    public int Spare { get; init; }

    /// <summary>Whether numbers of this column stand below each other at the right.</summary>
    public bool Right { get; init; }
}
