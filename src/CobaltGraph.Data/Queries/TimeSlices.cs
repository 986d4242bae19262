namespace CobaltGraph.Data.Queries;

/// <summary>
/// Cuts time into three parts, to be read one after the other until there are rows enough: one that probably holds them, one
/// eight times as long, and the rest. Reading the first few rows of many candidates costs by partition; most pages need only
/// the partitions of the first part.
/// </summary>
internal static class TimeSlices
{
    // Rows of different candidates are never spread evenly.
    private const int Spare = 4;
    private const int Growth = 8;

    private static readonly TimeSpan Shortest = TimeSpan.FromMinutes(1);

    /// <param name="candidates">The candidates, at least one.</param>
    /// <param name="start">Where reading begins, when it is known: the cursor, or the end of the range that the filter sets.</param>
    /// <param name="end">Where it ends at the latest, when the filter says so.</param>
    /// <param name="descending">Whether the latest come first.</param>
    /// <param name="rows">Rows wanted.</param>
    /// <returns>Disjoint ranges, from ≤ time &lt; until, in the direction of reading; together they cover all time.</returns>
    public static IEnumerable<(DateTimeOffset? From, DateTimeOffset? Until)> Cut<TKey>(
        IReadOnlyList<Candidate<TKey>> candidates, DateTimeOffset? start, DateTimeOffset? end, bool descending, int rows)
    {
        var known = candidates.Where(candidate => candidate.Count > 0).ToList();
        if (known.Count == 0)
            return [(null, null)];

        var first = known.Min(candidate => candidate.First);
        var last = known.Max(candidate => candidate.Last);
        var density = known.Sum(candidate => (double)candidate.Count) / Math.Max((last - first).Ticks, 1);
        var origin = descending ? Earlier(start, last) : Later(start, first);
        var limit = descending ? Later(end, first) : Earlier(end, last);
        var length = Math.Max(Spare * rows / density, Shortest.Ticks);
        if (length * (1 + Growth) >= Math.Abs((origin - limit).Ticks))
            return [(null, null)];

        var sign = descending ? -1 : 1;
        // Beyond the bounds of time there is nothing to cut.
        if (length * (1 + Growth) >= (descending ? origin.UtcTicks : DateTimeOffset.MaxValue.UtcTicks - origin.UtcTicks))
            return [(null, null)];
        var near = origin.AddTicks(sign * (long)length);
        var far = origin.AddTicks(sign * (long)(length * (1 + Growth)));
        return descending
            ? [(near, null), (far, near), (null, far)]
            : [(null, near), (near, far), (far, null)];
    }

    private static DateTimeOffset Earlier(DateTimeOffset? time, DateTimeOffset other) => time < other ? time.Value : other;

    private static DateTimeOffset Later(DateTimeOffset? time, DateTimeOffset other) => time > other ? time.Value : other;
}
