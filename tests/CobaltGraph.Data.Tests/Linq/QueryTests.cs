using System.Net;
using CobaltGraph.Model;
using CobaltGraph.Testing;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace CobaltGraph.Data.Tests.Linq;

public class QueryTests(PostgresServerFixture server) : DatabaseTest(server)
{
    private static readonly MacAddress Camera = MacAddress.Parse("02:00:5e:00:00:01");
    private static readonly MacAddress Printer = MacAddress.Parse("02:00:5e:00:00:02");

    [Fact]
    public async Task Mac_address_is_compared_and_searched_as_macaddr()
    {
        await using var context = await SeededAsync();
        MacAddress[] wanted = [Camera, MacAddress.Parse("02:00:5e:00:00:99")];

        Assert.Equal("camera", (await context.Devices.SingleAsync(d => d.MacAddress == Camera, Cancel)).Hostname);
        Assert.Equal("camera", (await context.Devices.FindAsync([Camera], Cancel))!.Hostname);
        Assert.Equal(1, await context.Devices.CountAsync(d => wanted.Contains(d.MacAddress), Cancel));
        Assert.Equal([Camera, Printer], await context.Devices.OrderBy(d => d.MacAddress).Select(d => d.MacAddress).ToListAsync(Cancel));
        Assert.Contains(
            "mac_address = ANY (@wanted)",
            context.Devices.Where(d => wanted.Contains(d.MacAddress)).ToQueryString());
    }

    [Fact]
    public async Task Status_and_event_type_are_text_in_the_database()
    {
        await using var context = await SeededAsync();

        Assert.Equal(2, await context.Devices.CountAsync(d => d.Status == DeviceStatus.Discovered, Cancel));
        Assert.Contains("d.status = 'discovered'", context.Devices.Where(d => d.Status == DeviceStatus.Discovered).ToQueryString());
        Assert.Equal(
            [DeviceEventType.Discovered, DeviceEventType.Discovered, DeviceEventType.ThreatDetected],
            await context.DeviceEvents.OrderBy(e => e.Id).Select(e => e.EventType).ToListAsync(Cancel));
    }

    [Fact]
    public async Task Known_metadata_is_queried_by_member()
    {
        await using var context = await SeededAsync();

        var query = context.Devices.Where(d => d.Metadata.Notes == "by the door");

        Assert.Contains("d.metadata ->> 'notes' = 'by the door'", query.ToQueryString());
        Assert.Equal(Camera, (await query.SingleAsync(Cancel)).MacAddress);
        Assert.Equal(1, await context.Devices.CountAsync(
            d => EF.Functions.JsonContains(d.Metadata, """{"tags": ["outdoor"]}"""), Cancel));
        Assert.Equal(1, await context.Connections.CountAsync(c => c.Metadata.Threat!.Source == "list", Cancel));
        Assert.Contains(
            "c.metadata #>> '{threat,source}' = 'list'",
            context.Connections.Where(c => c.Metadata.Threat!.Source == "list").ToQueryString());
    }

    [Fact]
    public async Task Unknown_metadata_is_queried_by_path()
    {
        await using var context = await SeededAsync();

        var query = context.Devices.Where(d => d.Metadata.Text("rack", "unit") == "4");

        Assert.Contains("d.metadata #>> '{rack,unit}' = '4'", query.ToQueryString());
        Assert.Equal(Camera, (await query.SingleAsync(Cancel)).MacAddress);
        Assert.Equal("east", await context.Devices.Where(d => d.MacAddress == Camera)
            .Select(d => d.Metadata.Text("wing")).SingleAsync(Cancel));
        var key = "wing";
        Assert.Equal(1, await context.Devices.CountAsync(d => d.Metadata.Text(key) == "east", Cancel));
    }

    [Fact]
    public async Task Keys_that_the_type_does_not_know_survive_an_edit_in_place()
    {
        await using (var context = await SeededAsync())
        {
            var camera = await context.Devices.SingleAsync(d => d.MacAddress == Camera, Cancel);
            camera.Metadata.Tags!.Add("repaired");
            Assert.Equal(1, await context.SaveChangesAsync(Cancel));
        }

        Assert.Equal(
            ["""{"rack": {"unit": 4}, "tags": ["outdoor", "repaired"], "wing": "east", "notes": "by the door"}"""],
            await Texts("SELECT metadata::text FROM devices WHERE mac_address = '02:00:5e:00:00:01'"));
    }

    [Fact]
    public async Task Unchanged_metadata_is_not_written()
    {
        await using var context = await SeededAsync();
        _ = await context.Devices.ToListAsync(Cancel);

        Assert.Equal(0, await context.SaveChangesAsync(Cancel));
    }

    [Fact]
    public async Task Views_are_queried_like_tables()
    {
        await using var context = await SeededAsync();

        var summary = await context.DeviceSummaries.SingleAsync(s => s.MacAddress == Camera, Cancel);

        Assert.Equal((1, 1, 1), (summary.ConnectionCount, summary.ThreatCount, summary.UniqueDestinations));
        Assert.NotNull(summary.LastConnection);
        Assert.Null((await context.DeviceSummaries.SingleAsync(s => s.MacAddress == Printer, Cancel)).LastConnection);
        Assert.Equal(2, await context.ActiveDevices.CountAsync(Cancel));
    }

    [Fact]
    public async Task Addresses_are_searched_by_network()
    {
        await using var context = await SeededAsync();
        var network = IPNetwork.Parse("198.51.100.0/24");

        Assert.Equal(1, await context.Connections.CountAsync(c => EF.Functions.ContainedBy(c.DstIp, network), Cancel));
    }

    [Fact]
    public async Task Destinations_are_reached_from_their_device()
    {
        await using var context = await SeededAsync();

        var camera = await context.Devices.Include(d => d.Destinations).SingleAsync(d => d.MacAddress == Camera, Cancel);

        Assert.Equal(IPAddress.Parse("198.51.100.1"), Assert.Single(camera.Destinations).DstIp);
        Assert.Equal(9, camera.Destinations.Single().MaxThreatScore);
    }

    [Fact]
    public async Task Time_with_an_offset_is_stored_as_the_same_instant()
    {
        var noon = new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.FromHours(2));
        await using var context = Database.NewContext();
        context.Connections.Add(new Connection { Timestamp = noon, DstIp = IPAddress.Loopback, DstPort = 1 });
        await context.SaveChangesAsync(Cancel);

        Assert.Equal(1, await Count("connections WHERE \"timestamp\" = '2026-03-01 10:00+00'"));
        Assert.Equal(1, await context.Connections.CountAsync(c => c.Timestamp >= noon, Cancel));
        Assert.Equal(0, await context.Connections.CountAsync(c => c.Timestamp > noon, Cancel));
        Assert.Equal(0, await context.Connections.CountAsync(c => c.Timestamp > DateTimeOffset.UtcNow, Cancel));
    }

    [Fact]
    public async Task Saved_connection_gets_its_id_and_defaults()
    {
        await using var context = Database.NewContext();
        var connection = new Connection { SrcMac = Camera, DstIp = IPAddress.Loopback, DstPort = 1 };
        context.Connections.Add(connection);
        await context.SaveChangesAsync(Cancel);

        Assert.True(connection.Id > 0);
        Assert.True(connection.Timestamp > DateTimeOffset.UtcNow.AddMinutes(-1));
        Assert.Equal("TCP", connection.Protocol);
        Assert.Equal(1, (await context.Devices.SingleAsync(Cancel)).ConnectionCount);
    }

    [Fact]
    public async Task Saved_device_reads_back_what_the_database_made_of_it()
    {
        await using var context = Database.NewContext();
        var device = new Device { MacAddress = Camera, LastSeen = DateTimeOffset.UtcNow.AddDays(-1) };
        context.Devices.Add(device);
        await context.SaveChangesAsync(Cancel);

        Assert.True(device.IsLocallyAdministered);
        Assert.Equal(0, device.ConnectionCount);
        Assert.Equal(DeviceStatus.Discovered, device.Status);

        device.Hostname = "renamed";
        await context.SaveChangesAsync(Cancel);
        context.Remove(device);
        await context.SaveChangesAsync(Cancel);
        Assert.Equal(1, await context.DeviceEvents.CountAsync(e => e.EventType == DeviceEventType.Removed, Cancel));
    }

    [Fact]
    public async Task Trail_refuses_changes_made_through_the_context()
    {
        await using var context = await SeededAsync();
        var first = await context.DeviceEvents.FirstAsync(Cancel);
        first.NewValue = "forged";

        var error = await Assert.ThrowsAsync<DbUpdateException>(() => context.SaveChangesAsync(Cancel));

        Assert.Equal(PostgresErrorCodes.RestrictViolation, Assert.IsType<PostgresException>(error.InnerException).SqlState);
    }

    private async Task<CobaltGraphContext> SeededAsync()
    {
        await Run("""
            INSERT INTO devices (mac_address, hostname, metadata) VALUES
                ('02:00:5e:00:00:01', 'camera', '{"notes": "by the door", "tags": ["outdoor"], "rack": {"unit": 4}, "wing": "east"}'),
                ('02:00:5e:00:00:02', 'printer', '{"tags": 5, "notes": null}');
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port, threat_score, metadata)
            VALUES (now() - interval '1 day', '02:00:5e:00:00:01', '198.51.100.1', 443, 9, '{"threat": {"source": "list"}, "uid": "C1"}')
            """);
        return Database.NewContext();
    }
}
