using System.Globalization;
using System.Net;
using CobaltGraph.Model;

namespace CobaltGraph.Reliability.Workloads;

/// <summary>What the rows of a workload look like.</summary>
public sealed record WorkloadShape
{
    /// <summary>Devices that rows come from, unevenly: a few are busy.</summary>
    public int Devices { get; init; } = 40;

    /// <summary>The first of them, so that workloads can have devices of their own.</summary>
    public int FirstDevice { get; init; }

    /// <summary>Addresses that rows go to, a quarter of them IPv6.</summary>
    public int Destinations { get; init; } = 30;

    /// <summary>The first of them, so that workloads can have destinations of their own.</summary>
    public int FirstDestination { get; init; }

    /// <summary>Share of rows that are threats.</summary>
    public double Threats { get; init; } = 0.05;

    /// <summary>Share of rows without a device.</summary>
    public double Unknown { get; init; } = 0.03;
}

/// <summary>Valid connections that follow from a seed, every column in use, each with an identity of its own.</summary>
/// <param name="random">Where they come from.</param>
/// <param name="shape">What they look like; null for the defaults.</param>
/// <remarks>
/// All times are past by more than an hour, so that what follows from a row does not depend on when it is stored, and
/// reach over two months and their neighbours: rows of one batch go to several partitions.
/// </remarks>
public sealed class Workload(Random random, WorkloadShape? shape = null)
{
    private const long FirstMac = 0x0200_5E00_0000;
    private const int Days = 75;

    private static readonly DateTimeOffset Start = new(2026, 8, 20, 0, 0, 0, TimeSpan.Zero);
    private static readonly string[] Protocols = ["TCP", "UDP", "ICMP"];
    private static readonly string[] Services = ["http", "dns", "ssl", "ntp"];
    private static readonly string[] Countries = ["CH", "DE", "US", "JP"];
    private static readonly string[] Categories = ["malware", "c2", "proxy", "suspicious_geo"];

    private readonly WorkloadShape _shape = shape ?? new();

    /// <summary>Rows of a batch; their identities are its name and their place.</summary>
    /// <param name="name">The batch, unique within a test.</param>
    /// <param name="count">How many.</param>
    public IReadOnlyList<Connection> Batch(string name, int count)
        => [.. Enumerable.Range(0, count).Select(i => Next(string.Create(CultureInfo.InvariantCulture, $"{name}/{i}")))];

    /// <summary>Identities of rows.</summary>
    /// <param name="rows">Rows of a workload.</param>
    public static IEnumerable<string> Identities(IEnumerable<Connection> rows) => rows.Select(row => row.Metadata.Uid!);

    private Connection Next(string identity)
    {
        var threat = random.NextDouble() < _shape.Threats;
        // The square makes low numbers likelier: everybody writes to the same few devices.
        var device = (int)(_shape.Devices * random.NextDouble() * random.NextDouble());
        return new Connection
        {
            Timestamp = Start.AddTicks(random.NextInt64(Days * TimeSpan.TicksPerDay / 10) * 10),
            SrcMac = random.NextDouble() < _shape.Unknown ? null : new MacAddress(FirstMac + _shape.FirstDevice + device),
            SrcIp = Maybe(0.9) ? new IPAddress([10, 20, (byte)(device >> 8), (byte)device]) : null,
            SrcPort = Maybe(0.9) ? random.Next(65_536) : null,
            DstIp = Destination(_shape.FirstDestination + random.Next(_shape.Destinations)),
            DstPort = random.Next(65_536),
            Protocol = Maybe(0.9) ? Pick(Protocols) : null,
            DstCountry = Maybe(0.7) ? Pick(Countries) : null,
            DstLat = Maybe(0.5) ? random.NextSingle() * 180 - 90 : null,
            DstLon = Maybe(0.5) ? random.NextSingle() * 360 - 180 : null,
            DstOrg = Maybe(0.3) ? "Example Ünïon " + random.Next(100).ToString(CultureInfo.InvariantCulture) : null,
            DstHostname = Maybe(0.3) ? "host-" + random.Next(1000).ToString(CultureInfo.InvariantCulture) + ".example" : null,
            ThreatScore = threat ? 7 + random.NextSingle() * 3 : random.Next(4) == 0 ? random.NextSingle() * 6.9f : 0,
            ThreatCategory = threat ? Pick(Categories) : null,
            BytesSent = Maybe(0.8) ? random.NextInt64(1L << 40) : null,
            BytesReceived = Maybe(0.8) ? random.NextInt64(1L << 40) : null,
            Duration = Maybe(0.8) ? TimeSpan.FromTicks(random.NextInt64(TimeSpan.TicksPerHour / 10) * 10) : null,
            Metadata = new ConnectionMetadata { Uid = identity, Service = Maybe(0.5) ? Pick(Services) : null },
        };
    }

    private static IPAddress Destination(int number) => number % 4 == 3
        ? IPAddress.Parse(string.Create(CultureInfo.InvariantCulture, $"2001:db8::{number:x}"))
        : new IPAddress([198, 51, (byte)(100 + (number >> 8)), (byte)number]);

    private bool Maybe(double probability) => random.NextDouble() < probability;

    private T Pick<T>(T[] values) => values[random.Next(values.Length)];
}
