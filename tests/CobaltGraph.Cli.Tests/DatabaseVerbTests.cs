using System.Text.Json;
using CobaltGraph.Testing;

namespace CobaltGraph.Cli.Tests;

public sealed class DatabaseVerbTests(PostgresServerFixture server) : IAsyncLifetime
{
    private const string Hostile = "\e[2Jprinter\u202e\t[red]";
    private TestDatabase _database = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await server.CreateDatabaseAsync();
        await _database.ExecuteAsync("""
            -- At the begin of a month the day before yesterday has no partition yet.
            SELECT ensure_connection_partitions(now() - interval '2 days', now());
            INSERT INTO devices (mac_address, ip_address, vendor, device_type, hostname, status, last_seen) VALUES
                ('02:00:5e:00:00:01', '192.168.1.1', 'Acme 100%', 'router', 'gate', 'offline', now() - interval '3 hours'),
                ('02:00:5e:00:00:02', '192.168.1.2', 'ACME 100x', 'iot', null, 'idle', now() - interval '40 minutes'),
                ('02:00:5e:00:00:03', 'fe80::3', 'Other', 'iot', null, 'discovered', now() - interval '1 minute');
            UPDATE devices SET hostname = E'\x1b[2Jprinter' || U&'\202e' || E'\t[red]' WHERE mac_address = '02:00:5e:00:00:02';
            INSERT INTO connections (timestamp, src_mac, src_ip, dst_ip, dst_port, protocol, threat_score, threat_category, bytes_sent, duration, metadata) VALUES
                (now() - interval '2 days', '02:00:5e:00:00:01', '192.168.1.1', '203.0.113.9', 443, 'TCP', 0, null, 10, null, '{}'),
                (now() - interval '1 hour', '02:00:5e:00:00:01', '192.168.1.1', '203.0.113.9', 443, 'TCP', 8.5, 'c2', 20, '1.5 seconds', '{"service": "ssl", "x": [1]}'),
                (now() - interval '1 hour', '02:00:5e:00:00:02', '192.168.1.2', '2001:db8::7', 53, 'UDP', 1, null, null, null, '{}');
            """);
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task Devices_are_listed_latest_first_with_the_columns_in_their_order()
    {
        var result = (await RunAsync("devices")).Should(ExitCode.Done);

        Assert.StartsWith(
            "mac_address\tip_address\tvendor\tdevice_type\thostname\tstatus\tfirst_seen\tlast_seen\tlast_activity\t" +
            "connection_count\tthreat_count\tconfidence_score\tis_locally_administered\t" +
            "threat_score\tthreat_level\tmax_threat_score\tlast_threat\n",
            result.Output, StringComparison.Ordinal);
        Assert.Equal(
            ["02:00:5e:00:00:03", "02:00:5e:00:00:02", "02:00:5e:00:00:01"], result.Rows.Select(r => r["mac_address"]));
        Assert.Empty(result.Error);
    }

    [Theory]
    [InlineData("01", "--vendor", "acme 100%")]
    [InlineData("02,01", "--vendor", "ACME")]
    [InlineData("", "--vendor", "a_me")]
    [InlineData("03,02", "--type", "iot")]
    [InlineData("02", "--type", "iot", "--status", "idle")]
    [InlineData("03,01", "--status", "offline", "--status", "discovered")]
    [InlineData("01,02,03", "--sort", "mac")]
    [InlineData("01,02,03", "--sort", "threats")]
    [InlineData("01", "--sort", "connections", "--limit", "1")]
    [InlineData("03,02,01", "--limit", "2147483647")]
    public async Task Devices_filters_and_orders(string expected, params string[] arguments)
    {
        var result = (await RunAsync(["devices", .. arguments])).Should(ExitCode.Done);

        Assert.Equal(expected, string.Join(',', result.Rows.Select(r => r["mac_address"][^2..])));
    }

    [Fact]
    public async Task List_that_is_cut_says_so()
    {
        var plain = (await RunAsync("devices", "--limit", "2")).Should(ExitCode.Done);
        var all = (await RunAsync("devices", "--limit", "3")).Should(ExitCode.Done);
        var json = (await RunAsync("devices", "--limit", "2", "--json")).Should(ExitCode.Done);

        Assert.Equal(2, plain.Rows.Count);
        Assert.Contains("--limit", plain.Error, StringComparison.Ordinal);
        Assert.Empty(all.Error);
        Assert.True(json.Json.GetProperty("has_more").GetBoolean());
        Assert.Equal(2, json.Json.GetProperty("devices").GetArrayLength());
    }

    [Fact]
    public async Task Hostile_text_of_the_database_is_harmless_in_every_output()
    {
        var plain = (await RunAsync("devices")).Should(ExitCode.Done);
        var json = (await RunAsync("devices", "--json")).Should(ExitCode.Done);
        var terminal = await new CommandRunner
        {
            Terminal = true,
            Width = 300,
            Environment = { ["NO_COLOR"] = "1", ["COBALTGRAPH_CONNECTION"] = _database.ConnectionString },
        }.RunAsync("devices");

        Assert.Equal(@"\x1b[2Jprinter\u202e\t[red]", plain.Rows[1]["hostname"]);
        Assert.Equal(Hostile, json.Json.GetProperty("devices")[1].GetProperty("hostname").GetString());
        Assert.Contains(@"\x1b[2Jprinter\u202e\t[red]", terminal.Output, StringComparison.Ordinal);
        Assert.All([plain.Output, json.Output, terminal.Output], text =>
        {
            Assert.DoesNotContain('\e', text);
            Assert.DoesNotContain('\u202e', text);
        });
    }

    [Theory]
    [InlineData("02:00:5E:00:00:01")]
    [InlineData("02-00-5e-00-00-01")]
    [InlineData("0200.5e00.0001")]
    [InlineData("02005e000001")]
    public async Task Device_is_found_in_any_notation_with_events_destinations_and_connections(string mac)
    {
        var json = (await RunAsync("device", mac, "--json")).Should(ExitCode.Done).Json;

        Assert.Equal("cobaltgraph.device/1", json.GetProperty("schema").GetString());
        Assert.Equal("02:00:5e:00:00:01", json.GetProperty("device").GetProperty("mac_address").GetString());
        Assert.Equal(2, json.GetProperty("device").GetProperty("connection_count").GetInt64());
        Assert.Equal(1, json.GetProperty("device").GetProperty("threat_count").GetInt64());
        Assert.Contains(
            "threat_detected",
            json.GetProperty("events").EnumerateArray().Select(e => e.GetProperty("event_type").GetString()));
        var destination = Assert.Single(json.GetProperty("destinations").EnumerateArray());
        Assert.Equal("203.0.113.9", destination.GetProperty("dst_ip").GetString());
        Assert.Equal(2, json.GetProperty("connections").GetArrayLength());
        Assert.Equal(1.5, json.GetProperty("connections")[0].GetProperty("duration_seconds").GetDouble());
        Assert.Equal("""{"service":"ssl","x":[1]}""", Compact(json.GetProperty("connections")[0].GetProperty("metadata")));
    }

    [Fact]
    public async Task Device_that_is_not_there_is_2()
    {
        var result = (await RunAsync("device", "02:00:5e:ff:ff:ff")).Should(ExitCode.NotAsWanted);

        Assert.Contains("no device 02:00:5e:ff:ff:ff", result.Error, StringComparison.Ordinal);
        Assert.Empty(result.Output);
    }

    [Fact]
    public async Task Device_that_was_removed_points_to_its_trail()
    {
        await _database.ExecuteAsync("DELETE FROM devices WHERE mac_address = '02:00:5e:00:00:01'");

        var result = (await RunAsync("device", "02:00:5e:00:00:01")).Should(ExitCode.NotAsWanted);
        Assert.Contains("cobaltgraph events --device 02:00:5e:00:00:01", result.Error, StringComparison.Ordinal);

        var events = (await RunAsync("events", "--device", "02:00:5e:00:00:01", "--type", "removed")).Should(ExitCode.Done);
        Assert.Equal("removed", Assert.Single(events.Rows)["event_type"]);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(1, "--threats")]
    [InlineData(2, "--since", "24h")]
    [InlineData(1, "--until", "24h")]
    [InlineData(2, "--device", "0200.5e00.0001")]
    [InlineData(1, "--destination", "2001:DB8::7")]
    [InlineData(0, "--destination", "2001:db8::7", "--threats")]
    public async Task Connections_filters(int expected, params string[] arguments)
    {
        var result = (await RunAsync(["connections", .. arguments])).Should(ExitCode.Done);

        Assert.Equal(expected, result.Output.TrimEnd('\n').Split('\n').Length - 1);
    }

    [Fact]
    public async Task Connections_json_has_ports_as_numbers()
    {
        await _database.ExecuteAsync("UPDATE connections SET src_port = 50123, dst_port = 8443 WHERE threat_score = 8.5");

        var json = (await RunAsync("connections", "--threats", "--json")).Should(ExitCode.Done).Json;

        var connection = json.GetProperty("connections")[0];
        Assert.Equal(50123, connection.GetProperty("src_port").GetInt32());
        Assert.Equal(8443, connection.GetProperty("dst_port").GetInt32());
    }

    [Fact]
    public async Task Connections_on_a_terminal_show_a_port_without_separators()
    {
        await _database.ExecuteAsync("UPDATE connections SET dst_port = 8443");

        var terminal = await new CommandRunner
        {
            Terminal = true,
            Width = 300,
            Environment = { ["NO_COLOR"] = "1", ["COBALTGRAPH_CONNECTION"] = _database.ConnectionString },
        }.RunAsync("connections");

        Assert.Contains("8443", terminal.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("8,443", terminal.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connections_threats_use_the_index_on_scores()
    {
        await _database.ExecuteAsync("""
            INSERT INTO connections (timestamp, src_mac, dst_ip, dst_port, threat_score)
            SELECT now() - i * interval '1 second', '02:00:5e:00:00:01', '203.0.113.1', 443, CASE WHEN i % 100 = 0 THEN 9 ELSE 0 END
            FROM generate_series(1, 20000) AS i;
            ANALYZE connections;
            """);
        var before = await IndexScansAsync();

        (await RunAsync("connections", "--threats", "--limit", "0")).Should(ExitCode.Done);

        Assert.True(await IndexScansAsync() > before, "no scan of an index on threat_score");

        async Task<long> IndexScansAsync()
        {
            // Statistics of a session are seen when it ends; the verb's has.
            await _database.ExecuteAsync("SELECT pg_stat_clear_snapshot()");
            await Task.Delay(1500, TestContext.Current.CancellationToken);
            return await _database.ScalarAsync<long>(
                "SELECT coalesce(sum(idx_scan), 0)::bigint FROM pg_stat_user_indexes WHERE indexrelname LIKE '%threat_score%'");
        }
    }

    [Fact]
    public async Task Events_are_filtered_by_type_and_latest_first()
    {
        var result = (await RunAsync("events", "--type", "threat_detected", "--type", "discovered", "--json")).Should(ExitCode.Done);

        var types = result.Json.GetProperty("events").EnumerateArray()
            .Select(e => e.GetProperty("event_type").GetString()).ToList();
        Assert.Contains("threat_detected", types);
        Assert.Contains("discovered", types);
        Assert.Equal(4, types.Count);
    }

    [Fact]
    public async Task Status_of_a_current_database_is_ready()
    {
        var result = (await RunAsync("status", "--check", "--json")).Should(ExitCode.Done);
        var json = result.Json;

        Assert.Equal("cobaltgraph.status/1", json.GetProperty("schema").GetString());
        Assert.True(json.GetProperty("is_current").GetBoolean());
        Assert.True(json.GetProperty("is_ready").GetBoolean());
        Assert.Equal(_database.Name, json.GetProperty("database").GetString());
        Assert.Equal("public", json.GetProperty("schema_name").GetString());
        Assert.All(
            json.GetProperty("migrations").EnumerateArray(),
            m => Assert.Equal("applied", m.GetProperty("state").GetString()));
        var tables = json.GetProperty("tables").EnumerateArray().ToDictionary(t => t.GetProperty("table").GetString()!);
        Assert.Equal(
            (await _database.QueryAsync("""
                SELECT relname::text FROM pg_class
                WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
                  AND relname <> '__EFMigrationsHistory'
                ORDER BY relname
                """)).Select(row => (string)row[0]!),
            tables.Keys);
        Assert.Equal(3, tables["devices"].GetProperty("rows").GetInt64());
        Assert.Equal(3, tables["connections"].GetProperty("rows").GetInt64());
        Assert.False(tables["connections"].GetProperty("rows_estimated").GetBoolean());
        Assert.True(json.GetProperty("partitions").GetArrayLength() >= 5);
        Assert.Empty(result.Error);
    }

    [Fact]
    public async Task Status_names_connections_without_a_partition_and_the_remedy_works()
    {
        await _database.ExecuteAsync(
            "INSERT INTO connections (timestamp, dst_ip, dst_port) VALUES ('2001-02-03', '203.0.113.1', 1), ('2001-03-03', '203.0.113.1', 1)");

        var result = (await RunAsync("status", "--check")).Should(ExitCode.Done);
        Assert.Contains("2 connections of 2001-02-03 to 2001-03-03 are in connections_default", result.Error, StringComparison.Ordinal);

        var remedy = result.Error[result.Error.IndexOf("SELECT ", StringComparison.Ordinal)..].Trim();
        await _database.ExecuteAsync(remedy);
        Assert.Empty((await RunAsync("status")).Should(ExitCode.Done).Error);
    }

    [Theory]
    [InlineData("devices")]
    [InlineData("connections")]
    [InlineData("events")]
    [InlineData("device", "02:00:5e:00:00:01")]
    [InlineData("status")]
    [InlineData("migrate")]
    [InlineData("migrate", "--dry-run")]
    public async Task Json_of_a_verb_is_one_document_with_its_schema(params string[] arguments)
    {
        var result = (await RunAsync([.. arguments, "--json"])).Should(ExitCode.Done);

        Assert.Equal($"cobaltgraph.{arguments[0]}/1", result.Json.GetProperty("schema").GetString());
    }

    [Fact]
    public async Task Unmigrated_database_points_to_migrate()
    {
        await using var empty = await server.CreateDatabaseAsync(migrated: false);

        var result = (await new CommandRunner { Environment = { ["COBALTGRAPH_CONNECTION"] = empty.ConnectionString } }
            .RunAsync("devices")).Should(ExitCode.Failed);

        Assert.Contains("42P01", result.Error, StringComparison.Ordinal);
        Assert.Contains("cobaltgraph migrate", result.Error, StringComparison.Ordinal);
        Assert.Contains(empty.Name, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wrong_database_and_wrong_password_are_explained()
    {
        var noDatabase = (await RunWithAsync(_database.ConnectionStringWith(c => c.Database = "no such database"), "status"))
            .Should(ExitCode.Failed);
        Assert.Contains("3D000", noDatabase.Error, StringComparison.Ordinal);
        Assert.Contains("createdb -h ", noDatabase.Error, StringComparison.Ordinal);

        var role = $"role_{Guid.NewGuid():N}";
        await _database.ExecuteAsync($"CREATE ROLE {role} LOGIN PASSWORD 'right'");
        try
        {
            var denied = (await RunWithAsync(
                _database.ConnectionStringWith(c => { c.Username = role; c.Password = "right"; }), "devices")).Should(ExitCode.Failed);
            Assert.Contains("42501", denied.Error, StringComparison.Ordinal);
            Assert.Contains("GRANT", denied.Error, StringComparison.Ordinal);
        }
        finally
        {
            await _database.ExecuteAsync($"DROP ROLE {role}");
        }
    }

    private Task<CommandResult> RunAsync(params string[] arguments)
        => RunWithAsync(_database.ConnectionString, arguments);

    private static Task<CommandResult> RunWithAsync(string connection, params string[] arguments)
        => new CommandRunner { Environment = { ["COBALTGRAPH_CONNECTION"] = connection } }.RunAsync(arguments);

    private static string Compact(JsonElement json) => JsonSerializer.Serialize(json);
}
