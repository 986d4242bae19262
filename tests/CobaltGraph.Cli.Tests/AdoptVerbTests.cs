using CobaltGraph.Testing;

namespace CobaltGraph.Cli.Tests;

public sealed class AdoptVerbTests(PostgresServerFixture server) : IAsyncLifetime
{
    private TestDatabase _database = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await server.CreateDatabaseAsync(migrated: false);
        await _database.ExecuteAsync(OriginalSchema.Create + OriginalSchema.Fill(devices: 20, connections: 500));
        await _database.ExecuteAsync("INSERT INTO devices (mac_address) VALUES ('odd')");
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task Dry_run_shows_rows_and_cases_and_changes_nothing()
    {
        var result = (await RunAsync("adopt", "--dry-run", "--json")).Should(ExitCode.Done);

        var json = result.Json;
        Assert.Equal(21 + 500 + 81, json.GetProperty("rows").GetInt64());
        Assert.Equal(2, json.GetProperty("rows_set_aside").GetInt64());
        Assert.True(json.GetProperty("bytes").GetInt64() > 0);
        Assert.True(json.GetProperty("estimated_seconds").GetDouble() > 0);
        Assert.Contains(
            json.GetProperty("cases").EnumerateArray(),
            one => one.GetProperty("problem").GetString() == "malformed" && one.GetProperty("set_aside").GetBoolean());
        Assert.Contains("Nothing was changed", result.Error, StringComparison.Ordinal);
        Assert.Equal(0, await _database.ScalarAsync<long>("SELECT count(*) FROM pg_class WHERE relname LIKE 'original%'"));
    }

    [Fact]
    public async Task Adopting_wants_a_yes_then_does_it_and_then_has_nothing_to_do()
    {
        var refused = (await RunAsync("adopt")).Should(ExitCode.Refused);
        Assert.Contains("--yes", refused.Error, StringComparison.Ordinal);

        var first = (await RunAsync("adopt", "--yes", "--json")).Should(ExitCode.Done);
        Assert.True(first.Json.GetProperty("changed").GetBoolean());
        Assert.Equal("\"public\".\"original_set_aside\"", first.Json.GetProperty("set_aside_table").GetString());
        Assert.Equal(
            [20L, 500, 80], first.Json.GetProperty("stored").EnumerateArray().Select(table => table.GetProperty("rows").GetInt64()));

        (await RunAsync("status", "--check")).Should(ExitCode.Done);
        var proof = (await RunAsync("assert")).Should(ExitCode.Done);
        Assert.Contains("table original_devices", proof.Error, StringComparison.Ordinal);
        Assert.False((await RunAsync("migrate", "--json")).Should(ExitCode.Done).Json.GetProperty("changed").GetBoolean());
        var second = (await RunAsync("adopt", "--json")).Should(ExitCode.Done);
        Assert.False(second.Json.GetProperty("changed").GetBoolean());
        Assert.Contains("adopted before", second.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Old_tables_are_dropped_after_the_name_of_the_database_or_a_yes()
    {
        (await RunAsync("adopt", "--yes")).Should(ExitCode.Done);

        var refused = (await RunAsync("adopt", "--drop-old")).Should(ExitCode.Refused);
        Assert.Contains("original_devices", refused.Error, StringComparison.Ordinal);
        (await RunAtTerminalAsync("y\n", "adopt", "--drop-old")).Should(ExitCode.Refused);
        Assert.Equal(500, await _database.ScalarAsync<long>("SELECT count(*) FROM original_connections"));

        (await RunAtTerminalAsync(_database.Name + "\n", "adopt", "--drop-old")).Should(ExitCode.Done);
        Assert.Equal(["original_set_aside"], (await _database.QueryAsync("SELECT relname FROM pg_class WHERE relname LIKE 'original%' AND relkind = 'r'")).Select(row => row[0]));
        var again = (await RunAsync("adopt", "--drop-old", "--json")).Should(ExitCode.Done);
        Assert.False(again.Json.GetProperty("changed").GetBoolean());
    }

    [Fact]
    public async Task Database_of_this_kind_is_refused_with_what_to_do()
    {
        await using var ours = await server.CreateDatabaseAsync();

        var refused = (await RunWithAsync(ours.ConnectionString, "adopt", "--dry-run")).Should(ExitCode.Refused);

        Assert.Contains("cobaltgraph migrate", refused.Error, StringComparison.Ordinal);
        Assert.Empty(refused.Output);
    }

    [Fact]
    public async Task Options_that_contradict_each_other_are_a_usage_error()
        => (await RunAsync("adopt", "--dry-run", "--drop-old")).Should(ExitCode.Usage);

    [Fact]
    public async Task Killed_process_leaves_the_original_and_the_same_command_adopts()
    {
        await _database.ExecuteAsync("INSERT INTO connections (dst_ip, dst_port) SELECT '192.0.2.1', 1 FROM generate_series(1, 200000)");
        var environment = new Dictionary<string, string?> { ["COBALTGRAPH_CONNECTION"] = _database.ConnectionString };
        using (var child = ChildCommand.Start(environment, "adopt", "--yes"))
        {
            // In the middle: it has its lock on the old tables.
            while (await _database.ScalarAsync<long>(
                "SELECT count(*) FROM pg_locks WHERE relation = to_regclass('connections') AND mode = 'AccessExclusiveLock' AND granted") == 0)
            {
                await Task.Delay(20, TestContext.Current.CancellationToken);
            }

            await child.SignalAsync("KILL", mayBeGone: true);
            await child.WaitAsync();
        }

        var result = (await RunAsync("adopt", "--yes", "--timeout", "60", "--json")).Should(ExitCode.Done);

        Assert.Equal(200_500, result.Json.GetProperty("stored")[1].GetProperty("rows").GetInt64());
        Assert.Equal(200_500, await _database.ScalarAsync<long>("SELECT count(*) FROM connections"));
    }

    private Task<CommandResult> RunAsync(params string[] arguments) => RunWithAsync(_database.ConnectionString, arguments);

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
