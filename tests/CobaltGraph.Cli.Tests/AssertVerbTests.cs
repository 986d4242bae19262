using CobaltGraph.Testing;

namespace CobaltGraph.Cli.Tests;

public sealed class AssertVerbTests(PostgresServerFixture server) : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cobaltgraph-assert-").FullName;
    private TestDatabase _database = null!;

    public async ValueTask InitializeAsync() => _database = await server.CreateDatabaseAsync();

    public async ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Database_as_expected_is_0_and_a_sabotaged_one_is_2_with_a_line_for_each_difference()
    {
        var clean = (await RunAsync("assert", "--json")).Should(ExitCode.Done).Json;
        Assert.Equal("cobaltgraph.assert/1", clean.GetProperty("schema").GetString());
        Assert.True(clean.GetProperty("is_as_expected").GetBoolean());
        Assert.Empty(clean.GetProperty("differences").EnumerateArray());

        await _database.ExecuteAsync("""
            ALTER TABLE connections DISABLE TRIGGER connections_count;
            DROP INDEX ix_devices_status;
            CREATE FUNCTION extra() RETURNS void LANGUAGE sql AS ''
            """);
        var json = (await RunAsync("assert", "--json")).Should(ExitCode.NotAsWanted).Json;
        Assert.Equal(
            [
                "function|extra()|||there",
                "index|devices.ix_devices_status||there|",
                "trigger|connections.connections_count|state|enabled|disabled",
            ],
            json.GetProperty("differences").EnumerateArray().Select(d => string.Join('|',
                ((string[])["kind", "object", "property", "expected", "found"]).Select(key => d.GetProperty(key).GetString()))));
        var plain = (await RunAsync("assert")).Should(ExitCode.NotAsWanted);
        Assert.Contains("connections.connections_count", plain.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Patch_is_written_and_not_run()
    {
        await _database.ExecuteAsync("ALTER TABLE connections DISABLE TRIGGER connections_count");

        var result = (await RunAsync("assert", "--patch", "mend.sql")).Should(ExitCode.NotAsWanted);

        Assert.Contains("mend.sql: read it before you run it", result.Error, StringComparison.Ordinal);
        Assert.Contains(
            "ALTER TABLE \"connections\" ENABLE TRIGGER connections_count;",
            await File.ReadAllTextAsync(Path.Combine(_folder, "mend.sql"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        (await RunAsync("assert")).Should(ExitCode.NotAsWanted);
    }

    [Fact]
    public async Task Grants_of_a_file_are_expected_and_a_mistake_in_it_is_told()
    {
        const string grants = "GRANT SELECT ON devices TO pg_monitor;";
        await _database.ExecuteAsync(grants);
        await File.WriteAllTextAsync(Path.Combine(_folder, "grants.sql"), grants, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(_folder, "wrong.sql"), "GRANT SELECT ON devises TO pg_monitor", TestContext.Current.CancellationToken);

        (await RunAsync("assert")).Should(ExitCode.NotAsWanted);
        (await RunAsync("assert", "--with", "grants.sql")).Should(ExitCode.Done);
        var wrong = (await RunAsync("assert", "--with", "wrong.sql")).Should(ExitCode.Failed);
        Assert.Contains("--with wrong.sql: relation \"devises\" does not exist", wrong.Error, StringComparison.Ordinal);
        (await RunAsync("assert", "--with", "missing.sql")).Should(ExitCode.Failed);
    }

    [Fact]
    public async Task Empty_database_is_2_and_one_of_a_newer_version_is_refused()
    {
        await using var empty = await server.CreateDatabaseAsync(migrated: false);
        var nothing = (await RunAsync("assert", "--connection", empty.ConnectionString)).Should(ExitCode.NotAsWanted);
        Assert.Contains("is empty", nothing.Error, StringComparison.Ordinal);

        await _database.ExecuteAsync("""INSERT INTO "__EFMigrationsHistory" VALUES ('20991231000000_Later', '10.0.0')""");
        Assert.Contains("20991231000000_Later", (await RunAsync("assert")).Should(ExitCode.Refused).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Schema_is_written_without_a_migrated_database_and_changes_nothing()
    {
        await using var empty = await server.CreateDatabaseAsync(migrated: false);

        var result = (await RunAsync("schema", "--connection", empty.ConnectionString)).Should(ExitCode.Done);

        Assert.Contains("CREATE TABLE devices (\n", result.Output, StringComparison.Ordinal);
        Assert.Equal(0, await empty.ScalarAsync<long>("SELECT count(*) FROM pg_class WHERE relname = 'devices'"));
    }

    private Task<CommandResult> RunAsync(params string[] arguments)
        => new CommandRunner { Folder = _folder, Environment = { ["COBALTGRAPH_CONNECTION"] = _database.ConnectionString } }.RunAsync(arguments);
}
