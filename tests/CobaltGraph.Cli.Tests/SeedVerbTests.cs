using CobaltGraph.Testing;

namespace CobaltGraph.Cli.Tests;

public sealed class SeedVerbTests(PostgresServerFixture server) : IAsyncLifetime
{
    private TestDatabase _database = null!;

    public async ValueTask InitializeAsync() => _database = await server.CreateDatabaseAsync();

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task Seed_stores_what_was_asked_for()
    {
        var result = (await RunAsync(
            "seed", "--devices", "20", "--connections", "300", "--days", "2", "--recipe", "small-office", "--seed", "7", "--json"))
            .Should(ExitCode.Done);

        Assert.Equal("cobaltgraph.seed/1", result.Json.GetProperty("schema").GetString());
        Assert.Equal(20, result.Json.GetProperty("devices_inserted").GetInt64());
        Assert.Equal(300, result.Json.GetProperty("connections").GetInt64());
        Assert.Equal(20, await _database.ScalarAsync<long>("SELECT count(*) FROM devices"));
        Assert.Equal(300, await _database.ScalarAsync<long>("SELECT count(*) FROM connections"));
    }

    [Fact]
    public async Task Seed_refuses_data_unless_told_to_append()
    {
        string[] little = ["seed", "--devices", "5", "--connections", "10", "--days", "1"];
        (await RunAsync(little)).Should(ExitCode.Done);

        var refused = (await RunAsync(little)).Should(ExitCode.Refused);
        Assert.Contains("--append", refused.Error, StringComparison.Ordinal);
        Assert.Equal(10, await _database.ScalarAsync<long>("SELECT count(*) FROM connections"));

        (await RunAsync([.. little, "--append"])).Should(ExitCode.Done);
        Assert.Equal(20, await _database.ScalarAsync<long>("SELECT count(*) FROM connections"));
    }

    [Theory]
    [InlineData("--devices", "0")]
    [InlineData("--days", "0")]
    [InlineData("--connections", "-1")]
    [InlineData("--recipe", "castle")]
    public async Task Seed_out_of_range_is_a_usage_error(params string[] arguments)
        => (await RunAsync(["seed", .. arguments])).Should(ExitCode.Usage);

    private Task<CommandResult> RunAsync(params string[] arguments)
        => new CommandRunner { Environment = { ["COBALTGRAPH_CONNECTION"] = _database.ConnectionString } }.RunAsync(arguments);
}
