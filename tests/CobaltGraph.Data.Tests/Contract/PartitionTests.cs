using CobaltGraph.Testing;
using Npgsql;

namespace CobaltGraph.Data.Tests.Contract;

// CONTRACT.md §1, connections: range-partitioned, UTC bounds, a default partition.
public class PartitionTests(PostgresServerFixture server) : DatabaseTest(server)
{
    [Fact]
    public async Task Migration_makes_this_month_and_the_next_three()
        => Assert.Equal(
            await Texts("SELECT to_char(date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => i), '\"connections_y\"YYYY\"m\"MM') FROM generate_series(0, 3) AS i"),
            await Texts("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'connections'::regclass AND inhrelid <> 'connections_default'::regclass ORDER BY 1"));

    [Theory]
    [InlineData("UTC")]
    [InlineData("Europe/Berlin")]
    [InlineData("America/New_York")]
    [InlineData("Asia/Kathmandu")]
    public async Task Bounds_are_utc_whatever_the_time_zone_of_the_session(string zone)
    {
        await using var connection = await Database.DataSource.OpenConnectionAsync(Cancel);
        await using var command = connection.CreateCommand();
        command.CommandText = $"""
            SET TimeZone = '{zone}'; SET DateStyle = 'SQL, DMY';
            SELECT ensure_connection_partitions('2031-03-31 23:30+00', '2031-04-01 00:30+00');
            SET TimeZone = 'UTC'; SET DateStyle = 'ISO';
            SELECT string_agg(c.relname || ' ' || pg_get_expr(c.relpartbound, c.oid), '; ' ORDER BY c.relname)
            FROM pg_class AS c WHERE c.relname LIKE 'connections_y2031%' AND c.relkind = 'r'
            """;
        await using var reader = await command.ExecuteReaderAsync(Cancel);
        await reader.NextResultAsync(Cancel);
        await reader.ReadAsync(Cancel);

        Assert.Equal(
            "connections_y2031m03 FOR VALUES FROM ('2031-03-01 00:00:00+00') TO ('2031-04-01 00:00:00+00'); "
            + "connections_y2031m04 FOR VALUES FROM ('2031-04-01 00:00:00+00') TO ('2031-05-01 00:00:00+00')",
            reader.GetString(0));
    }

    [Fact]
    public async Task Rows_that_wait_in_the_default_partition_move_and_are_not_counted_again()
    {
        await Run("""
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port, threat_score)
            SELECT timestamptz '2020-01-31 23:59:59.999999+00' + i * interval '1 microsecond', '02:00:00:00:00:01', '192.0.2.1', 443, 8
            FROM generate_series(0, 9) AS i
            """);
        Assert.Equal(10, await Count("connections_default"));
        var ids = await Texts("SELECT id::text FROM connections ORDER BY id");

        Assert.Equal(
            ["connections_y2020m01", "connections_y2020m02"],
            await Texts("SELECT ensure_connection_partitions('2020-01-15', '2020-02-01')"));

        Assert.Equal(0, await Count("connections_default"));
        Assert.Equal(1, await Count("connections_y2020m01"));
        Assert.Equal(9, await Count("connections_y2020m02"));
        Assert.Equal(ids, await Texts("SELECT id::text FROM connections ORDER BY id"));
        Assert.Equal(["10 10"], await Texts("SELECT connection_count || ' ' || threat_count FROM devices"));
        await CounterTests.AssertExact(Database);
    }

    [Fact]
    public async Task Rows_of_the_same_transaction_move_too()
    {
        await Run("""
            BEGIN;
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port) VALUES ('2020-01-01', '02:00:00:00:00:01', '192.0.2.1', 443);
            SELECT ensure_connection_partitions('2020-01-01', '2020-01-02');
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port) VALUES ('2020-01-02', '02:00:00:00:00:02', '192.0.2.1', 443);
            COMMIT
            """);

        Assert.Equal(2, await Count("connections_y2020m01"));
        Assert.Equal(2, await Count("devices"));
    }

    [Fact]
    public async Task Foreign_key_is_deferred_again_after_partitions_were_made()
    {
        await Run("""
            BEGIN;
            SELECT ensure_connection_partitions('2031-01-01', '2031-01-02');
            INSERT INTO connections (src_mac, dst_ip, dst_port) VALUES ('02:00:00:00:00:01', '192.0.2.1', 443);
            COMMIT
            """);

        Assert.Equal(1, await Count("devices"));
    }

    [Fact]
    public async Task Second_call_does_nothing()
    {
        await Run("SELECT ensure_connection_partitions('2031-01-01', '2031-12-31')");

        Assert.Empty(await Texts("SELECT ensure_connection_partitions('2031-01-01', '2031-12-31')"));
    }

    [Fact]
    public async Task New_partition_is_a_full_member()
    {
        await Run("SELECT ensure_connection_partitions('2031-01-01', '2031-01-01')");

        Assert.Equal(
            await Texts("SELECT regexp_replace(replace(pg_get_indexdef(indexrelid), 'connections_default', 'x'), 'INDEX \\S+ ON', 'INDEX ON') FROM pg_index WHERE indrelid = 'connections_default'::regclass ORDER BY 1"),
            await Texts("SELECT regexp_replace(replace(pg_get_indexdef(indexrelid), 'connections_y2031m01', 'x'), 'INDEX \\S+ ON', 'INDEX ON') FROM pg_index WHERE indrelid = 'connections_y2031m01'::regclass ORDER BY 1"));
        Assert.Equal(
            await Texts("SELECT contype::text || pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'connections_default'::regclass ORDER BY 1"),
            await Texts("SELECT contype::text || pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'connections_y2031m01'::regclass ORDER BY 1"));
        Assert.Equal(
            await Texts("SELECT adnum || pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'connections_default'::regclass ORDER BY adnum"),
            await Texts("SELECT adnum || pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'connections_y2031m01'::regclass ORDER BY adnum"));
        Assert.Equal("Connections of 2031-01, UTC.", await Scalar<string>("SELECT obj_description('connections_y2031m01'::regclass, 'pg_class')"));
        await Run("INSERT INTO connections (\"timestamp\", src_mac, dst_ip, dst_port) VALUES ('2031-01-05', '02:00:00:00:00:01', '192.0.2.1', 443)");
        Assert.Equal(1, await Count("connections_y2031m01"));
        Assert.Equal(1, await Scalar<long>("SELECT connection_count FROM devices"));
    }

    [Theory]
    [InlineData("NULL, now()")]
    [InlineData("now(), NULL")]
    [InlineData("'infinity', 'infinity'")]
    [InlineData("'-infinity', now()")]
    [InlineData("'2026-02-01', '2026-01-01'")]
    [InlineData("'1000-01-01', '2026-01-01'")]
    [InlineData("'0044-03-15 BC', '0044-03-16 BC'")]
    [InlineData("'20000-01-01', '20000-01-02'")]
    public async Task Range_that_is_none_is_refused(string range)
        => await Refused($"SELECT ensure_connection_partitions({range})", PostgresErrorCodes.InvalidParameterValue);

    // The transaction of an application: it upserts a device, then stores its connection.
    [Theory]
    [InlineData("INSERT INTO devices (mac_address) VALUES ('02:00:00:00:00:01') ON CONFLICT (mac_address) DO UPDATE SET last_seen = now()")]
    [InlineData("SELECT count(*) FROM connections")]
    public async Task Partitions_are_made_without_deadlock_when_a_writer_holds_another_table(string first)
    {
        await using var writer = await Database.DataSource.OpenConnectionAsync(Cancel);
        await using var transaction = await writer.BeginTransactionAsync(Cancel);
        await using var command = writer.CreateCommand();
        command.CommandText = first;
        await command.ExecuteNonQueryAsync(Cancel);

        var maker = Run("SELECT ensure_connection_partitions('2031-01-01', '2031-01-01')");
        await Task.Delay(500, Cancel);
        Assert.False(maker.IsCompleted);
        command.CommandText = "INSERT INTO connections (src_mac, dst_ip, dst_port) VALUES ('02:00:00:00:00:01', '192.0.2.1', 443)";
        await command.ExecuteNonQueryAsync(Cancel);
        await transaction.CommitAsync(Cancel);
        await maker;

        Assert.Equal(1, await Count("connections"));
        Assert.Equal(1, await Count("pg_inherits WHERE inhrelid = to_regclass('connections_y2031m01')"));
    }

    [Fact]
    public async Task Making_partitions_gives_up_after_the_lock_timeout_of_the_caller()
    {
        await using var reader = await Database.DataSource.OpenConnectionAsync(Cancel);
        await using var transaction = await reader.BeginTransactionAsync(Cancel);
        await using var command = reader.CreateCommand();
        command.CommandText = "SELECT count(*) FROM connections";
        await command.ExecuteNonQueryAsync(Cancel);

        await Refused(
            "BEGIN; SET LOCAL lock_timeout = '300ms'; SELECT ensure_connection_partitions('2031-01-01', '2031-01-01')",
            PostgresErrorCodes.LockNotAvailable);
        await Run("BEGIN; SET LOCAL lock_timeout = '700ms'; SELECT ensure_connection_partitions(now(), now()); COMMIT");
    }

    [Fact]
    public async Task Partitions_are_made_while_writers_write()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var stored = 0;
        var writers = Enumerable.Range(1, 2).Select(writer => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                await Run($"""
                    INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port)
                    SELECT timestamptz '2020-01-01 00:00+00' + random() * interval '400 days', '02:00:00:00:00:0{writer}', '192.0.2.1', 443
                    FROM generate_series(1, 50)
                    """);
                Interlocked.Add(ref stored, 50);
            }
        }, Cancel)).ToArray();
        var makers = Enumerable.Range(0, 2).Select(_ => Task.Run(async () =>
        {
            for (var month = 1; month <= 12; month++)
                await Run($"SELECT ensure_connection_partitions('2020-{month:00}-01', '2020-{month:00}-20')");
        }, Cancel)).ToArray();
        await Task.WhenAll(makers);
        await stop.CancelAsync();
        await Task.WhenAll(writers);

        Assert.Equal(stored, await Count("connections"));
        Assert.Equal(0, await Count("connections_default WHERE \"timestamp\" < '2021-01-01+00'"));
        await CounterTests.AssertExact(Database);
    }
}
