using System.Net;
using CobaltGraph.Data.Queries;
using CobaltGraph.Model;
using CobaltGraph.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace CobaltGraph.Data.Tests.Queries;

public class DeviceListTests(PostgresServerFixture server) : DatabaseTest(server)
{
    private static readonly Conversions.IPAddressKey.InetOrder Addresses = new();

    private ServiceProvider? _services;

    private IDeviceQueries Queries => (_services ??= new ServiceCollection()
        .AddCobaltGraph(Database.DataSource).BuildServiceProvider()).GetRequiredService<IDeviceQueries>();

    [Fact]
    public async Task Every_column_sorts_both_ways_and_pages_both_ways_without_values_last()
    {
        await SeedAsync();
        var all = (await Queries.ListAsync(page: new PageRequest { Limit = 1000 }, cancellationToken: Cancel)).Items;
        Assert.Equal(60, all.Count);

        foreach (var column in Enum.GetValues<DeviceSortColumn>())
        {
            foreach (var descending in (bool[])[false, true])
            {
                var sort = new DeviceSort(column, descending);
                var expected = Sorted(all, sort).Select(d => d.MacAddress).ToList();
                var seen = new List<MacAddress>();
                string? cursor = null;
                DevicePage page;
                do
                {
                    page = await Queries.ListAsync(sort: sort, page: new PageRequest { Limit = 7, Cursor = cursor }, cancellationToken: Cancel);
                    seen.AddRange(page.Items.Select(d => d.MacAddress));
                    cursor = page.Next;
                }
                while (cursor is not null);
                Assert.True(expected.SequenceEqual(seen), $"{sort} forwards");

                var back = page.Items.Select(d => d.MacAddress).Reverse().ToList();
                while (page.Previous is not null)
                {
                    page = await Queries.ListAsync(
                        sort: sort, page: new PageRequest { Limit = 11, Cursor = page.Previous }, cancellationToken: Cancel);
                    back.AddRange(page.Items.Select(d => d.MacAddress).Reverse());
                }

                back.Reverse();
                Assert.True(expected.SequenceEqual(back), $"{sort} backwards");
            }
        }
    }

    [Fact]
    public async Task Every_condition_gives_the_devices_that_plain_comparison_gives()
    {
        await SeedAsync();
        var all = (await Queries.ListAsync(page: new PageRequest { Limit = 1000 }, cancellationToken: Cancel)).Items;
        var noon = new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
        (DeviceFilter Filter, Func<DeviceListItem, bool> Matches)[] cases =
        [
            (new() { Statuses = [DeviceStatus.Active, DeviceStatus.Idle] }, d => d.Status is DeviceStatus.Active or DeviceStatus.Idle),
            (new() { Statuses = [] }, _ => false),
            (new() { Vendor = "ACME" }, d => d.Vendor?.StartsWith("Acme", StringComparison.Ordinal) ?? false),
            (new() { Vendor = "100%" }, d => d.Vendor == "100% _Net"),
            (new() { Vendor = "_" }, d => d.Vendor == "100% _Net"),
            (new() { DeviceType = "router" }, d => d.DeviceType == "router"),
            (new() { Address = IPNetwork.Parse("10.0.1.0/24") }, d => d.IpAddress is not null && IPNetwork.Parse("10.0.1.0/24").Contains(d.IpAddress)),
            (new() { Address = IPNetwork.Parse("10.0.1.4/32") }, d => IPAddress.Parse("10.0.1.4").Equals(d.IpAddress)),
            (new() { MacPrefix = "b8:27:eb" }, d => d.MacAddress.Oui == "b8:27:eb"),
            (new() { MacPrefix = "b827:eb00:000" }, d => d.MacAddress.Oui == "b8:27:eb" && (d.MacAddress.ToInt64() & 0xFFFFFF) < 16),
            (new() { MacPrefix = "B827.EB00.0006" }, d => d.MacAddress == MacAddress.Parse("b8:27:eb:00:00:06")),
            (new() { Hostname = "HOST-1" }, d => d.Hostname?.StartsWith("host-1", StringComparison.Ordinal) ?? false),
            (new() { Tags = ["it's"] }, d => d.Metadata.Tags?.Contains("it's") ?? false),
            (new() { Tags = ["it's", "b\"\\"] }, d => d.Metadata.Tags?.Count == 2),
            (new() { Metadata = """{"rack": {"unit": 4}}""" }, d => d.Metadata.Text("rack", "unit") == "4"),
            (new() { Levels = [DeviceThreatLevel.High] }, d => d.ThreatLevel == DeviceThreatLevel.High),
            (new() { Levels = [DeviceThreatLevel.High, DeviceThreatLevel.Medium] }, d => d.ThreatLevel != DeviceThreatLevel.Low),
            (new() { Levels = [] }, _ => false),
            (new() { SeenSince = noon }, d => d.LastSeen >= noon),
            (new() { IsLocallyAdministered = true }, d => d.MacAddress.IsLocallyAdministered),
            (new() { IsLocallyAdministered = false, DeviceType = "router" }, d => !d.IsLocallyAdministered && d.DeviceType == "router"),
        ];

        foreach (var (filter, matches) in cases)
        {
            var expected = all.Where(matches).Select(d => d.MacAddress).ToList();
            var page = await Queries.ListAsync(filter, page: new PageRequest { Limit = 1000 }, cancellationToken: Cancel);
            Assert.True(expected.SequenceEqual(page.Items.Select(d => d.MacAddress)), filter.ToString());
            Assert.Equal(new RowCount(expected.Count, true), page.Total);
            Assert.True(expected.Count > 0 || filter.Statuses is [] || filter.Levels is [], $"{filter} shows nothing");
        }
    }

    [Fact]
    public async Task Row_says_what_device_and_its_threats_say()
    {
        await SeedAsync();

        var page = await Queries.ListAsync(sort: new DeviceSort(DeviceSortColumn.ThreatScore, true), cancellationToken: Cancel);

        var worst = page.Items[0];
        Assert.Equal((50, DeviceThreatLevel.High, 5, 9f), (worst.ThreatScore, worst.ThreatLevel, worst.ThreatCount, worst.MaxThreatScore));
        Assert.NotNull(worst.LastThreat);
    }

    [Fact]
    public async Task Cursor_of_another_sort_order_or_filter_is_refused()
    {
        await SeedAsync();
        var cursor = (await Queries.ListAsync(page: new PageRequest { Limit = 1 }, cancellationToken: Cancel)).Next;
        var page = new PageRequest { Cursor = cursor };

        await Assert.ThrowsAsync<QueryFilterException>(
            () => Queries.ListAsync(sort: new DeviceSort(DeviceSortColumn.MacAddress, true), page: page, cancellationToken: Cancel));
        await Assert.ThrowsAsync<QueryFilterException>(
            () => Queries.ListAsync(new DeviceFilter { Vendor = "x" }, page: page, cancellationToken: Cancel));
    }

    [Fact]
    public async Task Empty_database_gives_an_empty_page()
    {
        var page = await Queries.ListAsync(cancellationToken: Cancel);

        Assert.Empty(page.Items);
        Assert.Equal(new RowCount(0, true), page.Total);
        Assert.False(page.HasMore);
    }

    [Fact]
    public async Task More_devices_than_the_cap_are_estimated()
    {
        await SeedAsync();
        await using var context = Database.NewContext();

        Assert.Equal(new RowCount(60, true), await DeviceQueries.CountAsync(context, new DeviceFilter(), 60, Cancel));
        var estimate = await DeviceQueries.CountAsync(context, new DeviceFilter(), 59, Cancel);
        Assert.False(estimate.IsExact);
        Assert.InRange(estimate.Value, 60, 200);
    }

    private Task<int> SeedAsync() => Run("""
        INSERT INTO devices (mac_address, ip_address, vendor, device_type, hostname, first_seen, last_seen, status, metadata)
        SELECT ((CASE WHEN i % 3 = 0 THEN 'b8:27:eb:00:00:' ELSE '02:00:5e:00:00:' END) || lpad(to_hex(i), 2, '0'))::macaddr,
               CASE WHEN i % 7 = 0 THEN NULL WHEN i % 5 = 0 THEN ('2001:db8::' || i)::inet ELSE ('10.0.' || i % 3 || '.' || i)::inet END,
               (ARRAY['Acme', 'Acme Networks', '100% _Net', NULL])[1 + i % 4],
               (ARRAY['router', 'mobile', NULL])[1 + i % 3],
               CASE WHEN i % 4 = 0 THEN NULL ELSE 'host-' || i END,
               '2026-01-01 00:00+00'::timestamptz + i % 6 * interval '1 hour',
               '2026-01-01 10:00+00'::timestamptz + i % 5 * interval '1 hour',
               (ARRAY['discovered', 'active', 'idle', 'offline'])[1 + i % 4],
               CASE i % 6 WHEN 0 THEN '{"tags": ["it''s"]}'::jsonb WHEN 1 THEN '{"tags": ["it''s", "b\"\\"]}' WHEN 2 THEN '{"rack": {"unit": 4}}'
                    ELSE '{}' END
        FROM generate_series(1, 60) AS i;
        INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port, threat_score, threat_category)
        SELECT '2025-06-01 00:00+00'::timestamptz + i * interval '1 minute', ('02:00:5e:00:00:' || lpad(to_hex(1 + 3 * (i % 4)), 2, '0'))::macaddr,
               '198.51.100.1', 443, CASE WHEN i % 4 = 3 THEN 9 ELSE i % 4 END, (ARRAY[NULL, 'proxy', 'suspicious_geo', 'malware'])[1 + i % 4]
        FROM generate_series(1, 20) AS i;
        ANALYZE
        """);

    // Text as the C locale of the test server compares it.
    private static IEnumerable<DeviceListItem> Sorted(IEnumerable<DeviceListItem> rows, DeviceSort sort)
    {
        Comparison<DeviceListItem> compare = sort.Column switch
        {
            DeviceSortColumn.MacAddress => (a, b) => a.MacAddress.CompareTo(b.MacAddress),
            DeviceSortColumn.IpAddress => (a, b) => Addresses.Compare(a.IpAddress, b.IpAddress),
            DeviceSortColumn.Vendor => (a, b) => string.CompareOrdinal(a.Vendor, b.Vendor),
            DeviceSortColumn.DeviceType => (a, b) => string.CompareOrdinal(a.DeviceType, b.DeviceType),
            DeviceSortColumn.Hostname => (a, b) => string.CompareOrdinal(a.Hostname, b.Hostname),
            DeviceSortColumn.Status => (a, b) => a.Status.CompareTo(b.Status),
            DeviceSortColumn.FirstSeen => (a, b) => a.FirstSeen.CompareTo(b.FirstSeen),
            DeviceSortColumn.LastSeen => (a, b) => a.LastSeen.CompareTo(b.LastSeen),
            DeviceSortColumn.ConnectionCount => (a, b) => a.ConnectionCount.CompareTo(b.ConnectionCount),
            DeviceSortColumn.ThreatCount => (a, b) => a.ThreatCount.CompareTo(b.ThreatCount),
            DeviceSortColumn.ThreatScore => (a, b) => a.ThreatScore.CompareTo(b.ThreatScore),
            DeviceSortColumn.MaxThreatScore => (a, b) => a.MaxThreatScore.CompareTo(b.MaxThreatScore),
            DeviceSortColumn.LastActivity => (a, b) => a.LastActivity.CompareTo(b.LastActivity),
            DeviceSortColumn.ConfidenceScore => (a, b) => a.ConfidenceScore.CompareTo(b.ConfidenceScore),
            _ => (a, b) => Nullable.Compare(a.LastThreat, b.LastThreat),
        };
        Func<DeviceListItem, bool> unknown = sort.Column switch
        {
            DeviceSortColumn.IpAddress => d => d.IpAddress is null,
            DeviceSortColumn.Vendor => d => d.Vendor is null,
            DeviceSortColumn.DeviceType => d => d.DeviceType is null,
            DeviceSortColumn.Hostname => d => d.Hostname is null,
            DeviceSortColumn.LastThreat => d => d.LastThreat is null,
            _ => _ => false,
        };
        var comparer = Comparer<DeviceListItem>.Create(sort.Descending ? (a, b) => compare(b, a) : compare);
        return rows.OrderBy(unknown).ThenBy(d => d, comparer).ThenBy(d => d.MacAddress);
    }
}
