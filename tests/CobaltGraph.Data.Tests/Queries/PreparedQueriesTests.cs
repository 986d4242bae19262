using System.Net;
using CobaltGraph.Data.Queries;
using CobaltGraph.Model;
using CobaltGraph.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.Extensions.DependencyInjection;

namespace CobaltGraph.Data.Tests.Queries;

/// <summary>A compiled query gives what EF Core gives for the same query, whatever was asked before it.</summary>
public class PreparedQueriesTests(PostgresServerFixture server) : TrafficTest(server)
{
    [Fact]
    public async Task Values_are_those_of_the_call()
    {
        await FillAsync();
        await using var context = Database.NewContext();
        foreach (var filter in Filters().Concat(Filters().Reverse()))
        {
            var query = context.Devices.AsNoTracking().Matching(filter).OrderBy(d => d.MacAddress);

            Assert.Equal(
                (await query.ToListAsync(Cancel)).Select(d => d.MacAddress),
                (await query.ReadAsync(context, Cancel)).Select(d => d.MacAddress));
            Assert.True(PreparedQueries.IsPrepared(query, context), filter.ToString());
        }

        foreach (var filter in ConnectionFilters().Concat(ConnectionFilters().Reverse()))
        {
            var query = context.Connections.AsNoTracking().Matching(filter).OrderBy(c => c.Id);

            Assert.Equal((await query.ToListAsync(Cancel)).Select(c => c.Id), (await query.ReadAsync(context, Cancel)).Select(c => c.Id));
            Assert.True(PreparedQueries.IsPrepared(query, context), filter.ToString());
        }
    }

    [Fact]
    public async Task What_differs_in_more_than_values_is_another_query()
    {
        await FillAsync();
        await using var context = Database.NewContext();
        var devices = context.Devices.AsNoTracking();
        var since = DateTimeOffset.MinValue;
        var (filter, other) = (new DeviceFilter { DeviceType = "camera" }, new DeviceFilter { DeviceType = "router" });
        IQueryable<Device>[] queries =
        [
            devices.Where(d => d.DeviceType == filter.DeviceType).OrderBy(d => d.MacAddress),
            devices.Where(d => d.DeviceType == other.DeviceType).OrderBy(d => d.MacAddress),
            devices.Where(d => context.Devices.Any(o => o.DeviceType == d.DeviceType && o.MacAddress != d.MacAddress)).OrderBy(d => d.MacAddress),
            devices.OrderBy(d => d.MacAddress).Take(2),
            devices.OrderByDescending(d => d.MacAddress).Take(2),
            devices.OrderBy(d => d.MacAddress).Take(3),
            devices.OrderBy(d => d.MacAddress).Skip(2),
            devices.OrderBy(d => d.MacAddress).Where(d => d.FirstSeen > since).Take(2),
            devices.OrderBy(d => d.MacAddress).Where(d => d.FirstSeen < since).Take(2),
            devices.OrderBy(d => d.MacAddress).Where(d => d.LastSeen < since).Take(2),
            devices.OrderBy(d => d.MacAddress).Where(d => d.ConnectionCount < 1).Take(2),
            devices.OrderBy(d => d.MacAddress).Where(d => d.ConnectionCount < 1000).Take(2),
        ];

        foreach (var query in queries.Concat(queries))
            Assert.Equal((await query.ToListAsync(Cancel)).Select(d => d.MacAddress), (await query.ReadAsync(context, Cancel)).Select(d => d.MacAddress));
    }

    [Fact]
    public async Task What_is_computed_before_it_is_asked_is_left_to_ef_core()
    {
        await FillAsync();
        await using var context = Database.NewContext();
        foreach (var hours in (int[])[1, 30])
        {
            var since = new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);
            IQueryable<Device>[] queries =
            [
                context.Devices.AsNoTracking().Where(d => d.LastSeen >= since.AddHours(hours)),
                context.Devices.AsNoTracking().Where(d => d.ConnectionCount >= hours + 1),
                context.Devices.AsNoTracking().Where(d => d.LastSeen < DateTimeOffset.UtcNow),
                context.Devices.AsNoTracking().Where(d => d.ConnectionCount >= Hours(hours)),
                context.Devices.AsNoTracking().Where(d => d.ConnectionCount >= -hours),
                context.Devices.FromSql($"SELECT * FROM devices WHERE connection_count >= {hours}").AsNoTracking(),
            ];
            foreach (var query in queries)
            {
                Assert.False(PreparedQueries.IsPrepared(query, context));
                Assert.Equal((await query.ToListAsync(Cancel)).Count, (await query.ReadAsync(context, Cancel)).Count);
            }
        }
    }

    // A compiled query belongs to one model.
    [Fact]
    public async Task Every_model_has_queries_of_its_own()
    {
        await FillAsync();
        var models = new HashSet<IModel>();
        foreach (var version in (int[])[12, 15, 12])
        {
            await using var services = new ServiceCollection()
                .AddCobaltGraph(Database.DataSource, npgsql => npgsql.SetPostgresVersion(version, 0))
                .BuildServiceProvider();
            await using var context = await services.GetRequiredService<IDbContextFactory<CobaltGraphContext>>().CreateDbContextAsync(Cancel);
            models.Add(context.Model);

            var page = await services.GetRequiredService<IDeviceQueries>().ListAsync(page: new() { Limit = 2 }, cancellationToken: Cancel);

            Assert.Equal((2, 4L), (page.Items.Count, page.Total.Value));
        }

        Assert.Equal(2, models.Count);
    }

    private static int Hours(int hours) => hours;

    private static IEnumerable<DeviceFilter> Filters() =>
    [
        new() { DeviceType = "router" },
        new() { DeviceType = "camera" },
        new() { Statuses = [DeviceStatus.Active] },
        new() { Statuses = [DeviceStatus.Discovered] },
        new() { Statuses = [DeviceStatus.Active, DeviceStatus.Offline] },
        new() { Statuses = [DeviceStatus.Discovered, DeviceStatus.Offline] },
        new() { Vendor = "exam" },
        new() { Vendor = "none" },
        new() { Vendor = "exam", Hostname = "a" },
        new() { Address = IPNetwork.Parse("10.0.0.0/30") },
        new() { Address = IPNetwork.Parse("10.0.0.4/30") },
        new() { MacPrefix = "02:00:5e:00:00:01" },
        new() { MacPrefix = "02:00:5e" },
        new() { MacPrefix = "08" },
        new() { Tags = ["x"] },
        new() { Tags = ["y"] },
        new() { Levels = [DeviceThreatLevel.Low] },
        new() { Levels = [DeviceThreatLevel.High] },
        new() { SeenSince = new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero) },
        new() { SeenSince = new DateTimeOffset(2120, 1, 1, 0, 0, 0, TimeSpan.Zero) },
        new() { IsLocallyAdministered = true },
        new() { IsLocallyAdministered = false },
    ];

    private static IEnumerable<ConnectionFilter> ConnectionFilters() =>
    [
        new() { Devices = [MacAddress.Parse("02:00:5e:00:00:01")] },
        new() { Devices = [MacAddress.Parse("02:00:5e:00:00:02")] },
        new() { Devices = [MacAddress.Parse("02:00:5e:00:00:01"), MacAddress.Parse("08:00:5e:00:00:03")] },
        new() { Destination = IPNetwork.Parse("192.0.2.1/32") },
        new() { Destination = IPNetwork.Parse("192.0.2.0/30") },
        new() { Ports = [new(443, 443)] },
        new() { Ports = [new(1, 100)] },
        new() { Ports = [new(1, 100), new(443, 443)] },
        new() { Protocol = "tcp" },
        new() { Country = "de" },
        new() { Country = "fr" },
        new() { Organization = "exam" },
        new() { MinScore = 5 },
        new() { MinScore = 1, MaxScore = 6 },
        new() { Levels = [ThreatLevel.Low, ThreatLevel.High] },
        new() { Category = "c2" },
        new() { Category = "scan" },
        new() { Metadata = """{"service":"dns"}""" },
        new() { From = new DateTimeOffset(2026, 3, 1, 1, 0, 0, TimeSpan.Zero), Until = new DateTimeOffset(2026, 3, 1, 2, 0, 0, TimeSpan.Zero) },
        new() { From = new DateTimeOffset(2026, 3, 1, 3, 0, 0, TimeSpan.Zero) },
    ];

    private Task<int> FillAsync() => Run(
        """
        INSERT INTO devices (mac_address, ip_address, vendor, device_type, hostname, status, metadata) VALUES
            ('02:00:5e:00:00:01', '10.0.0.1', 'Example', 'router', 'a', 'active', '{"tags":["x"]}'),
            ('02:00:5e:00:00:02', '10.0.0.5', 'Example', 'camera', 'b', 'discovered', '{"tags":["y"]}'),
            ('08:00:5e:00:00:03', '10.0.0.6', 'Sample', 'camera', 'a', 'offline', '{}'),
            ('08:00:5e:00:00:04', NULL, NULL, NULL, NULL, 'active', '{}');
        INSERT INTO connections (timestamp, src_mac, dst_ip, dst_port, protocol, dst_country, dst_org, threat_score, threat_category, metadata)
        SELECT '2026-03-01Z'::timestamptz + i * interval '10 minutes', (ARRAY['02:00:5e:00:00:01', '02:00:5e:00:00:02', '08:00:5e:00:00:03']::macaddr[])[1 + i % 3],
               '192.0.2.0'::inet + i % 7, (ARRAY[443, 53, 8080])[1 + i % 3], (ARRAY['TCP', 'UDP'])[1 + i % 2], (ARRAY['DE', 'FR'])[1 + i % 2],
               (ARRAY['Example', 'Sample'])[1 + i % 2], i % 10, (ARRAY['c2', NULL, 'scan'])[1 + i % 3], jsonb_build_object('service', (ARRAY['dns', 'ssl'])[1 + i % 2])
        FROM generate_series(1, 40) AS i
        """);
}
