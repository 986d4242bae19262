namespace CobaltGraph.Data.Queries;

/// <summary>
/// Cuts time into parts, to be read one after the other until there are rows enough: one that probably holds them, then each two
/// to four times as long as the one before, by what was found until then, or eight times where nothing was; the last is what is
/// left. Reading the first few rows of many candidates costs by candidate and partition, and where few of their rows match, by
/// all these: most pages need only the first part, and few more than some times what holds them.
/// </summary>
internal static class TimeSlices
{
    // Rows of different candidates are never spread evenly.
    private const int Spare = 4;
    private const int Growth = 8;

    // Where some were found, whose number at night says little of the day.
    private const int LeastGrowth = 2;
    private const int MostGrowth = 4;

    // More than holds the rows when it goes on as before.
    private const double Reserve = 1.5;

    private static readonly TimeSpan Shortest = TimeSpan.FromMinutes(1);

    /// <param name="candidates">The candidates, at least one.</param>
    /// <param name="start">Where reading begins, when it is known: the cursor, or the end of the range that the filter sets.</param>
    /// <param name="end">Where it ends at the latest, when the filter says so.</param>
    /// <param name="descending">Whether the latest come first.</param>
    /// <param name="rows">Rows wanted.</param>
    /// <param name="found">How many of them the ranges have given so far.</param>
    /// <returns>Disjoint ranges, from ≤ time &lt; until, in the direction of reading; together they cover all time.</returns>
    public static IEnumerable<(DateTimeOffset? From, DateTimeOffset? Until)> Cut<TKey>(
        IReadOnlyList<Candidate<TKey>> candidates, DateTimeOffset? start, DateTimeOffset? end, bool descending, int rows, Func<int> found)
    {
        var known = candidates.Where(candidate => candidate.Count > 0).ToList();
        if (known.Count == 0)
            return [(null, null)];

        var first = known.Min(candidate => candidate.First);
        var last = known.Max(candidate => candidate.Last);
        var density = known.Sum(candidate => (double)candidate.Count) / Math.Max((last - first).Ticks, 1);
        var origin = descending ? Earlier(start, last) : Later(start, first);
        var limit = descending ? Later(end, first) : Earlier(end, last);
        return Cut(origin, limit, descending, Spare * rows / density, rows, found);
    }

    /// <summary>Cuts what is between two times, of which the first is where reading begins.</summary>
    /// <param name="origin">Where reading begins.</param>
    /// <param name="limit">Where it ends. When it is before the begin, as hints may have it, nothing is cut.</param>
    /// <param name="descending">Whether the latest come first.</param>
    /// <param name="length">Of the first part, in ticks.</param>
    /// <param name="rows">Rows wanted.</param>
    /// <param name="found">How many of them the ranges have given so far.</param>
    /// <returns>Disjoint ranges, from ≤ time &lt; until, in the direction of reading; together they cover all time.</returns>
    public static IEnumerable<(DateTimeOffset? From, DateTimeOffset? Until)> Cut(
        DateTimeOffset origin, DateTimeOffset limit, bool descending, double length, int rows, Func<int> found)
    {
        var left = descending ? origin.UtcTicks - limit.UtcTicks : limit.UtcTicks - origin.UtcTicks;
        length = Math.Max(length, Shortest.Ticks);
        DateTimeOffset? edge = null;
        // What is left is read at once where it is not much longer than the part.
        for (var (next, read) = (origin, 0d); length * LeastGrowth < left;)
        {
            var ticks = (long)length;
            next = next.AddTicks(descending ? -ticks : ticks);
            var before = found();
            yield return descending ? (next, edge) : (edge, next);
            edge = next;
            left -= ticks;
            read += length;
            length = found() == before
                ? Growth * length
                : Math.Clamp(Reserve * read * (rows - found()) / found(), LeastGrowth * length, MostGrowth * length);
        }

        yield return descending ? (null, edge) : (edge, null);
    }

    /// <summary>How long the first part should be, after a time from the same begin in which there were not rows enough.</summary>
    /// <param name="read">How long that was, in ticks.</param>
    /// <param name="rows">Rows wanted.</param>
    /// <param name="found">Rows found in it, which are found again.</param>
    public static double Again(double read, int rows, int found)
        => found == 0 ? Growth * read : Math.Clamp(Reserve * read * rows / found, read, MostGrowth * read);

    private static DateTimeOffset Earlier(DateTimeOffset? time, DateTimeOffset other) => time < other ? time.Value : other;

    private static DateTimeOffset Later(DateTimeOffset? time, DateTimeOffset other) => time > other ? time.Value : other;
}
