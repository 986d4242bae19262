using System.Globalization;
using CobaltGraph.Data.Queries;

namespace CobaltGraph.Cli.Verbs.Paging;

/// <summary>
/// A cursor of the command line: that of the query, and behind it what ages such as <c>24h</c> meant when the first page was
/// read. The following page is asked for later, and belongs to the same range. The query's cursor is bound to those times, so
/// they cannot be changed either.
/// </summary>
/// <param name="Query">The cursor of the query.</param>
/// <param name="Ages">One for each time of the verb; null where none or an absolute one was given.</param>
internal sealed record AgeCursor(string Query, IReadOnlyList<AgeCursor.Age?> Ages)
{
    // Neither is a character of the query's cursors, nor of an age.
    private const char Separator = '.';
    private const char BeforeAge = '~';

    /// <exception cref="QueryFilterException">The text is no cursor of a verb with so many times.</exception>
    public static AgeCursor Parse(string text, int times)
    {
        var parts = text.Split(Separator);
        if (parts.Length == 1) return new(text, new Age?[times]);
        var ages = new Age?[times];
        var isCursor = parts.Length == times + 1;
        for (var i = 0; isCursor && i < times; i++)
            isCursor = Age.TryParse(parts[i + 1], out ages[i]);
        return isCursor
            ? new(parts[0], ages)
            : throw new QueryFilterException(
                "cursor", text, "is not a cursor of this verb", "what the page before or behind it says, unchanged");
    }

    public override string ToString()
        => Ages.All(age => age is null)
            ? Query
            : string.Join(Separator, Ages.Select(age => age?.ToString()).Prepend(Query));

    /// <summary>An age as it was given, and the time that it meant.</summary>
    internal sealed record Age(string Text, DateTimeOffset Since)
    {
        public static bool TryParse(string text, out Age? age)
        {
            age = null;
            if (text.Length == 0) return true;
            var parts = text.Split(BeforeAge);
            if (parts.Length != 2
                || !long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var ticks)
                || ticks > DateTimeOffset.MaxValue.UtcTicks)
            {
                return false;
            }

            age = new(parts[1], new DateTimeOffset(ticks, TimeSpan.Zero));
            return true;
        }

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Since.UtcTicks}{BeforeAge}{Text}");
    }
}
