using CobaltGraph.Testing;
using Microsoft.EntityFrameworkCore;

namespace CobaltGraph.Data.Tests.Schema;

// What a database that holds the first migration becomes.
public class AddressBackFillTests(PostgresServerFixture server) : DatabaseTest(server)
{
    [Fact]
    public async Task Sightings_are_points_and_traffic_is_runs()
        => Assert.Equal(
            [
                "02:00:00:00:00:01 192.0.2.1 sighting 1-1",
                "02:00:00:00:00:01 192.0.2.8 traffic 0-30",
                "02:00:00:00:00:01 192.0.2.8 traffic 55-55",
                "02:00:00:00:00:01 2001:db8::1 sighting 2-2",
            ],
            await BackFill("""
                SELECT merge_device_sightings(
                    array_fill('02:00:00:00:00:01'::macaddr, ARRAY[3]), ARRAY['192.0.2.9', '192.0.2.1', '2001:db8::1']::inet[], NULL, NULL, NULL,
                    ARRAY['2026-03-01 00:00Z', '2026-03-01 01:00Z', '2026-03-01 02:00Z']::timestamptz[], NULL);
                INSERT INTO connections ("timestamp", src_mac, src_ip, dst_ip, dst_port)
                SELECT '2026-03-01Z'::timestamptz + h * interval '1 hour', '02:00:00:00:00:01', '192.0.2.8/24', '192.0.2.9', 1
                FROM unnest(ARRAY[30, 0, 10, 55, 10]) AS h;
                INSERT INTO connections (src_mac, src_ip, dst_ip, dst_port)
                VALUES ('02:00:00:00:00:01', NULL, '192.0.2.9', 1), ('02:00:00:00:00:01', '0.0.0.0', '192.0.2.9', 1), (NULL, '192.0.2.7', '192.0.2.9', 1)
                """));

    // Gaps of a day, of a microsecond more and less, ends of days, any prefix length, both families, and times in the future.
    [Fact]
    public async Task Traffic_becomes_what_the_trigger_makes_of_it()
    {
        const string Rows = """
            INSERT INTO connections ("timestamp", src_mac, src_ip, dst_ip, dst_port)
            SELECT '2026-03-01Z'::timestamptz + r.at, ('02:00:00:00:00:0' || r.n % 3)::macaddr, r.ip::inet, '192.0.2.9', 1
            FROM (
                SELECT n, n * n % 401 * interval '7 hours' + n % 4 * interval '1 day 1 microsecond' - n % 5 * interval '1 microsecond' AS at,
                       (ARRAY['192.0.2.1', '192.0.2.1/24', '192.0.2.2', '2001:db8::1', '2001:db8::1/64', '0.0.0.0', '0.0.0.0/8', '::', '::/0', NULL])[1 + n % 10] AS ip
                FROM generate_series(1, 500) AS n
                UNION ALL
                SELECT 4, unnest(ARRAY[
                    interval '23:59:59.999999', '1 day', '1 day 23:59:59.999999', '3 days', '4 days', '5 days 0.000001 seconds', '9000 days', '9100 days']), '192.0.2.3'
            ) AS r
            """;
        const string Runs = """
            SELECT concat_ws(' ', mac_address, ip_address, CASE WHEN first_seen < now() - interval '1 hour' THEN first_seen END,
                CASE WHEN last_seen < now() - interval '1 hour' THEN last_seen END, latest_connection)
            FROM device_addresses WHERE source = 'traffic' ORDER BY mac_address, ip_address, first_seen
            """;
        await using var fresh = await Server.CreateDatabaseAsync();
        await fresh.ExecuteAsync(Rows);
        var stored = (await fresh.QueryAsync(Runs)).Select(row => row[0] as string).ToArray();
        await using var context = Database.NewContext();
        await context.Database.MigrateAsync("20261124000001_DeviceInventory", Cancel);
        await Run(Rows);
        await context.Database.MigrateAsync(Cancel);

        Assert.True(stored.Length > 50, $"{stored.Length} runs");
        Assert.Equal(stored, await Texts(Runs));
    }

    [Fact]
    public async Task Address_that_no_sighting_tells_of_is_a_clients_since_the_event_or_since_the_device_is_known()
        => Assert.Equal(
            [
                "02:00:00:00:00:01 192.0.2.1 update 0-standing",
                "02:00:00:00:00:02 192.0.2.1 update 0-10",
                "02:00:00:00:00:02 192.0.2.2 update 10-20",
                "02:00:00:00:00:02 192.0.2.3 update 20-standing",
                "02:00:00:00:00:03 192.0.2.4 update 50-standing",
                "02:00:00:00:00:03 192.0.2.5 update 10-40",
            ],
            await BackFill("""
                INSERT INTO devices (mac_address, ip_address, first_seen) VALUES
                    ('02:00:00:00:00:01', '192.0.2.1/24', '2026-03-01Z'), ('02:00:00:00:00:02', '192.0.2.3', '2026-03-01Z'),
                    ('02:00:00:00:00:03', '192.0.2.4', '2026-03-03 02:00Z'), ('02:00:00:00:00:04', NULL, '2026-03-01Z');
                INSERT INTO device_events ("timestamp", device_mac, event_type, old_value, new_value)
                SELECT '2026-03-01Z'::timestamptz + e.hour * interval '1 hour', e.mac::macaddr, e.type, e.old, e.new
                FROM (VALUES
                    (20, '02:00:00:00:00:02', 'ip_changed', '192.0.2.2', '192.0.2.3'),
                    (10, '02:00:00:00:00:02', 'ip_changed', '192.0.2.1', '192.0.2.2'),
                    (15, '02:00:00:00:00:02', 'threat_detected', NULL, '192.0.2.66'),
                    (10, '02:00:00:00:00:03', 'ip_changed', NULL, '192.0.2.5'),
                    (40, '02:00:00:00:00:03', 'removed', 'active', NULL),
                    (60, '02:00:00:00:00:03', 'ip_changed', 'nonsense', '192.0.2.256'),
                    (30, '02:00:00:00:00:04', 'ip_changed', '192.0.2.1', NULL)) AS e(hour, mac, type, old, new)
                """));

    [Fact]
    public async Task Empty_database_stays_empty()
        => Assert.Empty(await BackFill("SELECT 1"));

    private async Task<string?[]> BackFill(string sql)
    {
        await using var context = Database.NewContext();
        await context.Database.MigrateAsync("20261124000001_DeviceInventory", Cancel);
        await Run(sql);
        await context.Database.MigrateAsync(Cancel);

        return await Texts("""
            SELECT concat_ws(' ', mac_address, abbrev(ip_address), source,
                (extract(epoch FROM first_seen - '2026-03-01Z') / 3600)::double precision || '-' || CASE WHEN last_seen = 'infinity' THEN 'standing'
                ELSE ((extract(epoch FROM last_seen - '2026-03-01Z') / 3600)::double precision)::text END)
            FROM device_addresses ORDER BY mac_address, ip_address, source, first_seen
            """);
    }
}
