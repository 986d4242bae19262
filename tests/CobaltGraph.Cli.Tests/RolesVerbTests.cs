using CobaltGraph.Testing;

namespace CobaltGraph.Cli.Tests;

public sealed class RolesVerbTests(PostgresServerFixture server) : IAsyncLifetime
{
    private const string Site = "site";

    private RolesDatabase _roles = null!;

    public async ValueTask InitializeAsync() => _roles = await RolesDatabase.CreateAsync(server);

    public ValueTask DisposeAsync() => _roles.DisposeAsync();

    [Fact]
    public async Task Without_apply_it_shows_what_would_change_and_changes_nothing()
    {
        var result = (await RunAsync(_roles.Dba, "", ["roles", "--json", .. Names])).Should(ExitCode.Done);

        Assert.False(result.Json.GetProperty("applied").GetBoolean());
        Assert.Contains(
            result.Json.GetProperty("changes").EnumerateArray(),
            change => change.GetProperty("change").GetString() == "taken" && change.GetProperty("right").GetString() == "TEMPORARY");
        Assert.Contains("--apply", result.Error, StringComparison.Ordinal);
        Assert.Equal(0, await _roles.Database.ScalarAsync<long>("SELECT count(*) FROM pg_namespace WHERE nspname = 'site'"));
        Assert.Equal(0, await _roles.Database.ScalarAsync<long>($"SELECT count(*) FROM pg_roles WHERE rolname = '{Owner}'"));
    }

    [Fact]
    public async Task Applied_migrated_and_used_by_each_role()
    {
        (await RunAsync(_roles.Dba, "", ["roles", "--apply", .. Names])).Should(ExitCode.Done);
        var deploy = await _roles.LoginAsync(_roles.Named("deploy"), Owner);
        (await RunAsync(deploy, "", "migrate")).Should(ExitCode.Done);
        var writer = await _roles.LoginAsync(_roles.Named("edge"), _roles.NamesFor("r").Writer);
        var reader = await _roles.LoginAsync(_roles.Named("analyst"), _roles.NamesFor("r").Reader);
        const string csv = "timestamp,src_mac,dst_ip,dst_port\n2026-03-01T00:00:00Z,02:00:5e:00:00:01,192.0.2.1,443\n";

        (await RunAsync(writer, csv, "import", "-")).Should(ExitCode.Done);
        var again = (await RunAsync(writer, csv, "import", "-", "--json")).Should(ExitCode.Done);
        Assert.Equal(1, again.Json.GetProperty("rows_duplicate").GetInt64());
        Assert.Equal($"{writer}/import", await _roles.Database.ScalarAsync<string>("SELECT source FROM site.ingest_batches"));

        var foreign = (await RunAsync(writer, csv, "import", "-", "--source", "edge9")).Should(ExitCode.Failed);
        Assert.Contains("'edge9' is not a source of this login", foreign.Error, StringComparison.Ordinal);
        Assert.Contains("--source", foreign.Error, StringComparison.Ordinal);
        var refused = (await RunAsync(reader, csv, "import", "-")).Should(ExitCode.Failed);
        Assert.Contains("SQLSTATE 42501", refused.Error, StringComparison.Ordinal);

        foreach (var verb in (string[])["status", "devices", "connections", "events", "threats"])
            (await RunAsync(reader, "", verb)).Should(ExitCode.Done);

        // The names are known from now on, and nothing is left to change.
        var second = (await RunAsync(_roles.Dba, "", "roles", "--json")).Should(ExitCode.Done);
        Assert.Equal(0, second.Json.GetProperty("changes").GetArrayLength());
    }

    [Fact]
    public async Task Import_by_a_login_does_not_store_again_what_was_stored_before_there_were_roles()
    {
        const string csv = "timestamp,dst_ip,dst_port\n2026-03-01T00:00:00Z,192.0.2.1,443\n";
        (await RunAsync(_roles.Dba, "", "migrate")).Should(ExitCode.Done);
        (await RunAsync(_roles.Dba, csv, "import", "-")).Should(ExitCode.Done);
        (await RunAsync(_roles.Dba, "", ["roles", "--apply", .. Names])).Should(ExitCode.Done);
        var writer = await _roles.LoginAsync(_roles.Named("edge"), _roles.NamesFor("r").Writer);

        var refused = (await RunAsync(writer, csv, "import", "-")).Should(ExitCode.Refused);

        Assert.Contains($"--source {writer}/import", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_missing_is_said()
    {
        var nobody = await _roles.LoginAsync(_roles.Named("nobody"));
        await _roles.Database.ExecuteAsync($"ALTER ROLE {nobody} CREATEROLE");

        var result = (await RunAsync(nobody, "", ["roles", .. Names])).Should(ExitCode.Failed);

        Assert.Contains("GRANT CREATE ON DATABASE", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(RolesDatabase.Password, result.Output + result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Name_of_nothing_is_a_usage_error()
        => Assert.Contains("--owner", (await RunAsync(_roles.Dba, "", "roles", "--owner", "")).Should(ExitCode.Usage).Error, StringComparison.Ordinal);

    private string Owner => _roles.NamesFor("r").Owner;

    private string[] Names
    {
        get
        {
            var names = _roles.NamesFor("r");
            return ["--owner", names.Owner, "--writer", names.Writer, "--reader", names.Reader, "--maintainer", names.Maintainer];
        }
    }

    private Task<CommandResult> RunAsync(string login, string input, params string[] arguments)
        => new CommandRunner
        {
            InputBytes = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(input)),
            Environment = { ["COBALTGRAPH_CONNECTION"] = _roles.ConnectionString(login, Site) },
        }.RunAsync(arguments);
}
