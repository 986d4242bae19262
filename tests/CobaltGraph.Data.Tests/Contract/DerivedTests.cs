using System.Net;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;
using CobaltGraph.Testing;
using Npgsql;
using Microsoft.EntityFrameworkCore;

namespace CobaltGraph.Data.Tests.Contract;

// What migration 002 keeps beside the connections: each table is compared with what the rows themselves give.
public class DerivedTests(PostgresServerFixture server) : DatabaseTest(server)
{
    private const string Before = "20261124000001_DeviceInventory";

    // Past: what is later than the server's clock is stored as now, which no check can know.
    private static readonly DateTimeOffset LastTime = new(2026, 3, 5, 12, 0, 0, TimeSpan.Zero);

    // Each query gives what is in one place and not in the other.
    internal static readonly (string What, string Stored, string Expected)[] Checks =
    [
        ("devices",
            """
            SELECT mac_address, max_threat_score, last_threat, unique_destinations, last_connection, threat_score
            FROM devices WHERE connection_count > 0
            """,
            """
            SELECT src_mac, max(threat_score), least(max("timestamp") FILTER (WHERE threat_score >= 7), CASE WHEN max(threat_score) >= 7 THEN now() END), count(DISTINCT dst_ip),
                   least(max("timestamp"), now()),
                   sum(CASE WHEN threat_category IN ('malware', 'c2') THEN 10 WHEN threat_category = 'suspicious_geo' THEN 5
                            WHEN threat_category = 'proxy' THEN 3 ELSE 0 END)
            FROM connections WHERE src_mac IS NOT NULL GROUP BY src_mac
            """),
        ("device_threat_counts",
            "SELECT src_mac, threat_category, connection_count FROM device_threat_counts",
            """
            SELECT src_mac, threat_category, count(*) FROM connections
            WHERE src_mac IS NOT NULL AND threat_category IS NOT NULL GROUP BY 1, 2
            """),
        ("device_activity_hourly",
            """
            SELECT src_mac, hour, connection_count, threat_count, max_threat_score, bytes_sent, bytes_received, destination_sketch::text
            FROM device_activity_hourly
            """,
            """
            SELECT src_mac, date_trunc('hour', "timestamp" AT TIME ZONE 'UTC') AT TIME ZONE 'UTC', count(*),
                   count(*) FILTER (WHERE threat_score >= 7), max(threat_score), coalesce(sum(bytes_sent), 0), coalesce(sum(bytes_received), 0),
                   bit_or((B'1'::bit(256) >> (hashinet(dst_ip) & 255)))::text
            FROM connections WHERE src_mac IS NOT NULL GROUP BY 1, 2
            """),
        ("destinations",
            "SELECT dst_ip, dst_port, protocol, dst_country, dst_org, dst_hostname FROM destinations",
            """
            SELECT DISTINCT dst_ip, dst_port, coalesce(protocol, ''), coalesce(dst_country, ''), coalesce(dst_org, ''), coalesce(dst_hostname, '')
            FROM connections
            """),
        ("device_addresses",
            "SELECT mac_address, ip_address, first_seen, last_seen, latest_connection FROM device_addresses WHERE source = 'traffic'",
            """
            SELECT src_mac, src_ip, min(at), max(at), least(max(event_time), '9999-12-31 23:59:59.999999Z')
            FROM (SELECT src_mac, src_ip, event_time, at, count(*) FILTER (WHERE starts) OVER (PARTITION BY src_mac, src_ip ORDER BY at) AS island
                  FROM (SELECT src_mac, src_ip, event_time, at, at > lag(at) OVER (PARTITION BY src_mac, src_ip ORDER BY at) + interval '24 hours' AS starts
                        FROM (SELECT src_mac, src_ip, "timestamp" AS event_time, least("timestamp", now()) AS at
                              FROM connections WHERE src_mac IS NOT NULL AND src_ip IS NOT NULL) AS c) AS s) AS i
            GROUP BY src_mac, src_ip, island
            """),
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Result_is_what_the_rows_give_whatever_the_batches(int seed)
    {
        var random = new Random(seed);
        var rows = Enumerable.Range(0, 900).Select(_ => RandomConnection(random)).ToArray();
        foreach (var batch in (int[])[rows.Length, 50, 1])
        {
            random.Shuffle(rows);
            await using var database = await Server.CreateDatabaseAsync();
            await StoreAsync(database, rows, batch);

            await AssertDerived(database);
        }
    }

    [Fact]
    public async Task Concurrent_writers_leave_what_the_rows_give()
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(writer => Task.Run(async () =>
        {
            var random = new Random(writer);
            for (var n = 0; n < 15; n++)
                await StoreAsync(Database, [.. Enumerable.Range(0, 300).Select(_ => RandomConnection(random))], batch: 300);
        }, Cancel)));

        await AssertDerived(Database);
    }

    [Fact]
    public async Task Enriched_rows_take_along_what_was_derived_from_them()
    {
        var random = new Random(7);
        await StoreAsync(Database, [.. Enumerable.Range(0, 500).Select(_ => RandomConnection(random))], batch: 500);

        await Run("UPDATE connections SET threat_category = CASE WHEN id % 3 = 0 THEN NULL WHEN id % 3 = 1 THEN 'c2' ELSE threat_category END");
        await Run("UPDATE connections SET bytes_sent = id, bytes_received = NULL WHERE id % 2 = 0");
        await Run("UPDATE connections SET dst_hostname = 'named-' || id || '.example', dst_country = 'ZZ', dst_port = 1 WHERE id % 5 = 0");
        await Run("UPDATE connections SET src_ip = '203.0.113.9' WHERE id % 7 = 0");
        await Run("UPDATE connections SET metadata = '{}'");

        // What was said once stays looked up; what an address was once used for too.
        Assert.Empty(await Differences(Database, Checks.Take(3)));
        Assert.Empty(await Missing("destinations"));
        Assert.Equal(1, await Count("(SELECT DISTINCT ip_address FROM device_addresses WHERE ip_address = '203.0.113.9') AS a"));
    }

    [Fact]
    public async Task Enriching_a_row_finds_its_hour_and_address_by_key()
    {
        await Run("""
            INSERT INTO connections ("timestamp", src_mac, src_ip, dst_ip, dst_port)
            SELECT '2026-01-01Z'::timestamptz + i * interval '1 hour', '02:00:00:00:00:01', '10.0.0.0'::inet + i, '192.0.2.1', 443
            FROM generate_series(1, 3000) AS i;
            ANALYZE
            """);

        Assert.Equal(["0", "0"], await Texts("""
            BEGIN;
            UPDATE connections SET bytes_sent = 1, src_ip = '10.9.9.9' WHERE "timestamp" = '2026-01-02Z';
            SELECT seq_tup_read::text FROM pg_stat_xact_user_tables
            WHERE relname IN ('device_activity_hourly', 'device_addresses') AND schemaname = current_schema();
            COMMIT
            """));
        Assert.Equal(1, await Count("device_activity_hourly WHERE bytes_sent = 1"));
    }

    [Fact]
    public async Task Concurrent_enrichment_and_writers_do_not_deadlock_and_stay_exact()
    {
        var seed = new Random(11);
        await StoreAsync(Database, [.. Enumerable.Range(0, 400).Select(_ => RandomConnection(seed))], batch: 400);

        var writers = Enumerable.Range(0, 2).Select(writer => Task.Run(async () =>
        {
            var random = new Random(writer);
            for (var n = 0; n < 20; n++)
                await StoreAsync(Database, [.. Enumerable.Range(0, 100).Select(_ => RandomConnection(random))], batch: 100);
        }, Cancel));
        var enrichers = Enumerable.Range(0, 2).Select(enricher => Task.Run(async () =>
        {
            for (var n = 0; n < 10; n++)
                await Run($"UPDATE connections SET threat_category = 'malware', bytes_sent = {n} WHERE id % 4 = {enricher}");
        }, Cancel));
        await Task.WhenAll([.. writers, .. enrichers]);

        Assert.Empty(await Differences(Database, Checks.Take(3)));
    }

    // A job that looks up countries all day, and ingest of the same devices.
    [Fact]
    public async Task Saying_more_of_destinations_keeps_no_device_from_its_writers()
    {
        await Run("""
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port) VALUES ('2026-01-01Z', '02:00:00:00:00:01', '192.0.2.1', 443)
            """);
        await using var enricher = await Database.DataSource.OpenConnectionAsync(Cancel);
        await using var transaction = await enricher.BeginTransactionAsync(Cancel);
        await using (var enrich = new NpgsqlCommand(
            "UPDATE connections SET dst_country = 'DE', dst_org = 'Example', dst_hostname = 'a.example', metadata = '{\"service\": \"dns\"}'", enricher))
        {
            await enrich.ExecuteNonQueryAsync(Cancel);
        }

        await Run("""
            SET lock_timeout = '2s';
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port) VALUES ('2026-01-01Z', '02:00:00:00:00:01', '192.0.2.1', 443)
            """);
        await transaction.CommitAsync(Cancel);

        Assert.Equal(["Example"], await Texts("SELECT dst_org FROM destinations WHERE dst_org <> ''"));
        Assert.Equal(1, await Count("devices WHERE connection_count = 2"));
    }

    [Fact]
    public async Task Rows_without_a_device_leave_a_destination_and_nothing_else()
    {
        await Run("INSERT INTO connections (dst_ip, dst_port, src_ip, threat_score, threat_category) VALUES ('192.0.2.1', 443, '10.0.0.1', 9, 'c2')");

        await AssertDerived(Database);
        Assert.Equal(1, await Count("destinations"));
        Assert.Equal(0, await Count("device_addresses"));
        Assert.Equal(0, await Count("device_threat_counts"));
        Assert.Equal(0, await Count("device_activity_hourly"));
    }

    [Fact]
    public async Task Future_times_count_as_now_but_for_the_hour()
    {
        await Run("""
            INSERT INTO connections ("timestamp", src_mac, src_ip, dst_ip, dst_port, threat_score)
            VALUES ('2100-01-01 10:20Z', '02:00:00:00:00:01', '10.0.0.1', '192.0.2.1', 443, 9)
            """);

        Assert.Equal(1, await Count("devices WHERE last_threat = last_seen AND last_threat <= now()"));
        Assert.Equal(1, await Count("device_addresses WHERE first_seen = last_seen AND last_seen <= now() AND latest_connection = '2100-01-01 10:20Z'"));
        await Run("INSERT INTO connections (\"timestamp\", src_mac, src_ip, dst_ip, dst_port) VALUES ('20000-01-01Z', '02:00:00:00:00:01', '10.0.0.1', '192.0.2.1', 443)");
        Assert.Equal(1, await Count("device_addresses WHERE latest_connection = '9999-12-31 23:59:59.999999Z'"));
        Assert.Equal(1, await Count("device_activity_hourly WHERE hour = '2100-01-01 10:00Z'"));
    }

    [Fact]
    public async Task Empty_statement_changes_nothing()
    {
        await Run("INSERT INTO connections (dst_ip, dst_port) SELECT '192.0.2.1', 443 WHERE false; UPDATE connections SET dst_port = 1; DELETE FROM connections");

        await AssertDerived(Database);
        Assert.Equal(0, await Count("destinations"));
    }

    [Fact]
    public async Task Hours_and_categories_survive_retention()
    {
        var random = new Random(5);
        await StoreAsync(Database, [.. Enumerable.Range(0, 200).Select(_ => RandomConnection(random))], batch: 200);
        var before = await Texts("SELECT h::text FROM device_activity_hourly AS h UNION ALL SELECT c::text FROM device_threat_counts AS c ORDER BY 1");

        await Run("DELETE FROM connections");

        Assert.NotEmpty(before);
        Assert.Equal(before, await Texts("SELECT h::text FROM device_activity_hourly AS h UNION ALL SELECT c::text FROM device_threat_counts AS c ORDER BY 1"));
    }

    [Fact]
    public async Task Hours_and_categories_go_with_their_device_and_addresses_stay()
    {
        await Run("""
            INSERT INTO connections (src_mac, src_ip, dst_ip, dst_port, threat_category) VALUES ('02:00:00:00:00:01', '10.0.0.1', '192.0.2.1', 443, 'c2');
            DELETE FROM devices
            """);

        Assert.Equal(0, await Count("device_activity_hourly"));
        Assert.Equal(0, await Count("device_threat_counts"));
        Assert.Equal(1, await Count("device_addresses WHERE source = 'traffic'"));
    }

    [Fact]
    public async Task Bytes_beyond_a_bigint_are_summed()
    {
        await Run("""
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port, bytes_sent)
            SELECT '2026-01-01 10:00Z', '02:00:00:00:00:01', '192.0.2.1', 443, 9223372036854775807 FROM generate_series(1, 3)
            """);

        await using var context = Database.NewContext();
        Assert.Equal(27670116110564327421m, (await context.DeviceActivityHours.SingleAsync(Cancel)).BytesSent);
    }

    [Fact]
    public async Task Device_is_scored_by_its_categories()
    {
        await Run("""
            INSERT INTO devices (mac_address) VALUES ('02:00:00:00:00:09');
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port, threat_score, threat_category) VALUES
                ('2026-01-01Z', '02:00:00:00:00:01', '192.0.2.1', 1, 9.5, 'malware'), ('2026-01-02Z', '02:00:00:00:00:01', '192.0.2.1', 1, 2, 'proxy'),
                ('2026-01-01Z', '02:00:00:00:00:02', '192.0.2.1', 1, 0, 'suspicious_geo'), ('2026-01-01Z', '02:00:00:00:00:03', '192.0.2.1', 1, 6.9, 'botnet'),
                ('2026-01-01Z', '02:00:00:00:00:04', '192.0.2.1', 1, 1, 'c2'), ('2026-01-03Z', '02:00:00:00:00:04', '192.0.2.1', 1, 8, 'c2'),
                ('2026-01-02Z', '02:00:00:00:00:04', '192.0.2.1', 1, 8.5, NULL)
            """);

        await using var context = Database.NewContext();
        var threats = await context.DeviceThreats.OrderBy(t => t.MacAddress).ToListAsync(Cancel);

        Assert.Equal(
            [
                (1, 1L, 0L, 0L, 1L, 0L, 13L, DeviceThreatLevel.Medium, 9.5f, 1L), (2, 0, 0, 1, 0, 0, 5, DeviceThreatLevel.Medium, 0, 0),
                (3, 0, 0, 0, 0, 1, 0, DeviceThreatLevel.Low, 6.9f, 0), (4, 0, 2, 0, 0, 0, 20, DeviceThreatLevel.High, 8.5f, 2),
                (9, 0, 0, 0, 0, 0, 0, DeviceThreatLevel.Low, 0, 0),
            ],
            threats.Select(t => (t.MacAddress.ToString()[^1] - '0', t.MalwareCount, t.C2Count, t.SuspiciousGeoCount, t.ProxyCount, t.OtherCount,
                t.ThreatScore, t.ThreatLevel, t.MaxThreatScore, t.ThreatCount)));
        Assert.Equal(new DateTimeOffset(2026, 1, 3, 0, 0, 0, TimeSpan.Zero), threats[3].LastThreat);
        Assert.Null(threats[1].LastThreat);
    }

    [Fact]
    public async Task Weights_and_levels_are_the_same_in_sql_and_in_code()
    {
        foreach (var category in (string[])["malware", "c2", "suspicious_geo", "proxy", "Malware", "botnet", ""])
            Assert.Equal(DeviceThreatScale.WeightOf(category), await Scalar<int>($"SELECT threat_category_weight('{category}')"));
        Assert.Equal(DeviceAddress.Lapse, await Scalar<TimeSpan>("SELECT address_lapse()"));

        // 0, 3, 6, … 27 points: every level and both its ends.
        await Run("""
            INSERT INTO connections (src_mac, dst_ip, dst_port, threat_category)
            SELECT ('02:00:00:00:00:' || lpad(to_hex(n), 2, '0'))::macaddr, '192.0.2.1', 1, c
            FROM generate_series(1, 12) AS n, LATERAL (SELECT 'suspicious_geo' AS c FROM generate_series(1, n / 2)
                UNION ALL SELECT 'proxy' FROM generate_series(1, n % 3)) AS x
            """);
        await using var context = Database.NewContext();
        var threats = await context.DeviceThreats.ToListAsync(Cancel);
        Assert.Contains(threats, t => t.ThreatScore == 5);
        Assert.Contains(threats, t => t.ThreatScore == 20);
        Assert.Equal(threats.Select(t => DeviceThreatScale.LevelOf(t.ThreatScore)), threats.Select(t => t.ThreatLevel));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(30)]
    [InlineData(100)]
    [InlineData(600)]
    public async Task Sketch_bounds_and_estimates_destinations(int destinations)
    {
        await Run($"""
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port)
            SELECT '2026-01-01 10:00Z', '02:00:00:00:00:01', '192.0.2.0'::inet + i * 7919, 1 FROM generate_series(1, {destinations}) AS i, generate_series(1, 2)
            """);

        await using var context = Database.NewContext();
        var hour = await context.DeviceActivityHours.SingleAsync(Cancel);

        Assert.InRange(hour.DestinationsAtLeast, 1, Math.Min(destinations, DeviceActivityHour.SketchBits));
        Assert.InRange(hour.DestinationEstimate, destinations * 0.8, destinations * 1.2);
        Assert.Equal(hour.DestinationEstimate, await Scalar<long>("SELECT distinct_estimate(destination_sketch) FROM device_activity_hourly"));
    }

    [Fact]
    public async Task Database_of_001_is_filled_in_like_a_fresh_one()
    {
        var random = new Random(3);
        await using var context = Database.NewContext();
        await context.Database.MigrateAsync(Before, Cancel);
        await StoreAsync(Database, [.. Enumerable.Range(0, 1500).Select(_ => RandomConnection(random))], batch: 100);

        await context.Database.MigrateAsync(Cancel);

        await AssertDerived(Database);
        await StoreAsync(Database, [.. Enumerable.Range(0, 300).Select(_ => RandomConnection(random))], batch: 100);
        await AssertDerived(Database);
    }

    [Fact]
    public async Task Text_is_searched_by_trigrams_where_the_extension_is_installed()
    {
        Assert.False(await Scalar<bool>("SELECT ensure_text_search()"));
        Assert.SkipUnless(
            await Scalar<bool>("SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm')"),
            "This server has no pg_trgm; text is searched without it, which other tests do.");

        await Run("CREATE SCHEMA \"Other\"; CREATE EXTENSION pg_trgm SCHEMA \"Other\"");
        Assert.True(await Scalar<bool>("SELECT ensure_text_search()"));
        Assert.True(await Scalar<bool>("SELECT ensure_text_search()"));

        await Run("INSERT INTO destinations SELECT '192.0.2.1', i, '', '', '', 'host-' || md5(i::text) || '.example' FROM generate_series(1, 20000) AS i");
        await Run("VACUUM ANALYZE destinations");
        Assert.Contains(
            await Texts("SET enable_seqscan = off; EXPLAIN SELECT * FROM destinations WHERE dst_hostname ILIKE '%0cc175b9c0%'"),
            line => line!.Contains("ix_destinations_dst_hostname_trgm", StringComparison.Ordinal));
    }

    private async Task AssertDerived(TestDatabase database) => Assert.Empty(await Differences(database, Checks));

    internal static async Task<List<string>> Differences(TestDatabase database, IEnumerable<(string What, string Stored, string Expected)> checks)
    {
        var differences = new List<string>();
        foreach (var (what, stored, expected) in checks)
        {
            foreach (var (name, left, right) in ((string, string, string)[])[("is too much", stored, expected), ("is missing", expected, stored)])
            {
                differences.AddRange((await database.QueryAsync($"SELECT d::text FROM ({left} EXCEPT ALL {right}) AS d LIMIT 3"))
                    .Select(row => $"{what}: {row[0]} {name}"));
            }
        }

        return differences;
    }

    private async Task<string?[]> Missing(string what)
    {
        var (_, stored, expected) = Checks.Single(check => check.What == what);
        return await Texts($"SELECT d::text FROM ({expected} EXCEPT ALL {stored}) AS d");
    }

    internal static async Task StoreAsync(TestDatabase database, Connection[] rows, int batch)
    {
        await using var connection = await database.DataSource.OpenConnectionAsync(Cancel);
        foreach (var part in rows.Chunk(batch))
            await ConnectionCopy.WriteAsync(connection, part, Cancel);
    }

    internal static Connection RandomConnection(Random random)
    {
        var destination = random.Next(30);
        return new Connection
        {
            // Days apart, so that addresses lapse.
            Timestamp = LastTime.AddMinutes(-random.Next(20_000)).AddTicks(random.Next(10) * 10),
            SrcMac = random.Next(20) == 0 ? null : new MacAddress(0x0200_0000_0000 + random.Next(8)),
            SrcIp = random.Next(10) == 0 ? null : new IPAddress([10, 0, 0, (byte)random.Next(6)]),
            DstIp = destination % 5 == 0 ? IPAddress.Parse($"2001:db8::{destination:x}") : new IPAddress([192, 0, 2, (byte)destination]),
            DstPort = random.Next(3) switch { 0 => 443, 1 => 53, _ => random.Next(65536) },
            Protocol = random.Next(4) switch { 0 => null, 1 => "UDP", _ => "TCP" },
            DstCountry = random.Next(3) == 0 ? null : "CH",
            DstOrg = random.Next(3) == 0 ? null : $"Example {destination % 4}",
            DstHostname = random.Next(3) == 0 ? null : $"host-{destination}.example",
            ThreatScore = random.Next(4) == 0 ? random.Next(101) / 10f : 0,
            ThreatCategory = random.Next(3) switch { 0 => "malware", 1 => "other", _ => null },
            BytesSent = random.Next(4) == 0 ? null : random.NextInt64(1L << 40),
            BytesReceived = random.Next(4) == 0 ? null : random.Next(100),
        };
    }
}
