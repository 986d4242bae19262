using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;
using CobaltGraph.Testing;
using Npgsql;

namespace CobaltGraph.Data.Tests.Contract;

// CONTRACT.md §2, rules 4, 5 and 7.
public class CounterTests(PostgresServerFixture server) : DatabaseTest(server)
{
    [Fact]
    public async Task Counters_and_edges_follow_the_rows()
    {
        await Run("""
            INSERT INTO connections (src_mac, dst_ip, dst_port, threat_score) VALUES
                ('02:00:00:00:00:01', '192.0.2.1', 443, 0),
                ('02:00:00:00:00:01', '192.0.2.1', 80, 7),
                ('02:00:00:00:00:01', '2001:db8::1', 443, 6.999),
                ('02:00:00:00:00:02', '192.0.2.1', 443, 10)
            """);

        Assert.Equal(
            ["02:00:00:00:00:01 3 1", "02:00:00:00:00:02 1 1"],
            await Texts("SELECT concat_ws(' ', mac_address, connection_count, threat_count) FROM devices ORDER BY mac_address"));
        Assert.Equal(
            ["02:00:00:00:00:01 192.0.2.1 2 1 7", "02:00:00:00:00:01 2001:db8::1 1 0 6.999", "02:00:00:00:00:02 192.0.2.1 1 1 10"],
            await Texts("""
                SELECT concat_ws(' ', src_mac, abbrev(dst_ip), connection_count, threat_count, max_threat_score)
                FROM device_destinations ORDER BY src_mac, dst_ip
                """));
        Assert.Equal(
            ["02:00:00:00:00:01 2", "02:00:00:00:00:02 1"],
            await Texts("SELECT concat_ws(' ', mac_address, unique_destinations) FROM device_summary ORDER BY mac_address"));
    }

    [Fact]
    public async Task Counters_survive_retention()
    {
        await Run("""
            INSERT INTO connections (src_mac, dst_ip, dst_port, threat_score) VALUES ('02:00:00:00:00:01', '192.0.2.1', 443, 9);
            DELETE FROM connections;
            INSERT INTO connections (src_mac, dst_ip, dst_port, threat_score) VALUES ('02:00:00:00:00:01', '192.0.2.1', 443, 9)
            """);

        Assert.Equal(["2 2"], await Texts("SELECT connection_count || ' ' || threat_count FROM devices"));
        Assert.Equal(["2 2"], await Texts("SELECT connection_count || ' ' || threat_count FROM device_destinations"));
        Assert.Equal(1, await Count("device_events WHERE event_type = 'threat_detected'"));
    }

    [Fact]
    public async Task Threat_threshold_is_the_same_number_in_sql_and_in_code()
    {
        Assert.Equal(ThreatScale.ThreatThreshold, await Scalar<float>("SELECT threat_threshold()"));

        var mentions = SqlObjectsThatMention("7.0");
        Assert.Equal(["threat_threshold"], mentions);
    }

    [Theory]
    [InlineData("id = id + 1")]
    [InlineData("\"timestamp\" = \"timestamp\" + interval '1 second'")]
    [InlineData("src_mac = '02:00:00:00:00:02'")]
    [InlineData("src_mac = NULL")]
    [InlineData("dst_ip = '192.0.2.2'")]
    [InlineData("threat_score = 9")]
    public async Task Columns_that_were_counted_cannot_be_rewritten(string change)
    {
        await Run("""
            INSERT INTO devices (mac_address) VALUES ('02:00:00:00:00:02');
            INSERT INTO connections (src_mac, dst_ip, dst_port) VALUES ('02:00:00:00:00:01', '192.0.2.1', 443)
            """);

        await Refused($"UPDATE connections SET {change}", PostgresErrorCodes.RestrictViolation);
    }

    [Fact]
    public async Task Connection_may_be_enriched()
    {
        await Run("""
            INSERT INTO connections (src_mac, dst_ip, dst_port) VALUES ('02:00:00:00:00:01', '192.0.2.1', 443);
            UPDATE connections SET dst_country = 'CH', dst_org = 'Example', metadata = '{"a": 1}'
            """);

        Assert.Equal(1, await Count("connections WHERE dst_country = 'CH'"));
    }

    [Fact]
    public async Task Connections_of_one_id_may_be_enriched_when_their_times_differ()
    {
        await Run("""
            INSERT INTO connections (id, "timestamp", dst_ip, dst_port) VALUES (1, '2026-01-01', '192.0.2.1', 1), (1, '2026-01-02', '192.0.2.2', 1);
            UPDATE connections SET dst_org = 'Example'
            """);

        Assert.Equal(2, await Count("connections WHERE dst_org = 'Example'"));
    }

    // A plan made for one row must not be kept for many.
    [Fact]
    public async Task Deleting_a_busy_device_after_a_quiet_one_stays_fast()
    {
        await Run("""
            INSERT INTO connections (src_mac, dst_ip, dst_port) VALUES ('02:00:00:00:00:01', '192.0.2.1', 1);
            INSERT INTO connections (src_mac, dst_ip, dst_port) SELECT '02:00:00:00:00:02', '192.0.2.1', 1 FROM generate_series(1, 40000)
            """);

        await Run("""
            DELETE FROM devices WHERE mac_address = '02:00:00:00:00:01';
            SET statement_timeout = '20s';
            DELETE FROM devices WHERE mac_address = '02:00:00:00:00:02'
            """);

        Assert.Equal(40_001, await Count("connections WHERE src_mac IS NULL"));
    }

    // The same rows, whatever the statement boundaries, the order and the writers, leave the same database.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Result_does_not_depend_on_batching(int seed)
    {
        var random = new Random(seed);
        var rows = Enumerable.Range(0, 600).Select(_ => RandomConnection(random)).ToArray();
        var expected = await Contents(Database, rows, batch: rows.Length);

        foreach (var batch in (int[])[1, 7, 100])
        {
            var shuffled = rows.ToArray();
            random.Shuffle(shuffled);
            await using var other = await Server.CreateDatabaseAsync();
            Assert.Equal(expected, await Contents(other, shuffled, batch));
        }
    }

    // "Shown when done", number 4: 160,000 rows, four writers, 400 devices of which half are unknown.
    [Fact]
    public async Task Four_concurrent_writers_lose_nothing_and_do_not_deadlock()
    {
        const int Writers = 4, Batches = 40, BatchSize = 1000, Devices = 400;
        await Run($"""
            INSERT INTO devices (mac_address)
            SELECT ('020000' || lpad(to_hex(i), 6, '0'))::macaddr FROM generate_series(0, {Devices - 1}, 2) AS i
            """);

        var writers = Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
        {
            var random = new Random(writer);
            await using var connection = await Database.DataSource.OpenConnectionAsync(Cancel);
            for (var batch = 0; batch < Batches; batch++)
            {
                var rows = Enumerable.Range(0, BatchSize).Select(_ => new Connection
                {
                    Timestamp = DateTimeOffset.UtcNow.AddSeconds(-random.Next(7200)),
                    SrcMac = new MacAddress(0x0200_0000_0000 + random.Next(Devices)),
                    DstIp = new System.Net.IPAddress([192, 0, 2, (byte)random.Next(64)]),
                    DstPort = 443,
                    ThreatScore = random.Next(100) == 0 ? 8 : 0,
                });
                await ConnectionCopy.WriteAsync(connection, rows, Cancel);
            }
        }, Cancel));
        await Task.WhenAll(writers);

        Assert.Equal(Writers * Batches * BatchSize, await Count("connections"));
        await AssertExact(Database);
        Assert.Equal(Devices, await Count("device_events WHERE event_type = 'discovered'"));
        Assert.Equal(
            await Count("device_destinations WHERE threat_count > 0"),
            await Count("device_events WHERE event_type = 'threat_detected'"));
    }

    [Fact]
    public async Task Writers_and_sweep_and_device_updates_do_not_deadlock()
    {
        await Run("""
            INSERT INTO devices (mac_address, status, last_seen)
            SELECT ('020000' || lpad(to_hex(i), 6, '0'))::macaddr, 'active', now() - interval '2 hours'
            FROM generate_series(0, 199) AS i
            """);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);

        var sweeper = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
                await Run("SELECT sweep_device_status()");
        }, Cancel);
        var writers = Enumerable.Range(0, 3).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; i < 60; i++)
            {
                await Run($"""
                    INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port)
                    SELECT now() - interval '2 hours', ('020000' || lpad(to_hex((random() * 199)::int), 6, '0'))::macaddr, '192.0.2.1', 1
                    FROM generate_series(1, 200)
                    """);
            }
        }, Cancel)).ToArray();
        await Task.WhenAll(writers);
        await stop.CancelAsync();
        await sweeper;

        Assert.Equal(36_000, await Scalar<decimal>("SELECT sum(connection_count) FROM devices"));
        await AssertExact(Database);
    }

    // The rows lie in the table in the opposite of MAC order, and each sweep changes all of them.
    [Fact]
    public async Task Sweep_locks_devices_in_the_order_of_writers()
    {
        await Run("""
            INSERT INTO devices (mac_address)
            SELECT ('020000' || lpad(to_hex(i), 6, '0'))::macaddr FROM generate_series(999, 0, -1) AS i
            """);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);

        var sweeper = Task.Run(async () =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
                await Run($"SELECT sweep_device_status(now() + interval '{(i % 2 == 0 ? 45 : 90)} minutes')");
        }, Cancel);
        for (var i = 0; i < 40; i++)
        {
            await Run("""
                INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port)
                SELECT now() - interval '2 hours', ('020000' || lpad(to_hex(i), 6, '0'))::macaddr, '192.0.2.1', 1
                FROM generate_series(0, 999) AS i
                """);
        }

        await stop.CancelAsync();
        await sweeper;
        await AssertExact(Database);
    }

    // A device deleted between two steps of the trigger must not fail the writer.
    [Fact]
    public async Task Device_deleted_during_ingest_fails_no_batch()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var deleter = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
                await Run("DELETE FROM devices WHERE mac_address = '02:00:00:00:00:01'");
        }, Cancel);

        for (var i = 0; i < 150; i++)
            await Run("INSERT INTO connections (src_mac, dst_ip, dst_port) VALUES ('02:00:00:00:00:01', '192.0.2.1', 443)");

        await stop.CancelAsync();
        await deleter;
        Assert.Equal(150, await Count("connections"));
    }

    // A device that disappears between two steps of a writer must not make it take devices out of order.
    [Fact]
    public async Task Writers_and_deletes_of_devices_do_not_deadlock()
    {
        const string Ingest = """
            INSERT INTO connections (src_mac, dst_ip, dst_port)
            SELECT ('020000' || lpad(to_hex(i), 6, '0'))::macaddr, '192.0.2.1', 443 FROM generate_series(0, 199) AS i
            """;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var deleter = Task.Run(async () =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
                await Run($"DELETE FROM devices WHERE mac_address = ('020000' || lpad(to_hex({i * 7 % 200}), 6, '0'))::macaddr");
        }, Cancel);

        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < 60; i++)
                await Run(Ingest);
        }, Cancel)));
        await stop.CancelAsync();
        await deleter;

        Assert.Equal(36_000, await Count("connections"));
        await AssertExact(Database);
    }

    internal static async Task AssertExact(TestDatabase database)
    {
        Assert.Empty(await database.QueryAsync("""
            SELECT d.mac_address, d.connection_count, c.n, e.n
            FROM devices AS d
            LEFT JOIN (SELECT src_mac, count(*) AS n, count(*) FILTER (WHERE threat_score >= 7) AS threats
                       FROM connections GROUP BY 1) AS c ON c.src_mac = d.mac_address
            LEFT JOIN (SELECT src_mac, sum(connection_count) AS n, sum(threat_count) AS threats
                       FROM device_destinations GROUP BY 1) AS e ON e.src_mac = d.mac_address
            WHERE d.connection_count <> coalesce(c.n, 0) OR d.threat_count <> coalesce(c.threats, 0)
               OR d.connection_count <> coalesce(e.n, 0) OR d.threat_count <> coalesce(e.threats, 0)
            """));
        Assert.Empty(await database.QueryAsync("""
            SELECT * FROM (
                SELECT src_mac, dst_ip, count(*) AS n, count(*) FILTER (WHERE threat_score >= 7) AS threats, max(threat_score) AS score
                FROM connections WHERE src_mac IS NOT NULL GROUP BY 1, 2) AS c
            FULL JOIN device_destinations AS e USING (src_mac, dst_ip)
            WHERE c.n IS DISTINCT FROM e.connection_count OR c.threats IS DISTINCT FROM e.threat_count
               OR c.score IS DISTINCT FROM e.max_threat_score
            """));
    }

    private static async Task<string> Contents(TestDatabase database, Connection[] rows, int batch)
    {
        await using var connection = await database.DataSource.OpenConnectionAsync(Cancel);
        foreach (var chunk in rows.Chunk(batch))
            await ConnectionCopy.WriteAsync(connection, chunk, Cancel);

        await AssertExact(database);
        var contents = await database.QueryAsync("""
            SELECT d::text FROM devices AS d
            UNION ALL SELECT e::text FROM device_destinations AS e
            UNION ALL SELECT concat_ws('|', device_mac, event_type, old_value, new_value, metadata) FROM device_events
            ORDER BY 1
            """);
        return string.Join('\n', contents.Select(row => row[0]));
    }

    // Times in the past but some within 30 minutes, so that status events are among the contents compared.
    private static readonly DateTimeOffset Start = DateTimeOffset.UtcNow.AddMinutes(-20);

    private static Connection RandomConnection(Random random) => new()
    {
        Timestamp = Start.AddSeconds(random.Next(60)).AddHours(random.Next(4) == 0 ? 0 : -random.Next(1, 48)),
        SrcMac = random.Next(20) == 0 ? null : new MacAddress(0x0200_0000_0000 + random.Next(25)),
        DstIp = new System.Net.IPAddress([192, 0, 2, (byte)random.Next(10)]),
        DstPort = random.Next(65536),
        ThreatScore = random.Next(10) == 0 ? 7 + random.NextSingle() * 3 : random.NextSingle() * 6,
    };

    private static string[] SqlObjectsThatMention(string text)
        => [.. Data.Schema.SqlObject.LoadAll().Where(o => o.Sql.Contains(text, StringComparison.Ordinal)).Select(o => o.Name)];
}
