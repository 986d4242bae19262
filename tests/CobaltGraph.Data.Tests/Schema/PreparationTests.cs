using CobaltGraph.Data.Schema;
using CobaltGraph.Data.Tests.Contract;
using CobaltGraph.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace CobaltGraph.Data.Tests.Schema;

// What migration 002 reads before its own transaction must be what it would have read in it, whatever happens meanwhile.
public class PreparationTests(PostgresServerFixture server) : DatabaseTest(server)
{
    private const string Before = "20261124000001_DeviceInventory";

    private const string Leftovers = "SELECT relname::text FROM pg_class WHERE relname LIKE 'back_fill%' UNION SELECT proname::text FROM pg_proc WHERE proname LIKE 'back_fill%'";

    [Fact]
    public async Task Prepared_migration_leaves_what_the_rows_give()
    {
        var random = new Random(31);
        await using var context = await Database_of_001(random, 1500);

        await Prepare(context);

        Assert.True(await Scalar<bool>("SELECT done_until > '2026-03-05 11:00Z' FROM back_fill"));
        // Each transaction has an id of its own.
        Assert.InRange(await Count("(SELECT DISTINCT xmin::text FROM back_fill_hours) AS t"), 10, 20);
        await Store(random, 200);
        await context.Database.MigrateAsync(Cancel);

        Assert.Empty(await DerivedTests.Differences(Database, DerivedTests.Checks));
        Assert.Empty(await Texts(Leftovers));
        await using var other = await Server.CreateDatabaseAsync();
        await using var unprepared = other.NewContext();
        await unprepared.Database.MigrateAsync(Before, Cancel);
        await unprepared.Database.MigrateAsync(Cancel);
        Assert.Equal(await Catalogue.ReadAsync(other), await Catalogue.ReadAsync(Database));
    }

    // What a site has made for itself is not taken for it: another class, another column, some rows, an index of all partitions.
    [Fact]
    public async Task Each_partition_has_the_index_of_metadata_before_the_migration_though_stopped_in_between()
    {
        await using var context = await Database_of_001(new Random(36), 300);
        await Run("""
            SELECT ensure_connection_partitions('2026-05-01Z', '2026-08-31Z');
            CREATE INDEX ON connections_y2026m05 USING gin (metadata);
            CREATE INDEX ON connections_y2026m06 USING gin ((metadata -> 'dns') jsonb_path_ops);
            CREATE INDEX ON connections_y2026m07 USING gin (metadata jsonb_path_ops) WHERE dst_port = 443;
            CREATE INDEX of_the_site ON connections USING gin (metadata jsonb_path_ops);
            """);
        var partitions = await Count("pg_inherits WHERE inhparent = 'connections'::regclass");
        const string Made = """
            pg_index AS x JOIN pg_inherits AS i ON i.inhrelid = x.indrelid AND i.inhparent = 'connections'::regclass
            WHERE pg_get_indexdef(x.indexrelid) LIKE '%USING gin (metadata jsonb_path_ops) WITH (fastupdate=%false%)'
            """;
        await using (var writer = await Database.DataSource.OpenConnectionAsync(Cancel))
        {
            await using var transaction = await writer.BeginTransactionAsync(Cancel);
            await using (var hold = new NpgsqlCommand("LOCK TABLE connections_y2026m06 IN ROW EXCLUSIVE MODE", writer))
                await hold.ExecuteNonQueryAsync(Cancel);
            await using var session = await Database.DataSource.OpenConnectionAsync(Cancel);
            await using var prepare = new NpgsqlCommand(Preparation(context), session);
            var preparing = prepare.ExecuteNonQueryAsync(Cancel);
            while (!preparing.IsCompleted && await Count("pg_locks WHERE NOT granted AND relation = 'connections_y2026m06'::regclass") == 0)
                await Task.Delay(10, Cancel);
            prepare.Cancel();
            await Assert.ThrowsAsync<OperationCanceledException>(() => preparing);
        }

        Assert.InRange(await Count(Made), 1, partitions - 1);

        // As one that CREATE INDEX CONCURRENTLY left.
        await Run("CREATE INDEX left_over ON connections_y2026m08 USING gin (metadata jsonb_path_ops)");
        await Run("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'left_over'::regclass");
        var refused = await Assert.ThrowsAsync<PostgresException>(() => Prepare(context));
        Assert.Equal("Index left_over of connections_y2026m08 is not valid, and the migration would take it over.", refused.MessageText);
        await Run("DROP INDEX left_over");

        await Prepare(context);
        Assert.Equal(partitions, await Count(Made));
        await context.Database.MigrateAsync(Cancel);

        // It made none of its own where there was one.
        Assert.Equal(partitions, await Count(Made));
        Assert.Equal(partitions, await Count("pg_inherits WHERE inhparent = 'ix_connections_metadata'::regclass"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Changes_after_the_preparation_are_followed(bool again)
    {
        var random = new Random(32);
        await using var context = await Database_of_001(random, 1500);
        await Prepare(context);

        await Run("""
            UPDATE connections SET threat_category = 'c2', dst_hostname = 'later.example', bytes_sent = 7 WHERE id % 9 = 0;
            UPDATE connections SET src_ip = '203.0.113.9' WHERE id % 11 = 0;
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port) VALUES ('1970-01-01Z', '02:00:00:00:00:01', '192.0.2.1', 1);
            """);
        // The device's rows go, then it, then it comes again.
        await Run("""
            DELETE FROM connections WHERE src_mac = '02:00:00:00:00:03' AND id % 2 = 0;
            DELETE FROM devices WHERE mac_address IN ('02:00:00:00:00:03', '02:00:00:00:00:04');
            """);
        await Store(random, 100);
        if (again)
            await Prepare(context);
        await Run("UPDATE connections SET threat_category = 'proxy' WHERE id % 13 = 0");
        await Store(random, 100);
        await context.Database.MigrateAsync(Cancel);

        Assert.Empty(await DerivedTests.Differences(Database, DerivedTests.Checks.Take(3)));
        Assert.Empty(await Texts($"SELECT d::text FROM ({DerivedTests.Checks[3].Expected} EXCEPT ALL {DerivedTests.Checks[3].Stored}) AS d"));
        Assert.Equal(1, await Count("(SELECT DISTINCT ip_address FROM device_addresses WHERE ip_address = '203.0.113.9') AS a"));
    }

    [Fact]
    public async Task Writers_go_on_meanwhile_and_nothing_is_lost_or_twice()
    {
        var seed = new Random(33);
        await using var context = await Database_of_001(seed, 1500);
        using var done = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var writers = Enumerable.Range(0, 2).Select(writer => Task.Run(async () =>
        {
            var random = new Random(writer);
            var stored = 0;
            for (; !done.IsCancellationRequested; stored++)
                await Store(random, 50);
            return stored;
        }, Cancel)).ToArray();

        while (await Count("connections") < 2500)
            await Task.Delay(20, Cancel);
        await Prepare(context);
        await context.Database.MigrateAsync(Cancel);
        await done.CancelAsync();

        Assert.All(await Task.WhenAll(writers), stored => Assert.True(stored > 0));
        Assert.Empty(await DerivedTests.Differences(Database, DerivedTests.Checks));
    }

    [Fact]
    public async Task Times_of_clocks_that_are_ahead_are_kept()
    {
        await using var context = await Database_of_001(new Random(35), 100);
        await Ahead("2100-01-01Z", 1);
        await Prepare(context);
        await Ahead("20000-01-01Z", 2);
        await context.Database.MigrateAsync(Cancel);

        Assert.Equal(
            ["02:00:00:00:00:01 2100-01-01", "02:00:00:00:00:02 9999-12-31"],
            await Texts("""
                SELECT concat_ws(' ', mac_address, (latest_connection AT TIME ZONE 'UTC')::date)
                FROM device_addresses WHERE ip_address = '203.0.113.1' ORDER BY mac_address
                """));

        Task<int> Ahead(string time, int device) => Run($"""
            INSERT INTO connections ("timestamp", src_mac, src_ip, dst_ip, dst_port)
            VALUES ('{time}', '02:00:00:00:00:0{device}', '203.0.113.1', '192.0.2.1', 443)
            """);
    }

    [Fact]
    public async Task Row_that_is_under_way_while_its_hour_is_read_is_read_later()
    {
        var random = new Random(34);
        await using var context = await Database_of_001(random, 900);
        await Prepare(context);
        await using var writer = await Database.DataSource.OpenConnectionAsync(Cancel);
        await using var transaction = await writer.BeginTransactionAsync(Cancel);
        await using (var insert = new NpgsqlCommand(
            "INSERT INTO connections (\"timestamp\", src_mac, dst_ip, dst_port) SELECT \"timestamp\", src_mac, dst_ip, 4711 FROM connections LIMIT 20", writer))
        {
            await insert.ExecuteNonQueryAsync(Cancel);
        }

        // Reads these hours again, and cannot see the rows.
        await Run("UPDATE connections SET bytes_sent = 3");
        await Prepare(context);
        await transaction.CommitAsync(Cancel);
        await context.Database.MigrateAsync(Cancel);

        Assert.Empty(await DerivedTests.Differences(Database, DerivedTests.Checks));
        Assert.NotEqual(0, await Count("destinations WHERE dst_port = 4711"));
    }

    [Fact]
    public async Task Row_that_comes_after_its_hour_was_read_and_before_that_is_committed_keeps_its_mark()
    {
        await using var context = await Database_of_001(new Random(38), 900);
        await Prepare(context);
        await Run("UPDATE connections SET bytes_sent = 3 WHERE id = 1");
        await using var blocker = await Database.DataSource.OpenConnectionAsync(Cancel);
        await using var transaction = await blocker.BeginTransactionAsync(Cancel);
        // What is read last.
        await using (var hold = new NpgsqlCommand("LOCK TABLE back_fill_addresses IN ACCESS EXCLUSIVE MODE", blocker))
            await hold.ExecuteNonQueryAsync(Cancel);

        var preparing = Prepare(context);
        while (await Count("pg_locks WHERE NOT granted AND relation = 'back_fill_addresses'::regclass") == 0)
            await Task.Delay(10, Cancel);
        await Run("INSERT INTO connections (\"timestamp\", src_mac, src_ip, dst_ip, dst_port) SELECT \"timestamp\", '02:00:00:00:00:01', src_ip, dst_ip, 4711 FROM connections WHERE id = 1");
        await transaction.CommitAsync(Cancel);
        await preparing;

        Assert.Equal(1, await Count("back_fill_marks"));
        await context.Database.MigrateAsync(Cancel);
        Assert.Empty(await DerivedTests.Differences(Database, DerivedTests.Checks));
    }

    [Fact]
    public async Task Rows_that_move_into_a_partition_while_they_are_to_be_read_are_read_there()
    {
        await using var context = await Database_of_001(new Random(39), 900);
        await Run("""
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port) VALUES ('2026-01-10Z', '02:00:00:00:00:01', '192.0.2.1', 4712)
            """);
        await Prepare(context);
        // As if it had been stopped at once.
        await Run("UPDATE back_fill SET done_until = '-infinity'; TRUNCATE back_fill_hours, back_fill_categories, back_fill_addresses, back_fill_destinations");
        await using var mover = await Database.DataSource.OpenConnectionAsync(Cancel);
        await using var transaction = await mover.BeginTransactionAsync(Cancel);
        await using (var ensure = new NpgsqlCommand("SELECT ensure_connection_partitions('2026-01-10Z', '2026-01-10Z')", mover))
            Assert.Equal("connections_y2026m01", await ensure.ExecuteScalarAsync(Cancel));

        var preparing = Prepare(context);
        while (await Count("pg_locks WHERE NOT granted") == 0)
            await Task.Delay(10, Cancel);
        await transaction.CommitAsync(Cancel);
        await preparing;

        Assert.Equal(1, await Count("back_fill_destinations WHERE dst_port = 4712"));
        await context.Database.MigrateAsync(Cancel);
        Assert.Empty(await DerivedTests.Differences(Database, DerivedTests.Checks));
    }

    [Fact]
    public async Task Preparation_takes_as_long_as_it_takes_and_leaves_the_timeout()
    {
        await using var context = await Database_of_001(new Random(40), 900);
        await context.Database.OpenConnectionAsync(Cancel);
        await context.Database.ExecuteSqlRawAsync("SET statement_timeout = '1h'", Cancel);
        var seen = "";
        var session = (NpgsqlConnection)context.Database.GetDbConnection();
        session.Notice += (_, e) => seen += e.Notice.SqlState;
        await Run($"""
            CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN RAISE NOTICE USING MESSAGE = ''timeout'', ERRCODE = ''T'' || lpad(current_setting(''statement_timeout''), 4, ''0''); RETURN NULL; END';
            """);
        await Prepare(context);
        await Run("CREATE TRIGGER tell AFTER INSERT ON back_fill_hours FOR EACH STATEMENT EXECUTE FUNCTION tell(); UPDATE connections SET bytes_sent = 3 WHERE id = 1");

        await context.Database.MigrateAsync(Cancel);

        Assert.Contains("T0000", seen, StringComparison.Ordinal);
        Assert.Equal("1h", await context.Database.SqlQueryRaw<string>("SELECT current_setting('statement_timeout') AS \"Value\"").SingleAsync(Cancel));
    }

    [Fact]
    public async Task Role_that_does_not_own_the_tables_prepares_nothing()
    {
        await using var context = await Database_of_001(new Random(41), 900);
        var other = $"prep_{Guid.NewGuid():N}";
        await Run($"CREATE ROLE {other} SUPERUSER");
        try
        {
            await Run($"SET ROLE {other}; {Preparation(context).Replace("COMMIT;", "", StringComparison.Ordinal)}; RESET ROLE");

            Assert.Empty(await Texts(Leftovers));
        }
        finally
        {
            await Run($"DROP ROLE {other}");
        }
    }

    [Fact]
    public async Task Migration_in_a_transaction_of_the_caller_reads_all_by_itself()
    {
        await using var context = await Database_of_001(new Random(42), 900);
        var options = new DbContextOptionsBuilder<CobaltGraphContext>();
        options.UseCobaltGraph(Database.DataSource, npgsql => npgsql.ExecutionStrategy(d => new NonRetryingExecutionStrategy(d)));
        options.ConfigureWarnings(warnings => warnings.Ignore(RelationalEventId.MigrationsUserTransactionWarning));
        await using var callers = new CobaltGraphContext(options.Options);

        await using (var transaction = await callers.Database.BeginTransactionAsync(Cancel))
        {
            await callers.Database.MigrateAsync(Cancel);
            await transaction.CommitAsync(Cancel);
        }

        Assert.Empty(await DerivedTests.Differences(Database, DerivedTests.Checks));
    }

    [Fact]
    public async Task Preparation_that_is_stopped_goes_on_where_it_was()
    {
        var random = new Random(35);
        await using var context = await Database_of_001(random, 1500);
        await using (var session = await Database.DataSource.OpenConnectionAsync(Cancel))
        {
            await using var prepare = new NpgsqlCommand(Preparation(context), session);
            session.Notice += (_, e) =>
            {
                if (e.Notice.MessageText.StartsWith("Read connections", StringComparison.Ordinal))
                    prepare.Cancel();
            };
            await Assert.ThrowsAsync<OperationCanceledException>(() => prepare.ExecuteNonQueryAsync(Cancel));
        }

        var until = await Scalar<DateTime>("SELECT done_until FROM back_fill");
        Assert.True(await Scalar<bool>("SELECT done_until < (SELECT max(\"timestamp\") FROM connections) FROM back_fill"));
        var read = await Texts($"SELECT xmin::text FROM back_fill_hours WHERE hour < '{until:O}'");
        Assert.NotEmpty(read);
        await Prepare(context);
        Assert.Equal(read, await Texts($"SELECT xmin::text FROM back_fill_hours WHERE hour < '{until:O}'"));
        await context.Database.MigrateAsync(Cancel);

        Assert.Empty(await DerivedTests.Differences(Database, DerivedTests.Checks));
    }

    [Fact]
    public async Task What_a_preparation_left_of_another_life_is_not_taken()
    {
        var random = new Random(36);
        await using var context = await Database_of_001(random, 900);
        await Prepare(context);
        await context.Database.MigrateAsync(Migration.InitialDatabase, Cancel);
        await context.Database.MigrateAsync(Before, Cancel);
        await Store(random, 900);

        await Run("ALTER DATABASE \"" + Database.Name + "\" RESET cobaltgraph.prepare_from");
        Database.DataSource.Clear();
        await context.Database.MigrateAsync(Cancel);

        Assert.Empty(await DerivedTests.Differences(Database, DerivedTests.Checks));
        Assert.Empty(await Texts(Leftovers));
    }

    [Fact]
    public async Task Small_database_is_read_by_the_migration_itself()
    {
        var random = new Random(37);
        await using var context = await Database_of_001(random, 100, large: false);

        await Prepare(context);

        Assert.Empty(await Texts(Leftovers));
    }

    [Fact]
    public async Task Only_the_next_migration_is_prepared_and_only_when_it_is_wanted()
    {
        await using var context = Database.NewContext();
        var migrator = (SiteMigrator)context.GetService<IMigrator>();
        var history = new HistoryRow(Before, "");

        Assert.NotNull(migrator.PreparationOf([history], null));
        Assert.NotNull(migrator.PreparationOf([history], "ThreatScoring"));
        Assert.Null(migrator.PreparationOf([history], Before));
        Assert.Null(migrator.PreparationOf([history], Migration.InitialDatabase));
        Assert.Null(migrator.PreparationOf([], null));
        Assert.Null(migrator.PreparationOf([history, new("20261124000002_ThreatScoring", "")], null));
    }

    private async Task<CobaltGraphContext> Database_of_001(Random random, int rows, bool large = true)
    {
        if (large)
        {
            await Run($"""
                ALTER DATABASE "{Database.Name}" SET cobaltgraph.prepare_from = '0';
                ALTER DATABASE "{Database.Name}" SET cobaltgraph.prepare_rows = '100';
                """);
            Database.DataSource.Clear();
        }

        var context = Database.NewContext();
        await context.Database.MigrateAsync(Before, Cancel);
        await Store(random, rows);
        return context;
    }

    private Task Store(Random random, int rows)
        => DerivedTests.StoreAsync(Database, [.. Enumerable.Range(0, rows).Select(_ => DerivedTests.RandomConnection(random))], batch: rows);

    private static string Preparation(CobaltGraphContext context)
        => ((SiteMigrator)context.GetService<IMigrator>()).PreparationOf([new HistoryRow(Before, "")], null)!;

    private Task<int> Prepare(CobaltGraphContext context) => Run(Preparation(context));
}
