using CobaltGraph.Testing;
using Npgsql;

namespace CobaltGraph.Data.Tests.Contract;

// CONTRACT.md §2, rule 4: what was counted outlives the months that it was counted from.
public class RetentionTests(PostgresServerFixture server) : DatabaseTest(server)
{
    private const string Partitions =
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'connections'::regclass ORDER BY 1";

    // Everything but the connections.
    private const string Kept = """
        SELECT 'd' || d::text FROM devices AS d
        UNION ALL SELECT 'e' || e::text FROM device_destinations AS e
        UNION ALL SELECT 'h' || h::text FROM device_activity_hourly AS h
        UNION ALL SELECT 't' || t::text FROM device_threat_counts AS t
        UNION ALL SELECT 'a' || a::text FROM device_addresses AS a
        UNION ALL SELECT 'n' || n::text FROM destinations AS n
        UNION ALL SELECT 'v' || v::text FROM device_events AS v
        ORDER BY 1
        """;

    [Fact]
    public async Task Partitions_that_ended_are_dropped_oldest_first_and_no_others()
    {
        await Run("""
            SELECT ensure_connection_partitions('2020-01-01', '2020-06-01');
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port)
            SELECT timestamptz '2020-01-01Z' + n * interval '1 month', '02:00:00:00:00:01', '192.0.2.1', 443 FROM generate_series(0, 5) AS n
            """);
        var before = await Texts(Partitions);

        Assert.Equal(
            ["connections_y2020m01", "connections_y2020m02", "connections_y2020m03"],
            await Texts("SELECT drop_connection_partitions('2020-04-30')"));

        Assert.Equal(
            before.Except(["connections_y2020m01", "connections_y2020m02", "connections_y2020m03"]),
            await Texts(Partitions));
        Assert.Equal(0, await Count("pg_class WHERE relname LIKE '%2020m01%' OR relname LIKE '%2020m02%' OR relname LIKE '%2020m03%'"));
        Assert.Equal(["2020-04", "2020-05", "2020-06"], await Texts("SELECT to_char(\"timestamp\" AT TIME ZONE 'UTC', 'YYYY-MM') FROM connections ORDER BY 1"));
        Assert.Empty(await Texts("SELECT drop_connection_partitions('2020-04-30')"));
    }

    [Theory]
    [InlineData("UTC", "ISO")]
    [InlineData("America/New_York", "SQL, DMY")]
    [InlineData("Asia/Kathmandu", "German")]
    [InlineData("Pacific/Kiritimati", "Postgres, MDY")]
    public async Task Partition_goes_from_its_end_on_and_not_a_moment_before(string zone, string style)
    {
        var session = $"SET TimeZone = '{zone}'; SET DateStyle = '{style}';";
        await Run("SELECT ensure_connection_partitions('2020-03-01Z', '2020-04-01Z')");

        await Run($"{session} SELECT drop_connection_partitions('2020-03-31 23:59:59.999999+00')");
        Assert.Equal(2, await Count("pg_class WHERE relname LIKE 'connections_y2020m__'"));

        await Run($"{session} SELECT drop_connection_partitions('2020-04-01 00:00+00')");
        Assert.Equal(["connections_y2020m04"], await Texts("SELECT relname FROM pg_class WHERE relname LIKE 'connections_y2020m__'"));
    }

    [Fact]
    public async Task Partitions_that_others_attached_go_by_their_bounds_whatever_their_names()
    {
        await Run("""
            CREATE SCHEMA archive;
            CREATE TABLE connections_y2999m01 PARTITION OF connections FOR VALUES FROM (MINVALUE) TO ('0044-03-15 00:00+00 BC');
            CREATE TABLE "the ""long"" past" PARTITION OF connections FOR VALUES FROM ('0044-03-15 00:00+00 BC') TO ('2001-01-01 00:00+00');
            CREATE TABLE archive.year PARTITION OF connections FOR VALUES FROM ('2001-01-01 00:00+00') TO ('2002-01-01 00:00+00')
                PARTITION BY RANGE ("timestamp");
            CREATE TABLE archive.half PARTITION OF archive.year FOR VALUES FROM ('2001-01-01 00:00+00') TO ('2001-07-01 00:00+00');
            CREATE TABLE archive.rest PARTITION OF archive.year DEFAULT;
            CREATE TABLE long PARTITION OF connections FOR VALUES FROM ('2002-01-01 05:30+00') TO ('2003-01-01 00:00:00.000001+00')
                PARTITION BY RANGE ("timestamp");
            CREATE TABLE connections_y2002m02 PARTITION OF long FOR VALUES FROM ('2002-02-01 00:00+00') TO ('2002-03-01 00:00+00');
            CREATE TABLE endless PARTITION OF connections FOR VALUES FROM ('2060-01-01 00:00+00') TO ('infinity');
            CREATE TABLE beyond PARTITION OF connections FOR VALUES FROM ('infinity') TO (MAXVALUE);
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port) VALUES
                ('2001-02-03', '02:00:00:00:00:01', '192.0.2.1', 443), ('2001-12-03', '02:00:00:00:00:01', '192.0.2.1', 443)
            """);
        var before = await Texts(Partitions);

        string[] expected = ["connections_y2999m01", "\"the \"\"long\"\" past\"", "archive.year"];
        Assert.Equal(expected, await Texts("SELECT drop_connection_partitions('2003-01-01 00:00+00')"));

        Assert.Equal(before.Except(expected), await Texts(Partitions));
        Assert.Equal(0, await Count("pg_class WHERE relnamespace = 'archive'::regnamespace"));
        Assert.Equal(1, await Count("pg_class WHERE relname = 'connections_y2002m02'"));

        Assert.Equal(["long"], await Texts("SELECT drop_connection_partitions('2004-01-01')"));
        Assert.Equal(2, await Scalar<long>("SELECT connection_count FROM devices"));
    }

    [Fact]
    public async Task Default_partition_stays_with_its_rows_until_their_months_are_made()
    {
        await Run("""
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port) VALUES ('2020-01-05', '02:00:00:00:00:01', '192.0.2.1', 443);
            SELECT drop_connection_partitions(now())
            """);
        Assert.Equal(1, await Count("connections_default"));

        await Run("SELECT ensure_connection_partitions('2020-01-01', '2020-01-01')");
        Assert.Equal(["connections_y2020m01"], await Texts("SELECT drop_connection_partitions(now())"));
        Assert.Equal(0, await Count("connections"));
        Assert.Equal(1, await Scalar<long>("SELECT connection_count FROM devices"));
    }

    [Fact]
    public async Task Partitions_are_dropped_where_there_is_no_default_partition()
    {
        await Run("DROP TABLE connections_default; SELECT ensure_connection_partitions('2020-01-01', '2020-01-01')");

        Assert.Equal(["connections_y2020m01"], await Texts("SELECT drop_connection_partitions(now())"));
    }

    [Fact]
    public async Task Month_that_is_being_written_is_kept()
    {
        var before = await Texts(Partitions);

        Assert.DoesNotContain(
            await Scalar<string>("SELECT to_char(now() AT TIME ZONE 'UTC', '\"connections_y\"YYYY\"m\"MM')"),
            await Texts("SELECT drop_connection_partitions(now())"));

        // At the turn of a month the one of the migration may have ended.
        Assert.InRange((await Texts(Partitions)).Length, before.Length - 1, before.Length);
    }

    [Fact]
    public async Task What_was_derived_stays_and_goes_on_exactly()
    {
        const string store = """
            INSERT INTO connections ("timestamp", src_mac, src_ip, dst_ip, dst_port, threat_score, threat_category, bytes_sent, dst_hostname)
            SELECT timestamptz '2020-01-01 00:30Z' + n % 7 * interval '9 days', ('02000000000' || n % 3)::macaddr, ('198.51.100.' || n % 5)::inet,
                   ('192.0.2.' || n % 11)::inet, 443, n % 10, CASE n % 4 WHEN 0 THEN 'c2' WHEN 1 THEN 'proxy' END, n, 'h' || n % 13
            FROM generate_series(1, 200) AS n
            """;
        await Run($"SELECT ensure_connection_partitions('2020-01-01', '2020-03-01'); {store}");
        var before = await Texts(Kept);

        Assert.Equal(2, (await Texts("SELECT drop_connection_partitions('2020-03-01')")).Length);
        Assert.Equal(0, await Count("connections"));
        Assert.Equal(before, await Texts(Kept));

        // The same again, of which some find their month gone: as if nothing had been dropped.
        await using var other = await Server.CreateDatabaseAsync();
        await Run(store);
        await other.ExecuteAsync($"{store}; {store}");
        const string exact = """
            SELECT concat_ws('|', mac_address, connection_count, threat_count, max_threat_score, threat_score, unique_destinations, last_connection, last_threat) FROM devices
            UNION ALL SELECT concat_ws('|', src_mac, dst_ip, connection_count, threat_count, max_threat_score, first_seen, last_seen) FROM device_destinations
            UNION ALL SELECT h::text FROM device_activity_hourly AS h
            UNION ALL SELECT t::text FROM device_threat_counts AS t
            UNION ALL SELECT concat_ws('|', mac_address, ip_address, source, first_seen, last_seen) FROM device_addresses
            UNION ALL SELECT n::text FROM destinations AS n
            UNION ALL SELECT concat_ws('|', device_mac, event_type, old_value, new_value) FROM device_events
            ORDER BY 1
            """;
        Assert.Equal((await other.QueryAsync(exact)).Select(row => row[0]), await Texts(exact));
    }

    [Fact]
    public async Task Rows_of_the_same_transaction_go_too_and_the_foreign_key_is_deferred_again()
    {
        await Run("""
            BEGIN;
            SELECT ensure_connection_partitions('2020-01-01', '2020-01-01');
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port) VALUES ('2020-01-01', '02:00:00:00:00:01', '192.0.2.1', 443);
            SELECT drop_connection_partitions('2020-02-01');
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port) VALUES ('2020-01-02', '02:00:00:00:00:02', '192.0.2.1', 443);
            COMMIT
            """);

        Assert.Equal(["02:00:00:00:00:01 1", "02:00:00:00:00:02 1"], await Texts("SELECT concat_ws(' ', mac_address, connection_count) FROM devices ORDER BY 1"));
        Assert.Equal(1, await Count("connections_default"));
    }

    [Theory]
    [InlineData("NULL")]
    [InlineData("'infinity'")]
    [InlineData("'-infinity'")]
    [InlineData("now() + interval '1 microsecond'")]
    [InlineData("now() + interval '1 year'")]
    public async Task Time_that_is_none_or_to_come_is_refused(string time)
    {
        await Run("SELECT ensure_connection_partitions('2020-01-01', '2020-01-01')");

        var error = await Refused($"SELECT drop_connection_partitions({time})", PostgresErrorCodes.InvalidParameterValue);

        Assert.EndsWith("is not a finite time up to now", error.MessageText, StringComparison.Ordinal);
        Assert.Equal(1, await Count("pg_inherits WHERE inhrelid = to_regclass('connections_y2020m01')"));
    }

    [Fact]
    public async Task Nothing_is_locked_when_there_is_nothing_to_drop()
        => Assert.Empty(await LocksAfter("SELECT drop_connection_partitions('2020-01-01')"));

    // Who lists devices waits for nobody.
    [Fact]
    public async Task Connections_the_default_partition_and_what_goes_are_locked_and_nothing_else()
    {
        await Run("SELECT ensure_connection_partitions('2020-01-01', '2020-02-01')");

        // What is dropped has no name any more.
        Assert.Equal(["", "connections", "connections_default"], await LocksAfter("SELECT drop_connection_partitions('2020-02-01')"));
    }

    // No CASCADE: the newest of three is held by something, and all three stay.
    [Theory]
    [InlineData("CREATE VIEW theirs AS SELECT * FROM connections_y2020m03")]
    [InlineData("CREATE MATERIALIZED VIEW theirs AS SELECT id FROM connections_y2020m03")]
    [InlineData("CREATE TABLE theirs (id bigint, at timestamptz, FOREIGN KEY (id, at) REFERENCES connections_y2020m03 (id, \"timestamp\"))")]
    [InlineData("CREATE TABLE theirs (c connections_y2020m03)")]
    public async Task Partition_that_something_depends_on_fails_and_nothing_is_dropped(string sql)
    {
        await Run($"SELECT ensure_connection_partitions('2020-01-01', '2020-03-01'); {sql}");
        var before = await Texts(Partitions);

        var error = await Refused("SELECT drop_connection_partitions('2020-04-01')", PostgresErrorCodes.DependentObjectsStillExist);

        Assert.Contains("connections_y2020m03", error.MessageText, StringComparison.Ordinal);
        Assert.Equal(before, await Texts(Partitions));
        Assert.Equal(1, await Count("pg_class WHERE relname = 'theirs'"));
        Assert.Equal(2, (await Texts("SELECT drop_connection_partitions('2020-03-01')")).Length);
    }

    // Each holds a table first and wants connections next.
    [Theory]
    [InlineData("INSERT INTO devices (mac_address) VALUES ('02:00:00:00:00:01') ON CONFLICT (mac_address) DO UPDATE SET last_seen = now()")]
    [InlineData("SELECT count(*) FROM connections")]
    [InlineData("SELECT count(*) FROM connections_default")]
    [InlineData("SELECT count(*) FROM connections_y2020m01")]
    [InlineData("SELECT count(*) FROM connections_y2020m02")]
    [InlineData("LOCK TABLE connections_y2020m02")]
    public async Task Partitions_are_dropped_without_deadlock_when_another_holds_a_table(string first)
    {
        await Run("SELECT ensure_connection_partitions('2020-01-01', '2020-02-01')");
        await using var other = await Database.DataSource.OpenConnectionAsync(Cancel);
        await using var transaction = await other.BeginTransactionAsync(Cancel);
        await using var command = other.CreateCommand();
        command.CommandText = first;
        await command.ExecuteNonQueryAsync(Cancel);

        var dropper = Run("SELECT drop_connection_partitions('2020-03-01')");
        await Task.Delay(500, Cancel);
        command.CommandText = "INSERT INTO connections (src_mac, dst_ip, dst_port) VALUES ('02:00:00:00:00:01', '192.0.2.1', 443)";
        await command.ExecuteNonQueryAsync(Cancel);
        await transaction.CommitAsync(Cancel);
        await dropper;

        Assert.Equal(1, await Count("connections"));
        Assert.Equal(0, await Count("pg_class WHERE relname LIKE 'connections_y2020m__'"));
    }

    // Of a foreign key that the partition alone has, the server tells only when it is dropped.
    [Fact]
    public async Task Foreign_key_of_a_partition_alone_does_not_deadlock_either()
    {
        await Run("""
            CREATE TABLE ports (port integer PRIMARY KEY);
            SELECT ensure_connection_partitions('2020-01-01', '2020-02-01');
            ALTER TABLE connections_y2020m02 ADD FOREIGN KEY (dst_port) REFERENCES ports
            """);
        await using var other = await Database.DataSource.OpenConnectionAsync(Cancel);
        await using var transaction = await other.BeginTransactionAsync(Cancel);
        await using var command = other.CreateCommand();
        command.CommandText = "SELECT count(*) FROM ports";
        await command.ExecuteNonQueryAsync(Cancel);

        var dropper = Run("SELECT drop_connection_partitions('2020-03-01')");
        await Task.Delay(500, Cancel);
        Assert.False(dropper.IsCompleted);
        command.CommandText = "INSERT INTO connections (src_mac, dst_ip, dst_port) VALUES ('02:00:00:00:00:01', '192.0.2.1', 443)";
        await command.ExecuteNonQueryAsync(Cancel);
        await transaction.CommitAsync(Cancel);
        await dropper;

        Assert.Equal(0, await Count("pg_class WHERE relname LIKE 'connections_y2020m__'"));
    }

    [Theory]
    [InlineData("connections")]
    [InlineData("connections_default")]
    [InlineData("connections_y2020m01")]
    public async Task Dropping_gives_up_after_the_lock_timeout_of_the_caller_and_leaves_that_as_it_was(string held)
    {
        await Run("SELECT ensure_connection_partitions('2020-01-01', '2020-01-01')");
        await using (var reader = await Database.DataSource.OpenConnectionAsync(Cancel))
        await using (var transaction = await reader.BeginTransactionAsync(Cancel))
        {
            await using var command = reader.CreateCommand();
            command.CommandText = $"SELECT count(*) FROM {held}";
            await command.ExecuteNonQueryAsync(Cancel);

            await Refused(
                "BEGIN; SET LOCAL lock_timeout = '300ms'; SELECT drop_connection_partitions('2020-02-01')",
                PostgresErrorCodes.LockNotAvailable);
            Assert.Empty(await Texts("SET lock_timeout = '300ms'; SELECT drop_connection_partitions('2020-01-01')"));
        }

        Assert.Equal(
            ["3min"],
            await Texts("SET lock_timeout = '3min'; SELECT current_setting('lock_timeout') FROM drop_connection_partitions('2020-02-01')"));
    }

    // Applications upsert a device and store its connection after that.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Four_writers_store_while_months_are_dropped(bool upsertFirst)
    {
        const int Writers = 4, Rows = 50;
        await Run("SELECT ensure_connection_partitions('2020-01-01', '2020-12-01')");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var stored = 0;
        var writers = Enumerable.Range(1, Writers).Select(writer => Task.Run(async () =>
        {
            var mac = upsertFirst ? $"'02:00:00:00:00:0{writer}'::macaddr" : "('02000000000' || n % 5)::macaddr";
            var upsert = upsertFirst
                ? $"INSERT INTO devices (mac_address) VALUES ({mac}) ON CONFLICT (mac_address) DO UPDATE SET last_seen = now();"
                : "";
            while (!stop.IsCancellationRequested)
            {
                await Run($"""
                    BEGIN; {upsert}
                    INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port, threat_score)
                    SELECT timestamptz '2020-01-01 00:00Z' + random() * interval '365 days', {mac}, ('192.0.2.' || n)::inet, 443, n % 10
                    FROM generate_series(1, {Rows}) AS n;
                    COMMIT
                    """);
                Interlocked.Add(ref stored, Rows);
            }
        }, Cancel)).ToArray();

        var dropped = new List<string?>();
        var droppers = Enumerable.Range(0, 2).Select(_ => Task.Run(async () =>
        {
            for (var month = 2; month <= 12; month++)
            {
                var names = await Texts($"SELECT drop_connection_partitions('2020-{month:00}-01Z')");
                lock (dropped) dropped.AddRange(names);
            }
        }, Cancel));
        var maker = Task.Run(async () =>
        {
            for (var month = 1; month <= 12; month++)
                await Run($"SELECT ensure_connection_partitions('2021-{month:00}-01', '2021-{month:00}-01')");
        }, Cancel);
        await Task.WhenAll(droppers.Append(maker));
        await stop.CancelAsync();
        await Task.WhenAll(writers);

        // Each once, whichever of the two it was.
        Assert.Equal(Enumerable.Range(1, 11).Select(month => $"connections_y2020m{month:00}"), dropped.Order());
        Assert.True(stored > 0);
        Assert.Equal(stored, await Scalar<decimal>("SELECT sum(connection_count) FROM devices"));
        Assert.Equal(stored, await Scalar<decimal>("SELECT sum(connection_count) FROM device_destinations"));
        Assert.Equal(stored, await Scalar<decimal>("SELECT sum(connection_count) FROM device_activity_hourly"));
        Assert.Equal(stored / Rows * Enumerable.Range(1, Rows).Count(n => n % 10 >= 7), await Scalar<decimal>("SELECT sum(threat_count) FROM devices"));
        Assert.Equal(
            await Count("device_destinations WHERE threat_count > 0"),
            await Count("device_events WHERE event_type = 'threat_detected'"));
    }

    [Fact]
    public async Task Another_site_of_the_database_keeps_its_months()
    {
        await Run("SELECT ensure_connection_partitions('2020-01-01', '2020-01-01')");
        var other = Database.ConnectionStringWith(c => c.SearchPath = "\"Site B\"");
        await using var source = NpgsqlDataSource.Create(other);
        await new Data.Schema.SchemaMigrator(source).MigrateAsync(null, mayRevert: [], TimeSpan.FromSeconds(30), _ => { }, _ => { }, Cancel);
        await using var command = source.CreateCommand("""
            SELECT ensure_connection_partitions('2020-01-01', '2020-02-01');
            SELECT string_agg(name, ' ') FROM drop_connection_partitions('2020-02-01') AS name
            """);
        await using (var reader = await command.ExecuteReaderAsync(Cancel))
        {
            await reader.NextResultAsync(Cancel);
            await reader.ReadAsync(Cancel);
            Assert.Equal("connections_y2020m01", reader.GetString(0));
        }

        Assert.Equal(["public connections_y2020m01", "\"Site B\" connections_y2020m02"], await Texts("""
            SELECT concat_ws(' ', relnamespace::regnamespace, relname) FROM pg_class WHERE relname LIKE 'connections_y2020m__' ORDER BY relname
            """));
    }

    // Relations of the database, not the catalogue's, that the transaction has locked.
    private async Task<string[]> LocksAfter(string sql)
    {
        await using var connection = await Database.DataSource.OpenConnectionAsync(Cancel);
        await using var transaction = await connection.BeginTransactionAsync(Cancel);
        await using var command = connection.CreateCommand();
        command.CommandText = $"""
            {sql};
            SELECT DISTINCT coalesce(c.relname, '')
            FROM pg_locks AS l LEFT JOIN pg_class AS c ON c.oid = l.relation
            WHERE l.pid = pg_backend_pid() AND l.relation >= 16384 AND l.locktype = 'relation'
            ORDER BY 1
            """;
        await using var reader = await command.ExecuteReaderAsync(Cancel);
        await reader.NextResultAsync(Cancel);
        var names = new List<string>();
        while (await reader.ReadAsync(Cancel)) names.Add(reader.GetString(0));
        return [.. names];
    }
}
