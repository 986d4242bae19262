namespace CobaltGraph.Data.Queries;

/// <summary>
/// A page of rows in the order of the query. Pages follow the values of the order, not row numbers: rows that arrive or go
/// in between neither shift a page nor make it repeat or skip a row that was there all the time. Only a row whose own value
/// of the order changes meanwhile, such as the time a device was last seen, is met where it then belongs: twice, or not at all.
/// </summary>
/// <typeparam name="T">The row.</typeparam>
public record Page<T>
{
    /// <summary>The rows, in the order of the query, whichever direction was paged in.</summary>
    public required IReadOnlyList<T> Items { get; init; }

    /// <summary>Cursor of the following page, for <see cref="PageRequest.Cursor"/>; null when nothing follows yet.</summary>
    public string? Next { get; init; }

    /// <summary>Cursor of the preceding page, for <see cref="PageRequest.Cursor"/>; null when nothing precedes.</summary>
    public string? Previous { get; init; }

    /// <summary>Whether rows follow.</summary>
    public bool HasMore => Next is not null;
}
