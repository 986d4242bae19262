using CobaltGraph.Model;

namespace CobaltGraph.Data.Queries;

/// <summary>A time in which devices used the source addresses of a search. No two overlap.</summary>
/// <param name="From">Its begin, itself included.</param>
/// <param name="Until">Its end, itself excluded; null when it has none.</param>
/// <param name="Devices">The devices that used them in it.</param>
internal sealed record UsedTime(DateTimeOffset From, DateTimeOffset? Until, IReadOnlyCollection<MacAddress> Devices)
{
    // Each is one statement: short pauses are read over.
    private const int Most = 8;

    /// <returns>The times, the earliest first.</returns>
    public static IReadOnlyList<UsedTime> Join(IEnumerable<Use> uses)
    {
        var joined = new List<(DateTimeOffset First, DateTimeOffset Last, HashSet<MacAddress> Devices)>();
        foreach (var (device, first, last) in uses.OrderBy(use => use.First))
        {
            if (joined.Count > 0 && joined[^1].Last >= first)
                Extend(joined.Count - 1, last, [device]);
            else
                joined.Add((first, last, [device]));
        }

        while (joined.Count > Most)
        {
            var shortest = Enumerable.Range(1, joined.Count - 1).MinBy(i => joined[i].First - joined[i - 1].Last);
            Extend(shortest - 1, joined[shortest].Last, joined[shortest].Devices);
            joined.RemoveAt(shortest);
        }

        return [.. joined.Select(time => new UsedTime(time.First, After(time.Last), time.Devices))];

        void Extend(int index, DateTimeOffset last, IEnumerable<MacAddress> devices)
        {
            var time = joined[index];
            time.Devices.UnionWith(devices);
            joined[index] = time with { Last = last > time.Last ? last : time.Last };
        }
    }

    private static DateTimeOffset? After(DateTimeOffset last)
        => last > DateTimeOffset.MaxValue.AddMicroseconds(-1) ? null : last.AddMicroseconds(1);
}

/// <summary>From when to when connections of a device came from a source address, both included.</summary>
internal sealed record Use(MacAddress Device, DateTimeOffset First, DateTimeOffset Last);
