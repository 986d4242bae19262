using System.Net;
using CobaltGraph.Data.Queries;
using CobaltGraph.Model;
using CobaltGraph.Testing;
using Microsoft.EntityFrameworkCore;

namespace CobaltGraph.Data.Tests.Queries;

/// <summary>Seeded connections of few values in every column, so that any pair of conditions meets some.</summary>
internal static class ConnectionRows
{
    public static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly string?[] Organizations = ["Example Org", "100% Cloud_Net", "O'Neil \\ Sons", "example.net", null];
    private static readonly string?[] Hostnames = ["www.example.com", "a_b.example.com", "CDN.example.net", "axb.example.com", null];

    public static MacAddress Device(int number) => new(0x0200_5e00_0000L + number);

    /// <summary>Stores rows; gives them as the database holds them.</summary>
    public static async Task<List<Connection>> SeedAsync(
        TestDatabase database, int count, CancellationToken cancellationToken, int seed = 1, int destinations = 40, int devices = 30)
    {
        var random = new Random(seed);
        await using (var context = database.NewContext())
        {
            context.ChangeTracker.AutoDetectChangesEnabled = false;
            for (var i = 0; i < count; i++)
                context.Connections.Add(New(random, destinations, devices));
            await context.SaveChangesAsync(cancellationToken);
        }

        await database.ExecuteAsync("ANALYZE");
        return await AllAsync(database, cancellationToken);
    }

    public static async Task<List<Connection>> AllAsync(TestDatabase database, CancellationToken cancellationToken)
    {
        await using var context = database.NewContext();
        return await context.Connections.AsNoTracking().ToListAsync(cancellationToken);
    }

    public static Connection New(Random random, int destinations = 40, int devices = 30)
    {
        var destination = random.Next(destinations);
        var device = random.Next(devices + 2);
        var score = random.Next(4) == 0 ? random.Next(101) / 10f : 0;
        return new Connection
        {
            // Few instants, so that many rows share one.
            Timestamp = Start.AddHours(random.Next(24 * 90)).AddMinutes(random.Next(2) * 30),
            SrcMac = device >= devices ? null : Device(device),
            SrcIp = random.Next(20) == 0 ? null : Address(10, 0, device % 4, 1 + device + (random.Next(8) == 0 ? 100 : 0)),
            DstIp = destination % 5 == 0 ? IPAddress.Parse($"2001:db8::{destination:x}") : Address(198, 51, 100 + destination % 3, destination),
            DstPort = random.Next(3) switch { 0 => 443, 1 => 53, _ => random.Next(1, 3000) },
            Protocol = random.Next(3) == 0 ? "UDP" : random.Next(50) == 0 ? "GRE" : "TCP",
            DstCountry = (destination % 4) switch { 0 => "US", 1 => "DE", 2 => destination == 2 ? "IS" : "US", _ => null },
            DstOrg = random.Next(50) == 0 ? "Renamed" : Organizations[destination % Organizations.Length],
            DstHostname = Hostnames[destination % 7 % Hostnames.Length],
            ThreatScore = score,
            ThreatCategory = score < 2 ? null : random.Next(3) switch { 0 => "malware", 1 => "c2", _ => null },
            Metadata = random.Next(10) == 0 ? ConnectionMetadata.Parse("""{"service": "dns", "x": {"y": [1, 2]}}""") : new ConnectionMetadata(),
        };
    }

    /// <summary>The filter by plain comparison, without a database.</summary>
    public static bool Matches(ConnectionFilter filter, Connection row)
        => !(row.Timestamp < filter.From) && !(row.Timestamp >= filter.Until)
           && (filter.Devices is null || (row.SrcMac is { } mac && filter.Devices.Contains(mac)))
           && (filter.Source is null || (row.SrcIp is not null && filter.Source.Value.Contains(row.SrcIp)))
           && (filter.Destination is null || filter.Destination.Value.Contains(row.DstIp))
           && (filter.Ports is null || filter.Ports.Any(range => row.DstPort >= range.First && row.DstPort <= range.Last))
           && (filter.Protocol is null || string.Equals(row.Protocol, filter.Protocol, StringComparison.OrdinalIgnoreCase))
           && (filter.Country is null || string.Equals(row.DstCountry, filter.Country, StringComparison.OrdinalIgnoreCase))
           && (filter.Organization is null || Has(row.DstOrg, filter.Organization))
           && (filter.Hostname is null || Has(row.DstHostname, filter.Hostname))
           && (filter.Levels is null || filter.Levels.Contains(ThreatScale.LevelOf(row.ThreatScore)))
           && !(row.ThreatScore < filter.MinScore) && !(row.ThreatScore > filter.MaxScore)
           && (filter.Category is null || row.ThreatCategory == filter.Category)
           && (filter.Metadata is null || row.Metadata.Service == "dns");

    /// <summary>One random condition, common or rare.</summary>
    public static ConnectionFilter With(ConnectionFilter filter, Random random) => random.Next(14) switch
    {
        0 => filter with { From = Start.AddDays(random.Next(90)) },
        1 => filter with { Until = (filter.From ?? Start).AddHours(random.Next(1, 500)) },
        2 => filter with { Devices = [Device(random.Next(31))] },
        3 => filter with { Devices = [.. Enumerable.Range(0, random.Next(25)).Select(_ => Device(random.Next(31)))] },
        4 => filter with { Source = Network(random, "10.0.0.0/8", "10.0.1.0/24", "10.0.2.3/32", "10.0.3.132/32", "192.0.2.0/24", "10.0.2.31/32") },
        5 => filter with { Destination = Network(random, "0.0.0.0/0", "198.51.100.0/24", "198.51.101.1/32", "2001:db8::/32", "2001:db8::f/128") },
        6 => filter with { Ports = [new PortRange(443)] },
        7 => filter with { Ports = [new PortRange(random.Next(3000)), new PortRange(100, 100 + random.Next(500)), new PortRange(53)] },
        8 => filter with { Protocol = Pick(random, "tcp", "GRE", "Udp", "SCTP") },
        9 => filter with { Country = Pick(random, "us", "DE", "IS", "FR") },
        10 => filter with { Organization = Pick(random, "EXAMPLE", "%", "_", "'", "\\", "renamed", "nothing") },
        11 => filter with { Hostname = Pick(random, "example", "a_b", "cdn", "%", "%' OR true --") },
        12 => filter with { Levels = [(ThreatLevel)random.Next(4), (ThreatLevel)random.Next(4)], Category = Pick(random, null, "malware", "c2", "proxy") },
        _ => random.Next(2) == 0
            ? filter with { MinScore = random.Next(10), MaxScore = random.Next(2) == 0 ? null : 10 }
            : filter with { Metadata = """{"service": "dns", "x": {"y": [2]}}""" },
    };

    private static bool Has(string? text, string part) => text?.Contains(part, StringComparison.OrdinalIgnoreCase) ?? false;

    private static IPNetwork Network(Random random, params string[] networks) => IPNetwork.Parse(Pick(random, networks)!);

    private static string? Pick(Random random, params string?[] values) => values[random.Next(values.Length)];

    private static IPAddress Address(int a, int b, int c, int d) => new([(byte)a, (byte)b, (byte)c, (byte)d]);
}
