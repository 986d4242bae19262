using System.Globalization;

namespace CobaltGraph.Data.Queries;

/// <summary>Which page of a query is wanted.</summary>
public sealed record PageRequest
{
    /// <summary>Rows of a page unless told otherwise.</summary>
    public const int DefaultLimit = 50;

    /// <summary>Most rows of a page.</summary>
    public const int MaxLimit = 1000;

    /// <summary>Most rows of the page, 1 to <see cref="MaxLimit"/>.</summary>
    public int Limit { get; init; } = DefaultLimit;

    /// <summary>
    /// <see cref="Page{T}.Next"/> or <see cref="Page{T}.Previous"/> of an earlier page of the same query: it says where to
    /// go on and in which direction. Null for the first page.
    /// </summary>
    public string? Cursor { get; init; }

    /// <summary>Reads a limit.</summary>
    /// <exception cref="QueryFilterException">The text is not a whole number from 1 to <see cref="MaxLimit"/>.</exception>
    public static int ParseLimit(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && IsLimit(limit)
            ? limit
            : throw BadLimit(text);
    }

    /// <exception cref="QueryFilterException">The limit is out of bounds.</exception>
    internal void Check()
    {
        if (!IsLimit(Limit))
            throw BadLimit(Limit.ToString(CultureInfo.InvariantCulture));
    }

    private static bool IsLimit(int limit) => limit is >= 1 and <= MaxLimit;

    private static QueryFilterException BadLimit(string text)
        => new("limit", text, "is not a number of rows", $"a whole number from 1 to {MaxLimit}");
}
