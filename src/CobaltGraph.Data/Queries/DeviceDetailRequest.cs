using System.Globalization;

namespace CobaltGraph.Data.Queries;

/// <summary>How much of a device is wanted.</summary>
public sealed record DeviceDetailRequest
{
    /// <summary>Longest range of activity.</summary>
    public static TimeSpan MaxRange { get; } = TimeSpan.FromDays(366);

    /// <summary>Range of activity unless told otherwise.</summary>
    public static TimeSpan DefaultRange { get; } = TimeSpan.FromDays(7);

    /// <summary>Most entries of a list other than the connections.</summary>
    public const int MaxEntries = 100;

    /// <summary>Most destinations whose ports and countries are counted.</summary>
    public const int MaxCountedDestinations = 1_000_000;

    /// <summary>
    /// Begin of the activity; the hour that it lies in is shown whole. Null for <see cref="DefaultRange"/> before
    /// <see cref="Until"/>.
    /// </summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>
    /// End of the activity, itself excluded; the hour that it lies in is shown whole. Null for now. No more than
    /// <see cref="MaxRange"/> after <see cref="From"/>.
    /// </summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>Most destinations, ports and countries each, 1 to <see cref="MaxEntries"/>.</summary>
    public int Top { get; init; } = 10;

    /// <summary>
    /// Of how many destinations, those of most connections, the ports and countries are counted, 1 to
    /// <see cref="MaxCountedDestinations"/>. Each is a look-up, so that this bounds what a device of many destinations costs;
    /// <see cref="Model.DeviceSummary.UniqueDestinations"/> says how many there are.
    /// </summary>
    public int CountedDestinations { get; init; } = 1000;

    /// <summary>Most addresses, 1 to <see cref="MaxEntries"/>.</summary>
    public int Addresses { get; init; } = 20;

    /// <summary>Most events, 1 to <see cref="MaxEntries"/>.</summary>
    public int Events { get; init; } = 20;

    /// <summary>Most connections, 1 to <see cref="PageRequest.MaxLimit"/>.</summary>
    public int Connections { get; init; } = PageRequest.DefaultLimit;

    /// <summary>The range of activity.</summary>
    /// <exception cref="QueryFilterException">A range is inverted or too long, or a number is out of bounds.</exception>
    internal (DateTimeOffset From, DateTimeOffset Until) Check(DateTimeOffset now)
    {
        CheckEntries("top", Top);
        CheckEntries("counted-destinations", CountedDestinations, MaxCountedDestinations);
        CheckEntries("addresses", Addresses);
        CheckEntries("events", Events);
        new PageRequest { Limit = Connections }.Check();
        if (Until is null && From >= now)
        {
            throw new QueryFilterException(
                "from", FilterInput.Show(From.Value), "is not before the present, where the activity ends without until",
                "an earlier time, or until as well");
        }

        var until = Until ?? now;
        var from = From ?? (until.UtcTicks < DefaultRange.Ticks ? DateTimeOffset.MinValue : until - DefaultRange);
        FilterInput.CheckRange(from, until);
        if (until - from > MaxRange)
        {
            throw new QueryFilterException(
                "from", FilterInput.Show(from), $"is more than {MaxRange.TotalDays} days before until, {FilterInput.Show(until)}",
                $"a range of at most {MaxRange.TotalDays} days");
        }

        return (from, until);
    }

    private static void CheckEntries(string field, int entries, int most = MaxEntries)
    {
        if (entries < 1 || entries > most)
        {
            throw new QueryFilterException(
                field, entries.ToString(CultureInfo.InvariantCulture), "is not a number of entries",
                string.Create(CultureInfo.InvariantCulture, $"a whole number from 1 to {most}"));
        }
    }
}
