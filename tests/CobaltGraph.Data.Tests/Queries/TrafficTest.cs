using System.Net;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Data.Queries;
using CobaltGraph.Model;
using CobaltGraph.Testing;
using Microsoft.EntityFrameworkCore;

namespace CobaltGraph.Data.Tests.Queries;

/// <summary>A test over traffic that it knows row by row.</summary>
public abstract class TrafficTest(PostgresServerFixture server) : DatabaseTest(server), IDbContextFactory<CobaltGraphContext>
{
    private const int Seed = 6174;

    protected static DateTimeOffset Start { get; } = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);

    private protected QueryOptions Options { get; } = new();

    public CobaltGraphContext CreateDbContext() => Database.NewContext();

    private protected async Task StoreAsync(List<Connection> rows)
    {
        var result = await new IngestService(Database.DataSource).StoreBatchAsync("test", Guid.NewGuid().ToString(), rows, Cancel);
        Assert.Equal(rows.Count, result.Stored);
    }

    /// <summary>Rows of three days: few devices and destinations, equal times, missing sizes and names, unknown devices.</summary>
    private protected static List<Connection> Rows(int count)
    {
        var random = new Random(Seed);
        return [.. Enumerable.Range(0, count).Select(_ => Next(random))];
    }

    private protected static MacAddress Device(int number) => new(0x0200_5e00_0000 + number);

    private protected static IPAddress Destination(int number)
        => number % 3 == 2 ? IPAddress.Parse($"2001:db8::{number:x}") : IPAddress.Parse($"192.0.2.{number}");

    private static Connection Next(Random random)
    {
        var destination = (int)Math.Sqrt(random.Next(400));
        return new Connection
        {
            Timestamp = Start.AddMinutes(random.Next(3 * 24 * 6) * 10),
            SrcMac = random.Next(8) == 0 ? null : Device((int)Math.Sqrt(random.Next(100))),
            SrcIp = IPAddress.Parse($"10.0.0.{random.Next(4)}"),
            DstIp = Destination(destination),
            DstPort = random.Next(3) == 0 ? 443 : 1000 + destination % 4,
            Protocol = random.Next(2) == 0 ? "UDP" : "TCP",
            DstCountry = destination % 5 == 0 || (destination % 5 == 2 && random.Next(3) == 0) ? null : destination % 5 == 1 && random.Next(2) == 0 ? "US" : destination % 2 == 0 ? "DE" : "FR",
            DstOrg = destination % 4 == 0 ? null : $"Org {destination % 4}",
            DstHostname = random.Next(2) == 0 ? null : $"h{random.Next(3)}.example",
            ThreatScore = random.Next(10) == 0 ? 7 : random.Next(70) / 10f,
            ThreatCategory = random.Next(5) == 0 ? "c2" : null,
            BytesSent = random.Next(3) == 0 ? null : random.Next(100_000),
            BytesReceived = random.Next(3) == 0 ? null : random.NextInt64(10_000_000_000),
            Duration = random.Next(2) == 0 ? null : TimeSpan.FromMilliseconds(random.Next(100_000)),
            Metadata = random.Next(3) == 0 ? new ConnectionMetadata { Service = "ssl" } : new ConnectionMetadata(),
        };
    }
}
