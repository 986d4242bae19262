using System.Text.Json;
using CobaltGraph.Testing;

namespace CobaltGraph.Cli.Tests;

public sealed class ExportVerbTests(PostgresServerFixture server) : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cobaltgraph-export-");
    private TestDatabase _database = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await server.CreateDatabaseAsync();
        await _database.ExecuteAsync(
            """
            INSERT INTO devices (mac_address, ip_address, hostname) VALUES ('02:00:5e:00:00:09', '192.168.1.9', E'\x1b[2Jprinter');
            INSERT INTO connections (timestamp, src_mac, src_ip, dst_ip, dst_port, protocol, dst_country, threat_score, threat_category, metadata) VALUES
                ('2026-03-01 12:00Z', '02:00:5e:00:00:01', '192.168.1.1', '203.0.113.9', 443, 'TCP', 'DE', 0, null, '{"service": "ssl"}'),
                ('2026-03-01 13:00Z', '02:00:5e:00:00:01', '192.168.1.1', '203.0.113.9', 8080, 'TCP', null, 8.5, 'c2', '{}'),
                ('2026-03-01 14:00Z', '02:00:5e:00:00:02', '192.168.1.2', '2001:db8::7', 53, 'UDP', null, 1, null, '{}');
            """);
    }

    public async ValueTask DisposeAsync()
    {
        await _database.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Connections_go_to_stdout_as_json_lines_and_their_number_to_stderr()
    {
        var result = (await RunAsync("export", "connections")).Should(ExitCode.Done);

        Assert.Equal(
            [443, 8080, 53],
            result.Output.TrimEnd('\n').Split('\n').Select(line => JsonDocument.Parse(line).RootElement.GetProperty("dst_port").GetInt32()));
        Assert.Equal("Wrote 3 rows.\n", result.Error);
    }

    [Theory]
    [InlineData("rows.csv", "id,timestamp,")]
    [InlineData("rows.ndjson", "{\"id\":")]
    [InlineData("rows", "{\"id\":")]
    [InlineData("rows.txt", "id,timestamp,", "--format", "csv")]
    [InlineData("rows.csv", "{\"id\":", "--format", "ndjson")]
    public async Task Format_is_told_by_the_name_unless_it_is_given(string name, string start, params string[] arguments)
    {
        var result = (await RunAsync(["export", "connections", "--output", name, .. arguments])).Should(ExitCode.Done);

        Assert.StartsWith(start, await File.ReadAllTextAsync(Path.Combine(_folder.FullName, name), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Contains($"Wrote 3 rows to {Path.Combine(_folder.FullName, name)}.", result.Error, StringComparison.Ordinal);
        Assert.Empty(result.Output);
        Assert.Single(_folder.GetFiles());
    }

    [Theory]
    [InlineData("443,8080", "--device", "0200.5e00.0001")]
    [InlineData("443,8080,53", "--device", "0200.5e00.0001,0200.5e00.0002")]
    [InlineData("443,53", "--port", "443", "--port", "50-60")]
    [InlineData("8080", "--level", "critical")]
    [InlineData("8080,53", "--since", "2026-03-01T13:00Z")]
    [InlineData("443", "--until", "2026-03-01T13:00Z")]
    [InlineData("53", "--destination", "2001:db8::/32")]
    [InlineData("443", "--country", "de", "--source", "192.168.0.0/16")]
    [InlineData("443", "--metadata", "{\"service\":\"ssl\"}")]
    [InlineData("8080", "--category", "c2", "--min-score", "8", "--max-score", "9", "--protocol", "tcp")]
    [InlineData("", "--organization", "%", "--hostname", "_")]
    public async Task Filters_say_which_connections(string expected, params string[] arguments)
    {
        var result = (await RunAsync(["export", "connections", "--format", "csv", .. arguments])).Should(ExitCode.Done);

        Assert.Equal(expected, string.Join(',', result.Output.TrimEnd('\n').Split('\n').Skip(1).Select(line => line.Split(',')[6])));
    }

    [Fact]
    public async Task Export_is_imported_into_another_database()
    {
        (await RunAsync("export", "connections", "-o", "rows.csv.gz")).Should(ExitCode.Done);
        (await RunAsync("export", "devices", "-o", "devices.csv")).Should(ExitCode.Done);
        await using var other = await server.CreateDatabaseAsync();

        (await Runner(other).RunAsync("import", "rows.csv.gz", "devices.csv")).Should(ExitCode.Done);

        const string connections = "SELECT timestamp, src_mac::text, src_ip::text, dst_ip::text, dst_port, protocol, dst_country, threat_score, threat_category, metadata::text FROM connections ORDER BY 1";
        const string devices = "SELECT mac_address::text, ip_address::text, hostname, first_seen, last_seen, connection_count FROM devices ORDER BY 1";
        Assert.Equal(await _database.QueryAsync(connections), await other.QueryAsync(connections));
        Assert.Equal(await _database.QueryAsync(devices), await other.QueryAsync(devices));
    }

    [Theory]
    [InlineData("--since is a filter of connections", "export", "devices", "--since", "24h")]
    [InlineData("--port is a filter of connections", "export", "devices", "--port", "1")]
    [InlineData("--port: '70000' is", "export", "connections", "--port", "70000")]
    [InlineData("--device: 'x' is", "export", "connections", "--device", "x")]
    [InlineData("--destination: '10.0.0.0/99' has", "export", "connections", "--destination", "10.0.0.0/99")]
    [InlineData("--until: ", "export", "connections", "--since", "1h", "--until", "2h")]
    [InlineData("'xml'", "export", "connections", "--format", "xml")]
    [InlineData("'events'", "export", "events")]
    [InlineData("--output: '' is no file", "export", "connections", "--output", "")]
    [InlineData("--output: . is a folder", "export", "connections", "--output", ".")]
    [InlineData("the folder of no/rows.csv does not exist", "export", "connections", "--output", "no/rows.csv")]
    [InlineData("/dev/null is a device", "export", "connections", "--output", "/dev/null")]
    public async Task Wrong_command_line_names_the_option(string says, params string[] arguments)
    {
        var result = (await RunAsync(arguments)).Should(ExitCode.Usage);

        Assert.Contains(says, result.Error, StringComparison.Ordinal);
        Assert.Empty(result.Output);
        Assert.Empty(_folder.GetFiles());
    }

    [Fact]
    public async Task Terminal_gets_no_data()
    {
        var runner = new CommandRunner
        {
            Folder = _folder.FullName,
            Terminal = true,
            Environment = { ["COBALTGRAPH_CONNECTION"] = _database.ConnectionString, ["NO_COLOR"] = "1" },
        };

        var refused = (await runner.RunAsync("export", "devices", "--format", "csv")).Should(ExitCode.Usage);
        (await runner.RunAsync("export", "devices", "--output", "devices.csv")).Should(ExitCode.Done);

        Assert.Contains("--output", refused.Error, StringComparison.Ordinal);
        Assert.DoesNotContain('\e', refused.Output + refused.Error);
    }

    [Fact]
    public async Task Export_that_fails_leaves_no_file()
    {
        await using var empty = await server.CreateDatabaseAsync(migrated: false);

        var result = (await Runner(empty).RunAsync("export", "connections", "--output", "rows.csv")).Should(ExitCode.Failed);

        Assert.Contains("cobaltgraph migrate", result.Error, StringComparison.Ordinal);
        Assert.Empty(_folder.GetFiles());
    }

    private CommandRunner Runner(TestDatabase database) => new()
    {
        Folder = _folder.FullName,
        Environment = { ["COBALTGRAPH_CONNECTION"] = database.ConnectionString },
    };

    private Task<CommandResult> RunAsync(params string[] arguments) => Runner(_database).RunAsync(arguments);
}
