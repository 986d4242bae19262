namespace CobaltGraph.Cli.Terminal;

/// <summary>A column of an answer.</summary>
/// <param name="Key">Its name in JSON and in the header of plain output. Never renamed.</param>
/// <param name="Title">Its heading on a terminal.</param>
/// <param name="Value">The cell.</param>
/// <param name="Style">A colour for the cell on a terminal, or null.</param>
internal sealed record Column<T>(
    string Key, string Title, Func<T, object?> Value, Func<T, string?>? Style = null)
{
    /// <summary>Left out on a terminal, where it would be in the way.</summary>
    public bool ProgramsOnly { get; init; }

    /// <summary>Whether numbers of this column stand below each other at the right.</summary>
    public bool Right { get; init; }
}
