using System.Globalization;
using CobaltGraph.Data.Queries;

namespace CobaltGraph.Cli.Verbs.Paging;

/// <summary>
/// A cursor of the command line: that of the query, and behind it what ages such as <c>24h</c> meant when the first page was
/// read. The following page is asked for later, and belongs to the same range. The query's cursor is bound to those times, so
/// they cannot be changed either.
/// </summary>
/// <param name="Query">The cursor of the query.</param>
/// <param name="Times">One for each time of the verb; null where none or an absolute one was given.</param>
internal sealed record AgeCursor(string Query, IReadOnlyList<DateTimeOffset?> Times)
{
    // Not a character of the query's cursors.
    private const char Separator = '.';

    /// <exception cref="QueryFilterException">The text is no cursor of a verb with so many times.</exception>
    public static AgeCursor Parse(string text, int times)
    {
        var parts = text.Split(Separator);
        if (parts.Length == 1) return new(text, new DateTimeOffset?[times]);
        var read = parts.Skip(1).Select(ParseTime).ToList();
        if (read.Count != times || read.Contains(DateTimeOffset.MinValue))
        {
            throw new QueryFilterException(
                "cursor", text, "is not a cursor of this verb", "what the page before or behind it says, unchanged");
        }

        return new(parts[0], read);
    }

    public override string ToString()
        => Times.All(time => time is null)
            ? Query
            : string.Join(Separator, Times.Select(time => time?.UtcTicks.ToString(CultureInfo.InvariantCulture)).Prepend(Query));

    private static DateTimeOffset? ParseTime(string text)
        => text.Length == 0 ? null
            : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var ticks) && ticks <= DateTimeOffset.MaxValue.UtcTicks
                ? new DateTimeOffset(ticks, TimeSpan.Zero)
                : DateTimeOffset.MinValue;
}
