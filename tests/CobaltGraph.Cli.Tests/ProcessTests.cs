using System.Diagnostics;
using CobaltGraph.Testing;
using Npgsql;

namespace CobaltGraph.Cli.Tests;

public sealed class ProcessTests(PostgresServerFixture server) : IAsyncLifetime
{
    private TestDatabase _database = null!;
    private Dictionary<string, string?> _environment = [];

    public async ValueTask InitializeAsync()
    {
        _database = await server.CreateDatabaseAsync();
        _environment = new() { ["COBALTGRAPH_CONNECTION"] = _database.ConnectionStringWith(c => c.ApplicationName = "child") };
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Theory]
    [InlineData(ExitCode.Done, "--version")]
    [InlineData(ExitCode.Done, "devices")]
    [InlineData(ExitCode.Done, "migrate")]
    [InlineData(ExitCode.Done, "import", "-")]
    [InlineData(ExitCode.NotAsWanted, "device", "02:00:5e:ff:ff:ff")]
    [InlineData(ExitCode.Refused, "migrate", "--to", "0")]
    [InlineData(ExitCode.Usage, "devises")]
    [InlineData(ExitCode.Failed, "devices", "--connection", "Host=127.0.0.1;Port=1;Username=u")]
    public async Task Exit_code_reaches_the_shell(int expected, params string[] arguments)
    {
        using var command = ChildCommand.Start(_environment, arguments);

        (await command.WaitAsync()).Should(expected);
    }

    [Theory]
    [InlineData("1", "export connections", "Nobody reads standard output any more. Not all rows were written.")]
    [InlineData("141", "connections --limit 0", null)]
    public async Task Reader_that_stops_is_noticed(string expected, string arguments, string? said)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Pipes of Unix.");
        await _database.ExecuteAsync(
            "INSERT INTO connections (dst_ip, dst_port, protocol) SELECT '192.0.2.1', 1, 'TCP' FROM generate_series(1, 20000)");
        var start = new ProcessStartInfo("/bin/sh", ["-c", $"{{ '{ChildCommand.Program}' {arguments}; echo code $? >&2; }} | head -c 1"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in _environment) start.Environment[name] = value;

        using var shell = Process.Start(start)!;
        var error = await shell.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);

        Assert.Contains($"code {expected}\n", error, StringComparison.Ordinal);
        Assert.DoesNotContain("Wrote", error, StringComparison.Ordinal);
        if (said is null)
            Assert.Equal($"code {expected}\n", error);
        else
            Assert.Contains(said, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Redirected_output_is_plain_utf8_without_wrapping_or_a_mark()
    {
        var name = new string('ü', 200);
        await _database.ExecuteAsync(
            $"INSERT INTO devices (mac_address, hostname, vendor) VALUES ('02:00:5e:00:00:01', '{name}', '{name}')");
        using var command = ChildCommand.Start(_environment, "devices");

        var result = (await command.WaitAsync()).Should(ExitCode.Done);

        Assert.StartsWith("mac_address\t", result.Output, StringComparison.Ordinal);
        Assert.Equal(name, result.Rows[0]["hostname"]);
        Assert.DoesNotContain('\e', result.Output);
        Assert.Empty(result.Error);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("TERM")]
    [InlineData("HUP")]
    public async Task Interrupt_cancels_the_query_on_the_server_and_ends_with_130(string? signal)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Unix signals.");
        await using var blocker = await BlockAsync("LOCK TABLE devices IN ACCESS EXCLUSIVE MODE");
        using var command = ChildCommand.Start(_environment, "devices");
        await WaitForAsync("wait_event_type = 'Lock'");
        Assert.SkipWhen(signal == "HUP" && command.Ignores(ChildCommand.HangUp), "SIGHUP is ignored here, as under nohup.");

        await (signal is null ? command.InterruptAsync() : command.SignalAsync(signal));
        // As from timeout(1), which signals the process and its group.
        if (signal is not null) await command.SignalAsync(signal, mayBeGone: true);

        var result = (await command.WaitAsync()).Should(ExitCode.Interrupted);
        Assert.Empty(result.Output);
        Assert.Contains("Interrupted", result.Error, StringComparison.Ordinal);
        await WaitForAsync("state = 'active'", expected: 0);
    }

    [Fact]
    public async Task Interrupt_while_migrating_leaves_the_state_before_and_no_lock()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Unix signals.");
        await using var empty = await server.CreateDatabaseAsync(migrated: false);
        await empty.ExecuteAsync("""
            CREATE TABLE "__EFMigrationsHistory" (migration_id varchar(150) PRIMARY KEY, product_version varchar(32) NOT NULL)
            """);
        await using (await BlockAsync("LOCK TABLE \"__EFMigrationsHistory\" IN ACCESS SHARE MODE", empty))
        {
            using var command = ChildCommand.Start(
                new Dictionary<string, string?>
                {
                    ["COBALTGRAPH_CONNECTION"] = empty.ConnectionStringWith(c => c.ApplicationName = "child"),
                },
                "migrate");
            await WaitForAsync("wait_event_type = 'Lock'", database: empty);

            await command.InterruptAsync();

            (await command.WaitAsync()).Should(ExitCode.Interrupted);
        }

        Assert.Null(await empty.ScalarAsync<string>("SELECT to_regclass('devices')::text"));
        Assert.Equal(0, await empty.ScalarAsync<long>("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"));
    }

    [Fact]
    public async Task Interrupt_while_seeding_keeps_whole_batches_with_exact_counters()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Unix signals.");
        using var command = ChildCommand.Start(_environment, "seed", "--devices", "50", "--connections", "50000000");
        var deadline = Stopwatch.GetTimestamp() + (60 * Stopwatch.Frequency);
        while (await _database.ScalarAsync<bool>("SELECT NOT EXISTS (SELECT 1 FROM connections)"))
        {
            Assert.True(Stopwatch.GetTimestamp() < deadline, "Nothing was seeded within a minute.");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        await command.InterruptAsync();

        var result = (await command.WaitAsync()).Should(ExitCode.Interrupted);
        Assert.Contains("It ended early", result.Error, StringComparison.Ordinal);
        var stored = await _database.ScalarAsync<long>("SELECT count(*) FROM connections");
        Assert.Equal(0, stored % 10_000);
        Assert.Equal(
            await _database.ScalarAsync<long>("SELECT count(*) FROM connections WHERE src_mac IS NOT NULL"),
            await _database.ScalarAsync<long>("SELECT sum(connection_count)::bigint FROM devices"));
    }

    [Fact]
    public async Task Help_starts_without_building_the_model()
    {
        // Fastest of several: the machine may be busy.
        var fastest = TimeSpan.MaxValue;
        for (var i = 0; i < 5; i++)
        {
            var started = Stopwatch.GetTimestamp();
            using var command = ChildCommand.Start(_environment, "--help");
            (await command.WaitAsync()).Should(ExitCode.Done);
            var elapsed = Stopwatch.GetElapsedTime(started);
            if (elapsed < fastest) fastest = elapsed;
        }

        Assert.True(fastest < TimeSpan.FromSeconds(1), $"{fastest.TotalMilliseconds:0} ms");
    }

    [Fact]
    public async Task Password_appears_nowhere()
    {
        const string canary = "Canary-7d20f1";
        var role = $"role_{Guid.NewGuid():N}";
        await _database.ExecuteAsync($"CREATE ROLE {role} LOGIN PASSWORD '{canary}'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}");
        try
        {
            _environment["COBALTGRAPH_CONNECTION"] = _database.ConnectionStringWith(c =>
            {
                c.Username = role;
                c.Password = canary;
            });
            // Every verb, in one process with its server: SecretTests.
            string[][] commands =
            [
                ["status", "--verbose"], ["migrate", "--to", "0", "--yes", "--verbose"],
                ["devices", "--verbose", "--connection", $"Host=127.0.0.1;Port=1;Username=u;Password={canary}"],
                ["devices", "--verbose", "--connection", $"Host=127.0.0.1;Pasword={canary}"],
            ];
            foreach (var arguments in commands)
            {
                using var command = ChildCommand.Start(_environment, arguments);
                var result = await command.WaitAsync();
                Assert.DoesNotContain(canary, result.Output + result.Error, StringComparison.Ordinal);
            }
        }
        finally
        {
            await _database.ExecuteAsync($"DROP OWNED BY {role}; DROP ROLE {role}");
        }
    }

    private async Task<Blocker> BlockAsync(string sql, TestDatabase? database = null)
    {
        var connection = await (database ?? _database).DataSource.OpenConnectionAsync(TestContext.Current.CancellationToken);
        var transaction = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection, transaction);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        return new(connection, transaction);
    }

    /// <summary>Waits until so many sessions of the child process are in this state.</summary>
    private async Task WaitForAsync(string state, int expected = 1, TestDatabase? database = null)
    {
        var deadline = Stopwatch.GetTimestamp() + (30 * Stopwatch.Frequency);
        while (Stopwatch.GetTimestamp() < deadline)
        {
            var count = await (database ?? _database).ScalarAsync<long>(
                $"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'child' AND {state}");
            if (count == expected) return;
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        Assert.Fail($"The child process never was in the state {state}.");
    }

    private sealed class Blocker(NpgsqlConnection connection, NpgsqlTransaction transaction) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await transaction.DisposeAsync();
            await connection.DisposeAsync();
        }
    }
}
