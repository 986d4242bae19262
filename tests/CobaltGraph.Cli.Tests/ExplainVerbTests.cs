using System.Text.Json;
using CobaltGraph.Testing;

namespace CobaltGraph.Cli.Tests;

public sealed class ExplainVerbTests(PostgresServerFixture server) : IAsyncLifetime
{
    private TestDatabase _database = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await server.CreateDatabaseAsync();
        await _database.ExecuteAsync(
            """
            INSERT INTO connections (timestamp, src_mac, src_ip, dst_ip, dst_port, dst_country) VALUES
                ('2026-03-01 12:00Z', '02:00:5e:00:00:01', '192.168.1.1', '203.0.113.9', 443, 'DE'),
                ('2026-03-01 13:00Z', '02:00:5e:00:00:02', '192.168.1.2', '203.0.113.9', 443, 'DE');
            """);
    }

    public async ValueTask DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public async Task Plans_of_the_queries_that_are_asked_for_are_shown()
    {
        var result = (await RunAsync("explain", "--only", "who had", "--only", "by country", "--min", "100", "--json")).Should(ExitCode.Done);

        var json = JsonDocument.Parse(result.Output).RootElement;
        Assert.Equal(100, json.GetProperty("coverage_percent").GetDouble());
        Assert.Equal(5, json.GetProperty("queries_asked").GetInt32());
        var holder = json.GetProperty("queries").EnumerateArray().First(query => query.GetProperty("query").GetString() == "who had an address");
        Assert.Equal("IAddressQueries.WhoHadAsync", holder.GetProperty("method").GetString());
        Assert.Contains("device_addresses", holder.GetProperty("plans").GetString(), StringComparison.Ordinal);
        Assert.Contains("FROM device_addresses", holder.GetProperty("sql").GetString(), StringComparison.Ordinal);
        var indexes = json.GetProperty("indexes").EnumerateArray().ToDictionary(index => index.GetProperty("index").GetString()!);
        Assert.Equal("who had an address", indexes["ix_device_addresses_ip_address_first_seen"].GetProperty("used_by").GetString());
        Assert.DoesNotContain("ix_connections_threat_category_timestamp", indexes.Keys);
    }

    [Fact]
    public async Task Redirected_answer_has_one_line_a_call()
    {
        var result = (await RunAsync("explain", "--only", "device summary")).Should(ExitCode.Done);

        Assert.StartsWith("query\tvalues\tmethod\tcovered\trows\t", result.Output, StringComparison.Ordinal);
        Assert.Contains("\ncoverage_percent\t100\n", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Coverage_below_the_least_is_told_by_the_exit_code()
    {
        // Large enough, and without the index that would help.
        await _database.ExecuteAsync(
            """
            SELECT ensure_connection_partitions('2026-03-01Z', '2026-03-31Z');
            INSERT INTO connections (timestamp, src_mac, dst_ip, dst_port)
            SELECT timestamptz '2026-03-01Z' + i * interval '1 minute', '02:00:5e:00:00:01', '203.0.113.9', 443 FROM generate_series(1, 20000) AS i;
            DROP INDEX ix_connections_dst_ip_timestamp;
            ANALYZE;
            """);

        var result = (await RunAsync("explain", "--only", "by destination", "--min", "100")).Should(ExitCode.NotAsWanted);

        Assert.Contains("less than the 100 % of --min", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Name_of_no_query_is_not_found()
    {
        var result = (await RunAsync("explain", "--only", "no such query")).Should(ExitCode.NotAsWanted);

        Assert.Contains("No query has such a text in its name.", result.Error, StringComparison.Ordinal);
    }

    private Task<CommandResult> RunAsync(params string[] arguments)
        => new CommandRunner().RunAsync([.. arguments, "--connection", _database.ConnectionString]);
}
