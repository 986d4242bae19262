namespace CobaltGraph.Data.Queries;

/// <summary>
/// Cuts time into parts, to be read one after the other until there are rows enough: one that probably holds them, then each two
/// to eight times as long as the one before, by what was found until then. Reading the first few rows of many candidates costs by
/// candidate and partition, and where few of their rows match, by all these: most pages need only the first part, and none reads
/// much more than what holds it.
/// </summary>
internal static class TimeSlices
{
    // Rows of different candidates are never spread evenly.
    private const int Spare = 4;
    private const int Growth = 8;
    private const int LeastGrowth = 2;

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
        {
            yield return (null, null);
            yield break;
        }

        var first = known.Min(candidate => candidate.First);
        var last = known.Max(candidate => candidate.Last);
        var density = known.Sum(candidate => (double)candidate.Count) / Math.Max((last - first).Ticks, 1);
        var origin = descending ? Earlier(start, last) : Later(start, first);
        var limit = descending ? Later(end, first) : Earlier(end, last);
        var length = Math.Max(Spare * rows / density, Shortest.Ticks);
        var left = descending ? origin.UtcTicks - limit.UtcTicks : limit.UtcTicks - origin.UtcTicks;
        DateTimeOffset? edge = null;
        if (length * (1 + Growth) < left)
        {
            var next = origin;
            for (var read = 0d; length < left;)
            {
                var ticks = (long)length;
                next = next.AddTicks(descending ? -ticks : ticks);
                yield return descending ? (next, edge) : (edge, next);
                edge = next;
                left -= ticks;
                read += length;
                // Twice as long as holds the rest when it goes on like this.
                length = Math.Clamp(2 * read * (rows - found()) / found(), LeastGrowth * length, Growth * length);
            }
        }

        yield return descending ? (null, edge) : (edge, null);
    }

    private static DateTimeOffset Earlier(DateTimeOffset? time, DateTimeOffset other) => time < other ? time.Value : other;

    private static DateTimeOffset Later(DateTimeOffset? time, DateTimeOffset other) => time > other ? time.Value : other;
}
