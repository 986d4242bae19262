using CobaltGraph.Data.Schema;
using CobaltGraph.Testing;
using Npgsql;

namespace CobaltGraph.Cli.Tests;

public sealed class MigrateVerbTests(PostgresServerFixture server) : IAsyncLifetime
{
    private TestDatabase _database = null!;

    public async ValueTask InitializeAsync() => _database = await server.CreateDatabaseAsync(migrated: false);

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task Migrate_brings_an_empty_database_up_to_date_and_then_has_nothing_to_do()
    {
        (await RunAsync("status", "--check")).Should(ExitCode.NotAsWanted);

        var first = (await RunAsync("migrate", "--json")).Should(ExitCode.Done);
        Assert.True(first.Json.GetProperty("changed").GetBoolean());
        Assert.Contains("Applied ", first.Error, StringComparison.Ordinal);
        Assert.NotEqual(0, first.Json.GetProperty("steps").GetArrayLength());

        (await RunAsync("status", "--check")).Should(ExitCode.Done);
        var second = (await RunAsync("migrate", "--json")).Should(ExitCode.Done);
        Assert.False(second.Json.GetProperty("changed").GetBoolean());
        Assert.Contains("up to date", second.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Migrate_does_not_wait_for_itself_in_a_small_pool()
        => (await RunWithAsync(_database.ConnectionStringWith(c => c.MaxPoolSize = 1), "migrate")).Should(ExitCode.Done);

    [Fact]
    public async Task Migrate_prepares_what_is_large_and_tells_how_far_it_is()
    {
        (await RunAsync("migrate", "--to", "DeviceInventory")).Should(ExitCode.Done);
        await _database.ExecuteAsync($"""
            ALTER DATABASE "{_database.Name}" SET cobaltgraph.prepare_from = '0';
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port) VALUES ('2026-01-01 10:30Z', '02:00:5e:00:00:01', '192.0.2.1', 443)
            """);
        var dryRun = (await RunAsync("migrate", "--dry-run")).Should(ExitCode.Done);
        Assert.Contains("DO $prepare$", dryRun.Output, StringComparison.Ordinal);

        var result = (await RunAsync("migrate", "--json")).Should(ExitCode.Done);

        Assert.Contains("Read connections until ", result.Error, StringComparison.Ordinal);
        Assert.Equal(1, await _database.ScalarAsync<long>("SELECT connection_count FROM device_activity_hourly WHERE hour = '2026-01-01 10:00Z'"));
        (await RunAsync("status", "--check")).Should(ExitCode.Done);
    }

    [Fact]
    public async Task Migrate_creates_partitions_that_are_missing()
    {
        (await RunAsync("migrate")).Should(ExitCode.Done);
        var name = await _database.ScalarAsync<string>(
            "SELECT 'connections_' || to_char((now() + interval '3 months') AT TIME ZONE 'UTC', '\"y\"YYYY\"m\"MM')");
        await _database.ExecuteAsync($"DROP TABLE {name}");

        var result = (await RunAsync("migrate", "--json")).Should(ExitCode.Done);

        Assert.Equal(name, Assert.Single(result.Json.GetProperty("partitions").EnumerateArray()).GetString());
        Assert.True(result.Json.GetProperty("changed").GetBoolean());
    }

    [Fact]
    public async Task Dry_run_changes_nothing_and_its_sql_is_what_migrate_does()
    {
        var dryRun = (await RunAsync("migrate", "--dry-run")).Should(ExitCode.Done);
        Assert.Equal(0, await _database.ScalarAsync<long>("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"));

        // psql's own command; everything else is SQL.
        var sql = dryRun.Output.Replace("\\set ON_ERROR_STOP on\n", "", StringComparison.Ordinal);
        await _database.ExecuteAsync(sql);

        (await RunAsync("status", "--check")).Should(ExitCode.Done);
        var again = (await RunAsync("migrate", "--dry-run")).Should(ExitCode.Done);
        Assert.Empty(again.Output);
        Assert.Contains("Nothing to do", again.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Migrate_creates_the_schema_of_the_site_and_leaves_others_alone()
    {
        var site = _database.ConnectionStringWith(c => c.SearchPath = "\"Site A\"");

        var dryRun = (await RunWithAsync(site, "migrate", "--dry-run")).Should(ExitCode.Done);
        Assert.Contains("CREATE SCHEMA \"Site A\";", dryRun.Output, StringComparison.Ordinal);
        (await RunWithAsync(site, "migrate")).Should(ExitCode.Done);

        var status = (await RunWithAsync(site, "status", "--check", "--json")).Should(ExitCode.Done);
        Assert.Equal("Site A", status.Json.GetProperty("schema_name").GetString());
        (await RunAsync("status", "--check")).Should(ExitCode.NotAsWanted);
    }

    [Fact]
    public async Task Site_that_is_not_there_yet_does_not_see_the_history_of_another()
    {
        (await RunAsync("migrate")).Should(ExitCode.Done);

        var status = await RunWithAsync(
            _database.ConnectionStringWith(c => c.SearchPath = "site_b, public"), "status", "--json");

        Assert.Equal("site_b", status.Json.GetProperty("schema_name").GetString());
        Assert.False(status.Json.GetProperty("is_current").GetBoolean());
    }

    [Fact]
    public async Task Reverting_without_a_yes_is_refused_and_changes_nothing()
    {
        (await RunAsync("migrate")).Should(ExitCode.Done);

        var refused = (await RunAsync("migrate", "--to", "0")).Should(ExitCode.Refused);

        Assert.Contains("--yes", refused.Error, StringComparison.Ordinal);
        (await RunAsync("status", "--check")).Should(ExitCode.Done);
    }

    [Fact]
    public async Task Reverting_at_a_terminal_wants_the_name_of_the_database()
    {
        (await RunAsync("migrate")).Should(ExitCode.Done);

        (await RunAtTerminalAsync("y\n", "migrate", "--to", "0")).Should(ExitCode.Refused);
        (await RunAsync("status", "--check")).Should(ExitCode.Done);

        (await RunAtTerminalAsync(_database.Name + "\n", "migrate", "--to", "0")).Should(ExitCode.Done);
        (await RunAsync("status", "--check")).Should(ExitCode.NotAsWanted);
    }

    [Fact]
    public async Task Reverting_with_yes_and_migrating_again_gives_the_same_schema()
    {
        (await RunAsync("migrate")).Should(ExitCode.Done);
        var down = (await RunAsync("migrate", "--to", "0", "--yes", "--json")).Should(ExitCode.Done);
        Assert.All(
            down.Json.GetProperty("steps").EnumerateArray(),
            step => Assert.Equal("reverted", step.GetProperty("action").GetString()));

        (await RunAsync("migrate", "--to", "DeviceInventory")).Should(ExitCode.Done);
        (await RunAsync("migrate")).Should(ExitCode.Done);
        (await RunAsync("status", "--check")).Should(ExitCode.Done);
    }

    [Fact]
    public async Task Unknown_target_names_the_migrations_there_are()
    {
        var result = (await RunAsync("migrate", "--to", "DeviceInventroy")).Should(ExitCode.Usage);

        Assert.Contains("DeviceInventory", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Newer_database_is_not_touched()
    {
        (await RunAsync("migrate")).Should(ExitCode.Done);
        await _database.ExecuteAsync(
            "INSERT INTO \"__EFMigrationsHistory\" VALUES ('29990101000000_FromTheFuture', '99.0')");

        (await RunAsync("migrate", "--to", "0", "--yes")).Should(ExitCode.Refused);
        var status = (await RunAsync("status", "--check")).Should(ExitCode.NotAsWanted);
        Assert.Contains("29990101000000_FromTheFuture\tunknown", status.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_migrations_at_once_take_turns_and_the_loser_says_who_did_it()
    {
        var runs = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => RunAsync("migrate", "--json")));

        Assert.All(runs, run => run.Should(ExitCode.Done));
        Assert.Single(runs, run => run.Json.GetProperty("steps").GetArrayLength() > 0);
        Assert.All(
            runs.Where(run => run.Json.GetProperty("applied_by_others").GetArrayLength() > 0),
            run => Assert.Contains("pid ", run.Error, StringComparison.Ordinal));
        (await RunAsync("status", "--check")).Should(ExitCode.Done);
    }

    [Fact]
    public async Task Lock_holder_is_named_while_waiting_and_when_time_is_up()
    {
        await using var source = NpgsqlDataSource.Create(
            _database.ConnectionStringWith(c => c.ApplicationName = "somebody else"));
        await using (await MigrationLock.AcquireAsync(
            source, "public", null, TimeSpan.Zero, TimeProvider.System, _ => { }, TestContext.Current.CancellationToken))
        {
            var status = (await RunAsync("status", "--json")).Should(ExitCode.Done);
            Assert.Contains("somebody else", status.Json.GetProperty("migrating").GetString(), StringComparison.Ordinal);

            var blocked = (await RunAsync("migrate", "--timeout", "1")).Should(ExitCode.Failed);
            Assert.Contains("\"somebody else\"", blocked.Error, StringComparison.Ordinal);
            Assert.Contains("pid ", blocked.Error, StringComparison.Ordinal);

            // Another site does not wait for this one.
            (await RunWithAsync(_database.ConnectionStringWith(c => c.SearchPath = "site_c"), "migrate", "--timeout", "0"))
                .Should(ExitCode.Done);
        }

        (await RunAsync("migrate", "--timeout", "0")).Should(ExitCode.Done);
    }

    // The lock of scripts and of dotnet ef.
    [Fact]
    public async Task Script_that_runs_meanwhile_is_waited_for_no_longer_than_wanted()
    {
        await using var source = NpgsqlDataSource.Create(_database.ConnectionStringWith(c => c.ApplicationName = "a script"));
        await using (var script = await source.OpenConnectionAsync(TestContext.Current.CancellationToken))
        {
            Assert.True(await SiteMigrator.TryLockAsync(script, "public", TestContext.Current.CancellationToken));

            var blocked = (await RunAsync("migrate", "--timeout", "1")).Should(ExitCode.Failed);

            Assert.Contains("\"a script\"", blocked.Error, StringComparison.Ordinal);
            (await RunAsync("status", "--check")).Should(ExitCode.NotAsWanted);
            var waiting = RunAsync("migrate", "--timeout", "60");
            await Task.Delay(200, TestContext.Current.CancellationToken);
            Assert.False(waiting.IsCompleted);
            await SiteMigrator.UnlockAsync(script, "public");
            (await waiting).Should(ExitCode.Done);
        }

        (await RunAsync("status", "--check")).Should(ExitCode.Done);
        Assert.Equal(0L, await _database.ScalarAsync<long>("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"));
    }

    [Fact]
    public async Task Migration_that_fails_leaves_the_state_before()
    {
        await _database.ExecuteAsync("CREATE VIEW active_devices AS SELECT 1 AS already_there");

        var failed = (await RunAsync("migrate")).Should(ExitCode.Failed);

        Assert.Contains("SQLSTATE", failed.Error, StringComparison.Ordinal);
        Assert.Null(await _database.ScalarAsync<string>("SELECT to_regclass('devices')::text"));
        await _database.ExecuteAsync("DROP VIEW active_devices");
        (await RunAsync("migrate")).Should(ExitCode.Done);
    }

    [Fact]
    public async Task Owner_without_superuser_rights_can_migrate()
    {
        var role = $"owner_{Guid.NewGuid():N}";
        await _database.ExecuteAsync($"""
            CREATE ROLE {role} LOGIN PASSWORD 'x';
            CREATE SCHEMA site_d AUTHORIZATION {role};
            """);
        try
        {
            var site = _database.ConnectionStringWith(c =>
            {
                c.Username = role;
                c.Password = "x";
                c.SearchPath = "site_d";
            });
            (await RunWithAsync(site, "migrate")).Should(ExitCode.Done);
            (await RunWithAsync(site, "status", "--check")).Should(ExitCode.Done);
        }
        finally
        {
            await _database.ExecuteAsync($"DROP SCHEMA site_d CASCADE; DROP ROLE {role}");
        }
    }

    private Task<CommandResult> RunAsync(params string[] arguments)
        => RunWithAsync(_database.ConnectionString, arguments);

    private static Task<CommandResult> RunWithAsync(string connection, params string[] arguments)
        => new CommandRunner { Environment = { ["COBALTGRAPH_CONNECTION"] = connection } }.RunAsync(arguments);

    private Task<CommandResult> RunAtTerminalAsync(string input, params string[] arguments)
        => new CommandRunner
        {
            Terminal = true,
            Input = input,
            Environment = { ["COBALTGRAPH_CONNECTION"] = _database.ConnectionString },
        }.RunAsync(arguments);
}
