using System.Net;
using CobaltGraph.Model;
using CobaltGraph.Seeding;

namespace CobaltGraph.Benchmarks.Ingest;

/// <summary>Which rows are stored.</summary>
internal enum RowTable
{
    /// <summary>Believable traffic: devices come back to the same destinations.</summary>
    Campus,

    /// <summary>The worst case: the same rows with random destinations, so that nearly every pair with a device is new.</summary>
    Uniform,
}

/// <summary>Rows that are the same on every machine and in every process.</summary>
/// <param name="Table">Which rows.</param>
/// <param name="Seed">Start of all random numbers.</param>
/// <param name="Devices">Devices of the site.</param>
/// <param name="Rows">Rows in all.</param>
/// <param name="Days">Days before <paramref name="To"/> over which they spread.</param>
/// <param name="To">The time of the last row.</param>
internal sealed record RowSource(RowTable Table, long Seed, int Devices, long Rows, int Days, DateTimeOffset To)
{
    public Site CreateSite() => Site.Create(new()
    {
        Recipe = SiteRecipe.Campus,
        Seed = Seed,
        Devices = Devices,
        Connections = Rows,
        Days = Days,
        ReferenceTime = To,
    });

    /// <summary>Makes the rows as they are read, in the order of time.</summary>
    public IEnumerable<Connection> Read(Site site)
    {
        var random = new Random(unchecked((int)Seed));
        foreach (var row in site.Connections())
        {
            if (Table == RowTable.Uniform)
                row.DstIp = new IPAddress(random.NextInt64(1L << 32));
            yield return row;
        }
    }
}
