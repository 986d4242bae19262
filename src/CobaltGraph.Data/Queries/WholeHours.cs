namespace CobaltGraph.Data.Queries;

/// <summary>The hours that lie in a range as a whole, and what of the range they leave over.</summary>
internal readonly record struct WholeHours
{
    private static readonly long LastHour = DateTimeOffset.MaxValue.UtcTicks / TimeSpan.TicksPerHour * TimeSpan.TicksPerHour;

    private WholeHours(DateTimeOffset? first, DateTimeOffset? end)
    {
        First = first;
        End = end;
    }

    /// <summary>Begin of the first hour; null when the range has no begin.</summary>
    public DateTimeOffset? First { get; }

    /// <summary>End of the last hour; null when the range has no end.</summary>
    public DateTimeOffset? End { get; }

    /// <summary>The hours of a range; null when there is none.</summary>
    public static WholeHours? Of(DateTimeOffset? from, DateTimeOffset? until)
    {
        DateTimeOffset? first = null;
        if (from is { } begin)
        {
            if (begin.UtcTicks > LastHour)
                return null;
            var left = begin.UtcTicks % TimeSpan.TicksPerHour;
            first = new DateTimeOffset(left == 0 ? begin.UtcTicks : begin.UtcTicks - left + TimeSpan.TicksPerHour, TimeSpan.Zero);
        }

        DateTimeOffset? end = until is { } stop ? Begin(stop) : null;
        return first >= end ? null : new WholeHours(first, end);
    }

    /// <summary>Begin of the hour of a time, UTC.</summary>
    public static DateTimeOffset Begin(DateTimeOffset time)
        => new(time.UtcTicks - time.UtcTicks % TimeSpan.TicksPerHour, TimeSpan.Zero);
}
