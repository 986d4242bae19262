using System.Text.RegularExpressions;
using CobaltGraph.Testing;
using Npgsql;

namespace CobaltGraph.LocalPostgres.Tests;

// compose.yaml is read as text: what it says to Docker needs Docker, and tests/containers runs images.
public sealed partial class ComposeFileTests
{
    private static readonly string Text = File.ReadAllText(Repository.PathOf("compose.yaml"));

    private static readonly Dictionary<string, string> Settings =
        Setting().Matches(Text).ToDictionary(setting => setting.Groups["name"].Value, setting => setting.Groups["value"].Value);

    [Theory]
    [InlineData("fsync", "on")]
    [InlineData("full_page_writes", "on")]
    [InlineData("synchronous_commit", "on")]
    [InlineData("wal_level", "replica")]
    public void Server_keeps_what_it_acknowledged(string name, string value) => Assert.Equal(value, Settings[name]);

    [Fact]
    public async Task Settings_are_those_that_a_server_then_has()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var server = await TemporaryServer.StartAsync(new() { Settings = Settings }, cancellationToken: cancellation);
        await using var source = NpgsqlDataSource.Create(server.ConnectionString);

        foreach (var (name, value) in Settings)
        {
            await using var show = source.CreateCommand("SELECT current_setting($1)");
            show.Parameters.Add(new NpgsqlParameter { Value = name });
            Assert.Equal(value, await show.ExecuteScalarAsync(cancellation));
        }
    }

    [Fact]
    public void Pages_have_checksums() => Assert.Contains("POSTGRES_INITDB_ARGS: --data-checksums\n", Text, StringComparison.Ordinal);

    [Fact]
    public void Both_services_have_one_version_the_newest_by_default()
        => Assert.Equal(
            Enumerable.Repeat($"postgres:${{POSTGRES_VERSION:-{PostgresBinaries.DefaultMajor}}}", 2),
            Image().Matches(Text).Select(image => image.Groups["image"].Value));

    [Fact]
    public void Files_that_are_mounted_exist_and_are_those_that_psql_reads()
    {
        var mounts = Mount().Matches(Text);

        Assert.NotEmpty(mounts);
        Assert.All(mounts, mount =>
        {
            Assert.True(File.Exists(Repository.PathOf(mount.Groups["source"].Value)), mount.Value);
            Assert.Contains($" -f {mount.Groups["target"].Value}\n", Text, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void Port_is_published_on_loopback_only()
    {
        var ports = Between("    ports:\n", "    healthcheck:");

        Assert.Equal("- \"127.0.0.1:${COBALTGRAPH_PORT:-5432}:5432\"", ports.Trim());
    }

    [Fact]
    public void Password_comes_from_a_file_that_has_to_be_named()
    {
        Assert.Contains("file: ${COBALTGRAPH_PASSWORD_FILE:?", Text, StringComparison.Ordinal);
        Assert.Equal(
            ["POSTGRES_PASSWORD_FILE: /run/secrets/cobaltgraph_password", "PGPASSWORD=$$(cat /run/secrets/cobaltgraph_password)"],
            Password().Matches(Text).Select(password => password.Value));
    }

    [Fact]
    public void Migration_runs_once_and_waits_for_a_server_that_answers()
    {
        Assert.Contains("\"pg_isready\"", Between("    healthcheck:", "  migrate:"), StringComparison.Ordinal);
        var migrate = Between("  migrate:", "\nsecrets:");
        Assert.Contains("restart: \"no\"", migrate, StringComparison.Ordinal);
        Assert.Contains("      postgres:\n        condition: service_healthy\n", migrate, StringComparison.Ordinal);
    }

    [Fact]
    public void Data_lies_in_a_named_volume()
    {
        Assert.Contains("      - data:/var/lib/postgresql\n", Text, StringComparison.Ordinal);
        Assert.Contains("PGDATA: /var/lib/postgresql/", Text, StringComparison.Ordinal);
        Assert.EndsWith("\nvolumes:\n  data:\n", Text, StringComparison.Ordinal);
    }

    private static string Between(string from, string to)
    {
        var start = Text.IndexOf(from, StringComparison.Ordinal) + from.Length;
        return Text[start..Text.IndexOf(to, start, StringComparison.Ordinal)];
    }

    [GeneratedRegex(@"^      - -c\n      - (?<name>\w+)=(?<value>\S+)$", RegexOptions.Multiline)]
    private static partial Regex Setting();

    [GeneratedRegex(@"^    image: (?<image>\S+)$", RegexOptions.Multiline)]
    private static partial Regex Image();

    [GeneratedRegex(@"^      - \./(?<source>[^:\n]+):(?<target>[^:\n]+):ro$", RegexOptions.Multiline)]
    private static partial Regex Mount();

    [GeneratedRegex(@"\w*PASSWORD(_FILE: \S+|: \S+|=\$\$\([^)]*\)|=\S+)")]
    private static partial Regex Password();
}
