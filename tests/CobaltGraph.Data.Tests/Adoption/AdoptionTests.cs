using CobaltGraph.Data.Adoption;
using CobaltGraph.Data.Schema;
using CobaltGraph.Testing;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace CobaltGraph.Data.Tests.Adoption;

public class AdoptionTests(PostgresServerFixture server) : AdoptionTest(server)
{
    private const string Events = "SELECT id, \"timestamp\", device_mac::macaddr AS device_mac, event_type, old_value, new_value, metadata FROM ";

    private const string Connections =
        "SELECT id, \"timestamp\", src_mac::macaddr AS src_mac, src_ip, dst_ip, dst_port, protocol, dst_country, dst_lat, dst_lon, dst_org, dst_hostname, "
        + "threat_score, threat_category, metadata FROM ";

    [Fact]
    public async Task Database_with_100_000_connections_is_adopted_row_by_row_and_is_as_a_fresh_one()
    {
        await Run(OriginalSchema.Fill(devices: 700, connections: 100_000));
        var events = await Database.ScalarAsync<long>("SELECT count(*) FROM device_events");

        var report = await Adopt();

        Assert.Equal([700L, 100_000, events], report.Stored.Select(table => table.Rows));
        Assert.All(report.Stored, table => Assert.True(table.Bytes > table.Rows * 10, $"{table.Name}: {table.Bytes} bytes"));
        Assert.Null(report.SetAsideTable);
        Assert.Equal(["another notation", "not as late, or first_seen not as early, as its connections"], Problems(report.Survey!));
        Assert.Empty(await Differences(Connections + "original_connections", Connections + "connections"));
        Assert.Empty(await Differences(Events + "original_device_events", Events + "device_events"));
        Assert.Empty(await Differences(
            """
            SELECT mac_address::macaddr, ip_address, vendor, device_type, hostname, status, confidence_score, connection_count::bigint,
                   threat_count::bigint, metadata FROM original_devices
            """,
            """
            SELECT mac_address, ip_address, vendor, device_type, hostname, status, confidence_score, connection_count, threat_count,
                   metadata - 'adopted' FROM devices
            """));

        // The same rows in a database that was ours from the start.
        var fresh = Database.ConnectionStringWith(c => c.SearchPath = "fresh");
        await using (var source = NpgsqlDataSource.Create(fresh))
        {
            await using var context = new CobaltGraphContext(
                new DbContextOptionsBuilder<CobaltGraphContext>().UseCobaltGraph(source).Options);
            await context.Database.MigrateAsync(Cancel);
        }

        await Run($"""
            INSERT INTO fresh.devices (mac_address, ip_address, vendor, device_type, hostname, first_seen, last_seen, last_activity, status, confidence_score)
            SELECT mac_address::macaddr, ip_address, vendor, device_type, hostname, first_seen, last_seen, last_activity, status, confidence_score
            FROM original_devices;
            INSERT INTO fresh.connections (id, "timestamp", src_mac, src_ip, dst_ip, dst_port, protocol, dst_country, dst_lat, dst_lon, dst_org, dst_hostname, threat_score, threat_category, metadata)
            {Connections} original_connections
            """);
        foreach (var table in (string[])["devices", "device_destinations", "destinations", "device_threat_counts", "device_activity_hourly"])
        {
            var columns = string.Join(", ", await Rows(
                $"SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = 'fresh.{table}'::regclass AND attnum > 0 AND attname <> 'metadata'"));
            Assert.Empty(await Differences($"SELECT {columns} FROM {table}", $"SELECT {columns} FROM fresh.{table}"));
        }

        Assert.Empty(await Differences(
            "SELECT * FROM device_addresses WHERE source = 'traffic'", "SELECT * FROM fresh.device_addresses WHERE source = 'traffic'"));
        Assert.Equal(0, await Database.ScalarAsync<long>("SELECT count(*) FROM connections_default"));
    }

    [Fact]
    public async Task Catalogue_is_that_of_a_new_database_and_the_next_migration_has_nothing_to_do()
    {
        await Run(OriginalSchema.Fill(devices: 10, connections: 100));
        await Adopt();

        var months = (string[])["connections_y2025m03", "connections_y2025m04", "connections_y2025m05", "connections_y2025m06"];
        await using var other = await Server.CreateDatabaseAsync();
        await other.ExecuteAsync("SELECT ensure_connection_partitions('2025-03-01Z', '2025-06-30Z')");
        Assert.Equal(
            await Schema.Catalogue.ReadAsync(other),
            (await Schema.Catalogue.ReadAsync(Database)).Where(line => !line.Contains("original", StringComparison.Ordinal)));
        Assert.Equal(months, await Rows("SELECT relname FROM pg_class WHERE relname LIKE 'connections\\_y2025m__' ORDER BY 1"));

        var report = await new SchemaMigrator(Database.DataSource).MigrateAsync(null, [], TimeSpan.Zero, _ => { }, _ => { }, Cancel);
        Assert.Empty(report.Steps);
        Assert.Empty(report.Partitions);
    }

    [Fact]
    public async Task Adopted_database_works_as_any_other()
    {
        await Run(OriginalSchema.Fill(devices: 10, connections: 100));
        await Run("SELECT setval('connections_id_seq', 5000)");
        var events = await Database.ScalarAsync<long>("SELECT count(*) FROM device_events");
        await Adopt();

        await Run("""
            INSERT INTO connections (src_mac, dst_ip, dst_port, threat_score) VALUES ('02-00-5E-00-00-01', '203.0.113.1', 443, 9);
            INSERT INTO connections (src_mac, dst_ip, dst_port) VALUES ('02:00:5e:00:ff:01', '203.0.113.1', 443)
            """);

        Assert.Equal(["5001", "5002"], await Rows("SELECT id FROM connections WHERE id > 100 ORDER BY id"));
        Assert.Equal(
            ["threat_detected", "discovered", "active"],
            (await Rows($"SELECT event_type FROM device_events WHERE id > {events} AND NOT (event_type = 'active' AND device_mac = '02:00:5e:00:00:01') ORDER BY id")));
        Assert.Equal("1", (await Rows("SELECT count(*) FROM devices WHERE mac_address = '02:00:5e:00:00:01' AND last_threat > now() - interval '1 hour'"))[0]);
        await Assert.ThrowsAsync<PostgresException>(() => Run("DELETE FROM device_events"));
        await Assert.ThrowsAsync<PostgresException>(() => Run("UPDATE connections SET threat_score = 1"));
    }

    [Fact]
    public async Task Rows_are_copied_in_pieces_whatever_their_ids()
    {
        await Run(OriginalSchema.Fill(devices: 7, connections: 40));
        await Run("UPDATE connections SET id = id * 1000 WHERE id > 20; UPDATE connections SET id = -id WHERE id < 6; DELETE FROM connections WHERE id = 12");
        var events = await Database.ScalarAsync<long>("SELECT count(*) FROM device_events");
        var copied = new List<long>();

        var report = await new Adopter(Database.DataSource) { RowsPerPiece = 3 }.AdoptAsync(
            TimeSpan.Zero, _ => { }, step => copied.Add(step.Rows), Cancel);

        Assert.Equal([7L, 39, events], report.Stored.Select(table => table.Rows));
        Assert.Empty(await Differences(Connections + "original_connections", Connections + "connections"));
        Assert.Empty(await Differences(Events + "original_device_events", Events + "device_events"));
        Assert.Equal(39 + events, copied[^1]);
        Assert.True(copied.Distinct().Count() > 13 + events / 3, string.Join(' ', copied));
    }

    // As the lock of a script or of dotnet ef.
    [Fact]
    public async Task Script_that_migrates_meanwhile_is_waited_for_no_longer_than_wanted()
    {
        await Run(OriginalSchema.Fill(devices: 1, connections: 1));
        await using (var script = await Database.DataSource.OpenConnectionAsync(Cancel))
        {
            Assert.True(await SiteMigrator.TryLockAsync(script, "public", Cancel));
            Assert.Contains("is being migrated", (await Refused(() => Adopt())).Message, StringComparison.Ordinal);
            var waiting = Adopt(Database.DataSource, TimeSpan.FromMinutes(1));
            await Task.Delay(500, Cancel);
            Assert.False(waiting.IsCompleted);
            await SiteMigrator.UnlockAsync(script, "public");
            await waiting;
        }

        Assert.Equal(["1"], await Rows("SELECT count(*) FROM connections"));
    }

    [Fact]
    public async Task Empty_database_is_adopted()
    {
        var report = await Adopt();

        Assert.Equal([0L, 0, 0], report.Stored.Select(table => table.Rows));
        Assert.Empty(report.Survey!.Cases);
        await Run("INSERT INTO connections (src_mac, dst_ip, dst_port) VALUES ('02:00:5e:00:00:01', '192.0.2.1', 443)");
        Assert.Equal(["1"], await Rows("SELECT id FROM connections"));
    }

    [Fact]
    public async Task Dry_run_tells_what_would_be_done_and_changes_nothing()
    {
        await Run(OriginalSchema.Fill(devices: 10, connections: 100));
        await Run("INSERT INTO connections (src_mac, dst_ip, dst_port, threat_score) VALUES (NULL, '192.0.2.1', 70000, NULL)");
        var before = await ContentsAsync(Database);

        var survey = await Survey();

        Assert.Equal(before, await ContentsAsync(Database));
        Assert.Equal([10L, 101, 40], survey.Tables.Select(table => table.Rows));
        Assert.True(survey.Bytes > 0);
        Assert.True(survey.EstimatedTime > TimeSpan.Zero);
        var found = survey.Cases;
        Assert.Equal(found, (await Adopt()).Survey!.Cases);
    }

    [Theory]
    [InlineData("Survey")]
    [InlineData("Tables")]
    [InlineData("Rows")]
    [InlineData("Indexes")]
    [InlineData("Derived")]
    [InlineData("Commit")]
    public async Task Killed_in_a_step_changes_nothing_and_the_same_again_adopts(string step)
    {
        await Run(OriginalSchema.Fill(devices: 10, connections: 500));
        var before = await ContentsAsync(Database);
        var killed = false;

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => Adopt(Database.DataSource, progress: state =>
        {
            if (killed || state.Step.ToString() != step)
                return;
            killed = true;
            using var other = new NpgsqlConnection(Database.ConnectionString);
            other.Open();
            using var kill = new NpgsqlCommand(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'", other);
            kill.ExecuteNonQuery();
        }));

        Assert.True(killed);
        Assert.Equal(before, await ContentsAsync(Database));
        Assert.Equal([10L, 500, 40], (await Adopt()).Stored.Select(table => table.Rows));
    }

    [Fact]
    public async Task Adopting_again_changes_nothing()
    {
        await Run(OriginalSchema.Fill(devices: 10, connections: 100));
        await Adopt();
        var before = await ContentsAsync(Database);

        var report = await Adopt();

        Assert.Null(report.Survey);
        Assert.Contains("\"public\".\"original_devices\"", report.OldTables);
        Assert.Equal(before, await ContentsAsync(Database));
    }

    [Fact]
    public async Task Second_adoption_at_once_is_refused()
    {
        await Run(OriginalSchema.Fill(devices: 10, connections: 100));
        var second = new TaskCompletionSource<Exception?>();

        await Adopt(Database.DataSource, progress: state =>
        {
            if (state.Step == AdoptionStep.Derived)
                second.SetResult(Record.ExceptionAsync(() => Adopt()).AsTask().GetAwaiter().GetResult());
        });

        Assert.IsType<MigrationLockedException>(await second.Task);
    }

    [Fact]
    public async Task Tables_in_use_are_waited_for_and_then_refused_by_the_name_of_the_user()
    {
        await using (var user = new NpgsqlConnection(Database.ConnectionStringWith(c => c.ApplicationName = "collector")))
        {
            await user.OpenAsync(Cancel);
            await using var transaction = await user.BeginTransactionAsync(Cancel);
            await using var write = new NpgsqlCommand("INSERT INTO devices (mac_address) VALUES ('02:00:5e:00:00:01')", user);
            await write.ExecuteNonQueryAsync(Cancel);

            var error = await Refused(() => Adopt());

            Assert.Contains("collector", error.Message, StringComparison.Ordinal);
            await transaction.CommitAsync(Cancel);
        }

        Assert.Equal(1, (await Adopt()).Stored[0].Rows);
    }

    [Fact]
    public async Task Old_tables_are_dropped_when_asked_and_others_stay()
    {
        await Run("CREATE TABLE original_devices (x int); CREATE TABLE assets (x int)");
        await Run(OriginalSchema.Fill(devices: 10, connections: 100));
        await Adopt();
        Assert.Equal(10, await Database.ScalarAsync<long>("SELECT count(*) FROM original2_devices"));

        var dropped = await new Adopter(Database.DataSource).DropOldAsync(Cancel);

        Assert.Equal(
            ["original2_connections", "original2_device_events", "original2_devices", "original2_schema_migrations"], dropped.Tables);
        Assert.Empty(await Rows("SELECT relname FROM pg_class WHERE relname LIKE 'original2%'"));
        Assert.Empty(await Rows("SELECT proname FROM pg_proc WHERE proname LIKE 'original2%'"));
        Assert.Equal(["assets", "original_devices"], await Rows("SELECT relname FROM pg_class WHERE relname IN ('assets', 'original_devices') ORDER BY 1"));
        Assert.Equal(10, await Database.ScalarAsync<long>("SELECT count(*) FROM devices"));
        Assert.True((await new Adopter(Database.DataSource).DropOldAsync(Cancel)).IsEmpty);
    }

    [Fact]
    public async Task What_others_made_on_the_old_tables_is_told_and_holds_their_dropping_back()
    {
        await Run("""
            CREATE TABLE tickets (mac varchar(17) REFERENCES devices (mac_address));
            CREATE VIEW busy AS SELECT * FROM active_devices WHERE connection_count > 10;
            CREATE FUNCTION mine() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
            CREATE TRIGGER own BEFORE INSERT ON connections FOR EACH ROW EXECUTE FUNCTION mine();
            GRANT SELECT ON devices TO PUBLIC
            """);

        var survey = await Survey();
        await Adopt();
        var error = await Refused(() => new Adopter(Database.DataSource).DropOldAsync(Cancel));

        Assert.Equal(
            [
                "foreign key tickets_mac_fkey of public.tickets refers to devices",
                "view public.busy reads active_devices",
                "rights on devices of PUBLIC",
                "trigger own on connections calls mine",
            ],
            survey.Notes);
        Assert.Contains("tickets_mac_fkey", error.Message, StringComparison.Ordinal);
        Assert.Contains("busy", error.Message, StringComparison.Ordinal);
        await Run("DROP VIEW busy; DROP TABLE tickets");
        Assert.False((await new Adopter(Database.DataSource).DropOldAsync(Cancel)).IsEmpty);
    }

    private static IEnumerable<string> Problems(AdoptionSurvey survey) => survey.Cases.Select(one => one.Problem);
}
