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
}
