using System.Diagnostics;
using System.Net;
using CobaltGraph.Data.Queries;
using CobaltGraph.Data.Queries.Catalogue;
using CobaltGraph.Data.Tests.Import;
using CobaltGraph.Model;
using CobaltGraph.Testing;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace CobaltGraph.Data.Tests.Queries;

public class DeviceDetailQueriesTests(PostgresServerFixture server) : TrafficTest(server)
{
    private const int Many = 2_000;

    private DeviceDetailQueries Queries => new(this, Options, TimeProvider.System);

    [Fact]
    public async Task Lists_are_what_the_connections_say()
    {
        var rows = Rows(Many);
        await StoreAsync(rows);
        var mine = rows.Where(row => row.SrcMac == Device(8)).ToList();
        var request = new DeviceDetailRequest { From = Start.AddHours(12.5), Until = Start.AddHours(40.5), Top = 100, Connections = 1000 };

        var detail = (await Queries.FindAsync(Device(8), request, Cancel))!;

        Assert.Equal((Device(8), mine.Count), (detail.Device.MacAddress, detail.Device.ConnectionCount));
        Assert.Equal((Device(8), mine.Select(row => row.DstIp).Distinct().Count()), (detail.Summary.MacAddress, detail.Summary.UniqueDestinations));
        Assert.Equal((Device(8), mine.Count(row => row.ThreatCategory == "c2")), (detail.Threats.MacAddress, detail.Threats.C2Count));

        // The hours in which the range begins and ends are whole.
        Assert.Equal(
            mine.Where(row => row.Timestamp >= Start.AddHours(12) && row.Timestamp < Start.AddHours(41))
                .GroupBy(row => WholeHours.Begin(row.Timestamp)).OrderBy(hour => hour.Key)
                .Select(hour => (hour.Key, hour.LongCount(), hour.LongCount(r => r.ThreatScore >= 7), hour.Max(r => r.ThreatScore),
                    hour.Sum(r => (decimal)(r.BytesSent ?? 0)), hour.Sum(r => (decimal)(r.BytesReceived ?? 0)))),
            detail.Activity.Select(h => (h.Hour, h.ConnectionCount, h.ThreatCount, h.MaxThreatScore, h.BytesSent, h.BytesReceived)));
        Assert.All(detail.Activity, hour => Assert.InRange(hour.DestinationsAtLeast, 1, (int)hour.ConnectionCount));

        Assert.Equal(
            mine.GroupBy(row => row.DstIp)
                .Select(edge => (edge.Key, edge.Min(r => r.Timestamp), edge.Max(r => r.Timestamp), edge.LongCount(), edge.LongCount(r => r.ThreatScore >= 7),
                    edge.Max(r => r.ThreatScore), First(edge.Key, r => r.DstCountry), First(edge.Key, r => r.DstOrg), First(edge.Key, r => r.DstHostname)))
                .OrderByDescending(edge => edge.Item4).ThenBy(edge => edge.Key, new Conversions.IPAddressKey.InetOrder()),
            detail.Destinations.Select(d => (d.Contact.DstIp, d.Contact.FirstSeen, d.Contact.LastSeen, d.Contact.ConnectionCount, d.Contact.ThreatCount,
                d.Contact.MaxThreatScore, d.Country, d.Organization, d.Hostname)));

        var reached = mine.Select(row => row.DstIp).ToHashSet();
        Assert.Equal(
            rows.Where(row => reached.Contains(row.DstIp)).GroupBy(row => (row.DstPort, row.Protocol))
                .Select(port => new DeviceDestinationPort(port.Key.DstPort, port.Key.Protocol, port.Select(r => r.DstIp).Distinct().Count()))
                .OrderByDescending(port => port.DestinationCount).ThenBy(port => port.Port).ThenBy(port => port.Protocol),
            detail.Ports);

        Assert.Equal(
            reached.SelectMany(address => Countries(address).Select(country => (country, address)))
                .GroupBy(place => place.country)
                .Select(place => new DeviceDestinationCountry(
                    place.Key, place.Count(),
                    mine.Count(r => place.Any(p => p.address.Equals(r.DstIp))),
                    mine.Count(r => r.ThreatScore >= 7 && place.Any(p => p.address.Equals(r.DstIp)))))
                .OrderByDescending(country => country.ConnectionCount).ThenBy(country => country.Country, StringComparer.Ordinal),
            detail.Countries);
        Assert.Contains(detail.Countries, country => country.Country is null);

        string? First(IPAddress address, Func<Connection, string?> value)
            => rows.Where(row => row.DstIp.Equals(address)).Select(value).Where(text => text is not null).Min(StringComparer.Ordinal);

        IEnumerable<string?> Countries(IPAddress address)
        {
            var known = rows.Where(row => row.DstIp.Equals(address) && row.DstCountry is not null).Select(row => row.DstCountry).Distinct().ToList();
            return known.Count == 0 ? [null] : known;
        }
    }

    [Fact]
    public async Task Connections_events_and_addresses_are_those_that_entity_framework_reads()
    {
        await StoreAsync(Rows(Many));
        await Run(
            """
            UPDATE devices SET ip_address = '10.0.0.99' WHERE mac_address = '02:00:5e:00:00:08';
            INSERT INTO device_events (device_mac, event_type, old_value, metadata) VALUES ('02:00:5e:00:00:08', 'idle', 'a', '{"x": [1, null]}');
            INSERT INTO device_addresses (mac_address, ip_address, source, first_seen, last_seen) VALUES ('02:00:5e:00:00:08', '2001:db8::8', 'update', '2026-03-01Z', 'infinity');
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port, protocol, dst_lat, dst_lon, metadata)
            VALUES ('2026-03-09Z', '02:00:5e:00:00:08', '::', 0, NULL, -90, 180, '{"dns": {"query": "q"}, "own": 1e3}');
            """);
        await using var context = Database.NewContext();

        var detail = (await Queries.FindAsync(Device(8), new DeviceDetailRequest { Events = 5, Addresses = 100, Connections = 40 }, Cancel))!;

        var connections = await context.Connections.Where(c => c.SrcMac == Device(8))
            .OrderByDescending(c => c.Timestamp).ThenByDescending(c => c.Id).Take(40).ToListAsync(Cancel);
        Assert.Equal(connections.Select(c => c.Id), detail.Connections.Items.Select(c => c.Id));
        foreach (var (row, read) in connections.Zip(detail.Connections.Items))
            RoundTripTests.AssertSame(row, read);
        Assert.Equal(40, detail.Connections.Items.Count);
        Assert.NotNull(detail.Connections.Next);
        Assert.Null(detail.Connections.Previous);
        var events = await context.DeviceEvents.Where(e => e.DeviceMac == Device(8))
            .OrderByDescending(e => e.Timestamp).ThenByDescending(e => e.Id).Take(5).ToListAsync(Cancel);
        Assert.Equal(
            events.Select(e => (e.Id, e.Timestamp, e.DeviceMac, e.EventType, e.OldValue, e.NewValue, e.Metadata)),
            detail.Events.Select(e => (e.Id, e.Timestamp, e.DeviceMac, e.EventType, e.OldValue, e.NewValue, e.Metadata)));
        Assert.Equal(5, detail.Events.Count);
        var addresses = await context.DeviceAddresses.Where(a => a.MacAddress == Device(8)).OrderByDescending(a => a.LastSeen)
            .ThenByDescending(a => a.FirstSeen).ThenBy(a => a.IpAddress).ThenBy(a => a.Source).ToListAsync(Cancel);
        Assert.Equal(
            addresses.Select(a => (a.MacAddress, a.IpAddress, a.Source, a.FirstSeen, a.LastSeen)),
            detail.Addresses.Select(a => (a.MacAddress, a.IpAddress, a.Source, a.FirstSeen, a.LastSeen)));
        Assert.Equal(DateTimeOffset.MaxValue, detail.Addresses[0].LastSeen);
    }

    [Fact]
    public async Task Search_goes_on_where_the_first_page_of_connections_ends()
    {
        await StoreAsync(Rows(Many));
        var search = new ConnectionQueries(this, Options);
        var filter = new ConnectionFilter { Devices = [Device(8)] };

        var first = (await Queries.FindAsync(Device(8), new DeviceDetailRequest { Connections = 30 }, Cancel))!.Connections;
        var second = await search.SearchAsync(filter, new PageRequest { Limit = 30, Cursor = first.Next }, cancellationToken: Cancel);

        var all = await search.SearchAsync(filter, new PageRequest { Limit = 60 }, cancellationToken: Cancel);
        Assert.Equal(60, all.Items.Count);
        Assert.Equal(all.Items.Select(c => c.Id), first.Items.Concat(second.Items).Select(c => c.Id));
    }

    [Fact]
    public async Task Detail_takes_two_round_trips()
    {
        await StoreAsync(Rows(200));
        await using var single = NpgsqlDataSource.Create(Database.ConnectionStringWith(c => c.MaxPoolSize = 1));
        // The first use of a data source asks for the server's types.
        await using (var warm = single.CreateCommand("SELECT 1"))
            await warm.ExecuteScalarAsync(Cancel);
        var queries = new DeviceDetailQueries(new Contexts(single), Options, TimeProvider.System);
        var commands = new List<string>();
        // One activity of Npgsql is one command or batch, sent and answered as a whole.
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Npgsql",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                if (activity.RootId == Activity.Current?.RootId || activity.GetTagItem("db.namespace") as string == Database.Name
                    || activity.GetTagItem("db.name") as string == Database.Name)
                {
                    lock (commands)
                        commands.Add(activity.DisplayName);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);

        Assert.NotNull(await queries.FindAsync(Device(8), cancellationToken: Cancel));
        Assert.Equal(2, commands.Count);

        commands.Clear();
        Assert.Null(await queries.FindAsync(Device(99), cancellationToken: Cancel));
        Assert.Single(commands);
    }

    [Fact]
    public async Task Connection_of_a_time_that_dotnet_does_not_have_hides_nothing_else()
    {
        await Run("""
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port)
            SELECT t::timestamptz, '02:00:00:00:00:08', '192.0.2.1', 443
            FROM unnest(ARRAY['2026-03-01Z', '9999-12-31 23:59:59.999999Z', '10000-01-01Z', '57970-01-01Z']) AS t
            """);

        var detail = (await Queries.FindAsync(MacAddress.Parse("02:00:00:00:00:08"), cancellationToken: Cancel))!;
        var samples = await QuerySamples.DrawAsync(Database.DataSource, 1, 1, Cancel);

        Assert.Equal([9999, 2026], detail.Connections.Items.Select(c => c.Timestamp.Year));
        Assert.Equal(4, detail.Device.ConnectionCount);
        Assert.Equal(new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero), samples.From);
    }

    [Fact]
    public async Task Unknown_device_is_null()
        => Assert.Null(await Queries.FindAsync(Device(1), cancellationToken: Cancel));

    [Fact]
    public async Task Device_without_traffic_has_empty_lists()
    {
        await Run("INSERT INTO devices (mac_address) VALUES ('02:00:5e:00:00:01')");

        var detail = (await Queries.FindAsync(Device(1), cancellationToken: Cancel))!;

        Assert.Equal((0, 0, 0), (detail.Summary.UniqueDestinations, detail.Threats.ThreatScore, detail.Device.ConnectionCount));
        Assert.Empty(detail.Activity);
        Assert.Empty(detail.Destinations);
        Assert.Empty(detail.Ports);
        Assert.Empty(detail.Countries);
        Assert.Empty(detail.Connections.Items);
        Assert.Null(detail.Connections.Next);
        Assert.Equal(DeviceEventType.Discovered, Assert.Single(detail.Events).EventType);
    }

    [Fact]
    public async Task Lists_are_as_long_as_asked_for()
    {
        await StoreAsync(Rows(Many));

        var detail = (await Queries.FindAsync(
            Device(8), new DeviceDetailRequest { Top = 2, Addresses = 1, Events = 1, Connections = 3, From = Start, Until = Start.AddDays(4) }, Cancel))!;

        Assert.Equal((2, 2, 2), (detail.Destinations.Count, detail.Ports.Count, detail.Countries.Count));
        Assert.Equal((1, 1, 3), (detail.Addresses.Count, detail.Events.Count, detail.Connections.Items.Count));
    }

    [Fact]
    public async Task Ports_and_countries_are_those_of_the_most_used_destinations()
    {
        Connection To(int destination, int port, string country) => new()
        {
            Timestamp = Start, SrcMac = Device(1), DstIp = Destination(destination), DstPort = port, DstCountry = country,
        };
        await StoreAsync([To(1, 9001, "AT"), To(2, 9002, "BE"), To(2, 9002, "BE"), To(3, 9003, "CH"), To(3, 9003, "CH"), To(3, 9003, "CH")]);

        var detail = (await Queries.FindAsync(Device(1), new DeviceDetailRequest { CountedDestinations = 2 }, Cancel))!;

        Assert.Equal([9002, 9003], detail.Ports.Select(port => port.Port));
        Assert.Equal([("CH", 3), ("BE", 2)], detail.Countries.Select(country => (country.Country!, country.ConnectionCount)));
        Assert.Equal((3, 3), (detail.Summary.UniqueDestinations, detail.Destinations.Count));
    }

    [Fact]
    public async Task Activity_is_that_of_the_last_seven_days_unless_told_otherwise()
    {
        var now = DateTimeOffset.UtcNow;
        await StoreAsync([.. new[] { 0, 6, 8 }.Select(days => new Connection
        {
            Timestamp = now.AddDays(-days), SrcMac = Device(1), DstIp = Destination(1), DstPort = 1,
        })]);

        Assert.Equal(2, (await Queries.FindAsync(Device(1), cancellationToken: Cancel))!.Activity.Count);
    }

    [Fact]
    public async Task Bad_request_names_the_field()
    {
        (string Field, DeviceDetailRequest Request)[] bad =
        [
            ("top", new() { Top = 0 }), ("top", new() { Top = 101 }), ("counted-destinations", new() { CountedDestinations = 0 }),
            ("counted-destinations", new() { CountedDestinations = 1_000_001 }), ("addresses", new() { Addresses = -1 }), ("events", new() { Events = 101 }),
            ("limit", new() { Connections = 1001 }), ("until", new() { From = Start, Until = Start }), ("from", new() { From = Start, Until = Start.AddDays(367) }),
        ];
        foreach (var (field, request) in bad)
            Assert.Equal(field, (await Assert.ThrowsAsync<QueryFilterException>(() => Queries.FindAsync(Device(1), request, Cancel))).Field);
    }

    private sealed class Contexts(NpgsqlDataSource source) : IDbContextFactory<CobaltGraphContext>
    {
        public CobaltGraphContext CreateDbContext()
        {
            var options = new DbContextOptionsBuilder<CobaltGraphContext>();
            options.UseCobaltGraph(source);
            return new CobaltGraphContext(options.Options);
        }
    }
}
