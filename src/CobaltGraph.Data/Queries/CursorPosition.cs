namespace CobaltGraph.Data.Queries;

/// <summary>Where a page begins.</summary>
/// <param name="Backward">Whether the page lies before the position instead of after it.</param>
/// <param name="Inclusive">Whether a row at the position belongs to the page.</param>
/// <param name="Key">The position: the row's values of the order, the unique one last.</param>
internal sealed record CursorPosition(bool Backward, bool Inclusive, IReadOnlyList<object?> Key);
