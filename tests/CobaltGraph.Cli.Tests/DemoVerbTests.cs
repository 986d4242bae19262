using CobaltGraph.Testing;

namespace CobaltGraph.Cli.Tests;

public sealed class DemoVerbTests(PostgresServerFixture server)
{
    [Fact]
    public async Task Demo_from_nothing_ends_with_the_summary_and_a_second_one_adds_nothing()
    {
        var home = Directory.CreateTempSubdirectory("cobaltgraph-demo-");
        var runner = new CommandRunner { Environment = { ["COBALTGRAPH_HOME"] = home.FullName }, Folder = home.FullName };
        try
        {
            var first = (await runner.RunAsync("demo", "--json")).Should(ExitCode.Done).Json;
            Assert.Equal("cobaltgraph.demo/1", first.GetProperty("schema").GetString());
            Assert.True(first.GetProperty("seeded").GetBoolean());
            Assert.NotEqual(0, first.GetProperty("devices").GetArrayLength());
            Assert.NotEqual(0, first.GetProperty("threats").GetArrayLength());
            Assert.Equal(3, first.GetProperty("queries").GetArrayLength());
            Assert.Equal(1000, first.GetProperty("queries")[0].GetProperty("rows").GetInt32());

            var second = (await runner.RunAsync("demo")).Should(ExitCode.Done);
            Assert.Contains("nothing was added", second.Error, StringComparison.Ordinal);
            Assert.Contains("psql\tPGPASSFILE=", second.Output, StringComparison.Ordinal);

            // What it says to try next works as it stands.
            var next = first.GetProperty("next").EnumerateArray()
                .Select(row => row.GetProperty("command").GetString()!).ToList();
            Assert.All(next, command => Assert.StartsWith("cobaltgraph ", command, StringComparison.Ordinal));
            foreach (var command in next)
                (await runner.RunAsync(command.Split(' ')[1..])).Should(ExitCode.Done);
        }
        finally
        {
            await runner.RunAsync("down", "--delete", "--yes");
            home.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Demo_in_a_configured_database_wants_a_yes()
    {
        await using var database = await server.CreateDatabaseAsync(migrated: false);
        var runner = new CommandRunner { Environment = { ["COBALTGRAPH_CONNECTION"] = database.ConnectionString } };

        var refused = (await runner.RunAsync("demo")).Should(ExitCode.Refused);
        Assert.Contains("--yes", refused.Error, StringComparison.Ordinal);
        Assert.Null(await database.ScalarAsync<string>("SELECT to_regclass('devices')::text"));

        var result = (await runner.RunAsync("demo", "--yes")).Should(ExitCode.Done);
        Assert.Equal(1000, await database.ScalarAsync<long>("SELECT count(*) FROM devices"));
        Assert.Equal(10_000, await database.ScalarAsync<long>("SELECT count(*) FROM connections"));
        Assert.DoesNotContain("PGPASSFILE", result.Output, StringComparison.Ordinal);
    }
}
