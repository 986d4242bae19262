using System.Net;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Data.Queries;
using CobaltGraph.Model;
using CobaltGraph.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace CobaltGraph.Data.Tests.Documentation;

#pragma warning disable xUnit1051 // Shown without a token, as a first look at a query is written.

// The code between the markers stands in README.md, word for word; ReadmeTests compares.
public class ReadmeExamples(PostgresServerFixture server) : DatabaseTest(server)
{
    [Fact]
    public async Task Query_example_runs()
    {
        await Run("""
            INSERT INTO connections (src_mac, dst_ip, dst_port, threat_score, dst_country) VALUES
                ('02:00:5e:00:00:01', '198.51.100.1', 443, 9, 'CH'), ('02:00:5e:00:00:02', '198.51.100.2', 443, 1, 'CH');
            UPDATE devices SET metadata = '{"rack": {"unit": 4}}'
            """);
        await using var context = Database.NewContext();

        // README: query
        var since = DateTimeOffset.UtcNow.AddDays(-1);

        var threats = await context.Connections
            .Where(c => c.Timestamp >= since && c.ThreatScore >= ThreatScale.ThreatThreshold)
            .OrderByDescending(c => c.ThreatScore)
            .Select(c => new { c.Device!.Hostname, c.SrcMac, c.DstIp, c.DstCountry, c.ThreatScore })
            .Take(10)
            .ToListAsync();

        var camera = await context.Devices
            .Include(d => d.Destinations)
            .SingleAsync(d => d.MacAddress == MacAddress.Parse("0200.5e00.0001"));

        var fourth = await context.Devices
            .Where(d => d.Metadata.Text("rack", "unit") == "4")
            .CountAsync();
        // README: end

        Assert.Single(threats);
        Assert.Single(camera.Destinations);
        Assert.Equal(2, fourth);
    }

    [Fact]
    public async Task Search_example_runs()
    {
        await Run("""
            INSERT INTO connections (src_mac, dst_ip, dst_port, threat_score, dst_country, dst_hostname)
            VALUES ('02:00:5e:00:00:01', '198.51.100.1', 443, 9, 'CH', 'www.example.com')
            """);
        await using var services = new ServiceCollection().AddCobaltGraph(Database.ConnectionString).BuildServiceProvider();
        await using var scope = services.CreateAsyncScope();
        var queries = scope.ServiceProvider.GetRequiredService<IConnectionQueries>();
        var context = scope.ServiceProvider.GetRequiredService<CobaltGraphContext>();

        // README: search
        var filter = new ConnectionFilter
        {
            From = DateTimeOffset.UtcNow.AddDays(-7),
            Country = "CH",
            Hostname = "example",
            Levels = [ThreatLevel.High, ThreatLevel.Critical],
        };
        var page = await queries.SearchAsync(filter, new PageRequest { Limit = 50 });
        while (page.Next is { } next)
            page = await queries.SearchAsync(filter, new PageRequest { Limit = 50, Cursor = next });

        var same = await context.Connections
            .Matching(filter)
            .ToNetwork(IPNetwork.Parse("198.51.100.0/24"))
            .CountAsync();
        // README: end

        Assert.Single(page.Items);
        Assert.Equal(1, same);
    }

    [Fact]
    public async Task Registration_example_runs()
    {
        var connectionString = Database.ConnectionString;
        var services = new ServiceCollection();

        // README: register
        services.AddCobaltGraph(connectionString);
        // README: end

        await using var provider = services.BuildServiceProvider();
        await using var scope = provider.CreateAsyncScope();
        Assert.Empty(await scope.ServiceProvider.GetRequiredService<CobaltGraphContext>().Devices.ToListAsync(Cancel));
    }

    [Fact]
    public async Task Ingest_examples_run()
    {
        await using var services = new ServiceCollection().AddCobaltGraph(Database.ConnectionString).BuildServiceProvider();
        var ingest = services.GetRequiredService<IIngestService>();
        var connection = new Connection { SrcMac = MacAddress.Parse("02:00:5e:00:00:03"), DstIp = IPAddress.Loopback, DstPort = 1 };
        DeviceSighting[] sightings = [new() { MacAddress = MacAddress.Parse("02:00:5e:00:00:04"), Hostname = "camera" }];

        // README: stream
        var result = await ingest.StoreAsync(
            ReadConnectionsAsync(),
            new IngestOptions<Connection> { Source = "edge-1", StreamKey = "2026-11-24", Writers = 2 });

        Console.WriteLine($"{result.Stored} stored, {result.Duplicate} stored before, {result.Rejected} rejected");
        foreach (var rejection in result.Rejections)
            Console.WriteLine($"row {rejection.Position}: {rejection.Reason}");
        // README: end

        // README: batch
        await ingest.StoreBatchAsync("edge-1", "4711", sightings);

        await using var writer = ingest.OpenConnectionWriter(new()
        {
            Source = "edge-1",
            BatchSize = 5_000,
            FlushInterval = TimeSpan.FromSeconds(2),
        });
        await writer.WriteAsync(connection);
        await writer.FlushAsync();
        // README: end

        Assert.Equal((1, 1), (result.Stored, result.Rejected));
        Assert.Equal(2, await Count("connections"));
        Assert.Equal(["camera"], await Texts("SELECT hostname FROM devices WHERE hostname IS NOT NULL"));

        static async IAsyncEnumerable<Connection> ReadConnectionsAsync()
        {
            yield return new Connection { DstIp = IPAddress.Loopback, DstPort = 443 };
            yield return new Connection { DstIp = IPAddress.Loopback, DstPort = 70_000 };
            await Task.CompletedTask;
        }
    }
}
