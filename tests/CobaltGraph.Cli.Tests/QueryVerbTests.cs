using System.Text.Json;
using CobaltGraph.Cli.Database;
using CobaltGraph.Testing;

namespace CobaltGraph.Cli.Tests;

public sealed class QueryVerbTests(PostgresServerFixture server) : IAsyncLifetime
{
    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("cobaltgraph-home-");
    private TestDatabase _database = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await server.CreateDatabaseAsync();
        await _database.ExecuteAsync("""
            INSERT INTO devices (mac_address, ip_address, vendor, hostname, metadata) VALUES
                ('02:00:5e:00:00:01', '192.168.1.1', 'Acme', 'gate', '{"tags": ["core"]}'),
                ('02:00:5e:00:00:02', '192.168.1.2', 'Acme', 'printer', '{}'),
                ('02:00:5e:00:00:03', '192.168.1.2', 'Other', null, '{}');
            INSERT INTO connections (timestamp, src_mac, dst_ip, dst_port, protocol, dst_country, dst_org, threat_score, threat_category, bytes_sent, bytes_received) VALUES
                (now() - interval '2 days', '02:00:5e:00:00:01', '203.0.113.9', 443, 'TCP', 'DE', 'Example Org', 0, null, 10, 5),
                (now() - interval '3 hours', '02:00:5e:00:00:01', '203.0.113.9', 443, 'TCP', 'DE', 'Example Org', 8.5, 'c2', 20, 5),
                (now() - interval '2 hours', '02:00:5e:00:00:02', '203.0.113.9', 80, 'TCP', 'DE', 'Example Org', 8, 'proxy', 1000, null),
                (now() - interval '1 hours', '02:00:5e:00:00:02', '2001:db8::7', 53, 'UDP', null, null, 1, null, null, null);
            INSERT INTO device_events (timestamp, device_mac, event_type, new_value) VALUES
                ('2001-02-03Z', '02:00:5e:00:00:01', 'ip_changed', '10.0.0.11'),
                ('2001-02-03Z', '02:00:5e:00:00:02', 'ip_changed', '10.0.0.12'),
                ('2001-02-04Z', '02:00:5e:00:00:02', 'idle', 'idle'),
                ('2001-02-02Z', '02:00:5e:00:00:02', 'ip_changed', '10.0.0.14');
            """);
    }

    public async ValueTask DisposeAsync()
    {
        await _database.DisposeAsync();
        _home.Delete(recursive: true);
    }

    [Theory]
    [InlineData("connections", "connections", "dst_port", "43,43,80,53", "--oldest-first")]
    [InlineData("connections", "connections", "dst_port", "53,80,43", "--since", "24h")]
    [InlineData("devices", "devices", "mac_address", "03,02,01", "--sort", "mac", "--descending")]
    [InlineData("devices", "devices", "mac_address", "01,02,03", "--sort", "mac", "--seen-since", "24h")]
    [InlineData("threats", "threats", "threat_score", "10,3,0")]
    [InlineData("events", "events", "new_value", "12,11,14", "--type", "ip_changed,removed", "--until", "2001-02-05")]
    [InlineData("destinations", "contacts", "mac_address", "01,02", "203.0.113.9")]
    [InlineData("destinations", "new_destinations", "dst_ip", ":7,.9,.9", "--new-since", "7d")]
    public async Task Pages_by_cursor_in_both_directions_are_the_whole_list(
        string verb, string table, string column, string expected, params string[] arguments)
    {
        string[] page = [verb, .. arguments, "--json", "--limit", "1"];
        var cells = new List<string>();
        string? cursor = null;
        string? previous = null;
        do
        {
            var json = (await RunAsync(cursor is null ? page : [.. page, "--cursor", cursor])).Should(ExitCode.Done).Json;
            var row = Assert.Single(json.GetProperty(table).EnumerateArray());
            cells.Add(row.GetProperty(column).ToString());
            cursor = json.GetProperty("next").GetString();
            previous = json.GetProperty("previous").GetString();
            Assert.Equal(cursor is not null, json.GetProperty("has_more").GetBoolean());
            Assert.Equal(cells.Count > 1, previous is not null);
        }
        while (cursor is not null && cells.Count < 9);

        Assert.Equal(expected, string.Join(',', cells.Select(cell => cell[^Math.Min(2, cell.Length)..])), ignoreCase: true);
        var back = (await RunAsync([.. page, "--cursor", previous!])).Should(ExitCode.Done).Json;
        Assert.Equal(cells[^2], back.GetProperty(table)[0].GetProperty(column).ToString());
    }

    [Fact]
    public async Task Page_says_on_stderr_how_to_go_on_and_the_total()
    {
        var first = (await RunAsync("devices", "--sort", "mac", "--limit", "2")).Should(ExitCode.Done);
        var cursor = first.Error.Split("--cursor ")[1].Trim();
        var second = (await RunAsync("devices", "--sort", "mac", "--limit", "2", "--cursor", cursor)).Should(ExitCode.Done);

        Assert.Contains("2 of exactly 3.", first.Error, StringComparison.Ordinal);
        Assert.Equal("02:00:5e:00:00:03", Assert.Single(second.Rows)["mac_address"]);
        Assert.Contains("The page before: --cursor ", second.Error, StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite,
                File.GetUnixFileMode(Path.Combine(_home.FullName, CursorKey.FileName)));
        }

        Assert.Single(_home.GetFiles());
    }

    [Theory]
    [InlineData("devices")]
    [InlineData("threats")]
    public async Task All_rows_are_those_of_one_moment(string verb)
    {
        await _database.ExecuteAsync(
            "INSERT INTO devices (mac_address, threat_score) SELECT ('02:00:00:01:' || to_hex(i / 256) || ':' || to_hex(i % 256))::macaddr, 1 FROM generate_series(1, 1100) AS i");
        // What comes last moves to the front while the first page is shown.
        await using var output = new ActingWriter(() => _database.ExecuteAsync(
            "UPDATE devices SET last_seen = now() + interval '1 hour', threat_score = 9 WHERE mac_address IN (SELECT mac_address FROM devices ORDER BY threat_score, last_seen, mac_address DESC LIMIT 50)"));

        var result = await Runner(_database, _home.FullName, output).RunAsync(verb, "--limit", "0");

        Assert.Equal(ExitCode.Done, result.ExitCode);
        Assert.Equal(1103, output.ToString().Split('\n').Count(line => line.StartsWith("02:00:", StringComparison.Ordinal)));
        Assert.True(output.HasActed);
    }

    [Fact]
    public async Task Metadata_as_deep_as_the_server_has_it_is_shown()
    {
        const int depth = 3000;
        await _database.ExecuteAsync(
            "UPDATE devices SET metadata = ('{\"deep\":' || repeat('[', 3000) || repeat(']', 3000) || '}')::jsonb WHERE mac_address = '02:00:5e:00:00:01'");

        var list = (await RunAsync("device", "02:00:5e:00:00:01")).Should(ExitCode.Done);
        var json = (await RunAsync("device", "02:00:5e:00:00:01", "--json")).Should(ExitCode.Done);

        Assert.Contains(new string('[', depth), list.Output, StringComparison.Ordinal);
        Assert.Equal(depth, json.Output.Count(c => c == '[') - json.Output.Split('\n').Count(line => line.TrimStart().StartsWith('"') && line.Contains(": [", StringComparison.Ordinal) && !line.Contains("deep", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task All_events_are_those_of_one_moment()
    {
        await _database.ExecuteAsync(
            "INSERT INTO device_events (timestamp, device_mac, event_type) SELECT '2000-02-03Z'::timestamptz + i % 10 * interval '1 hour', '02:00:5e:00:00:03', 'active' FROM generate_series(1, 1100) AS i");
        await using var output = new ActingWriter(() => _database.ExecuteAsync(
            "INSERT INTO device_events (timestamp, device_mac, event_type) VALUES ('2000-02-02Z', '02:00:5e:00:00:03', 'idle')"));

        var result = await Runner(_database, _home.FullName, output).RunAsync("events", "--until", "2000-03-01", "--limit", "0");

        Assert.Equal(ExitCode.Done, result.ExitCode);
        Assert.Equal(1100, output.ToString().Split('\n').Count(line => line.Contains("02:00:5e:00:00:03", StringComparison.Ordinal)));
        Assert.True(output.HasActed);
    }

    [Theory]
    [InlineData("connections")]
    [InlineData("events")]
    public async Task Age_means_on_the_next_page_what_it_meant_on_the_first(string verb)
    {
        var first = (await RunAsync(verb, "--since", "24h", "--limit", "1")).Should(ExitCode.Done);
        var cursor = first.Error.Split("--cursor ")[1].Trim();

        (await RunAsync(verb, "--since", "24h", "--limit", "1", "--cursor", cursor)).Should(ExitCode.Done);
        (await RunAsync(verb, "--since", "2001-01-01", "--cursor", cursor)).Should(ExitCode.Usage);
        Assert.Contains(
            "is of a list with --since 24h", (await RunAsync(verb, "--since", "7d", "--cursor", cursor)).Should(ExitCode.Usage).Error,
            StringComparison.Ordinal);
        (await RunAsync(verb, "--cursor", cursor)).Should(ExitCode.Usage);
        (await RunAsync(verb, "--since", "24h", "--cursor", cursor.Replace("~24h", "", StringComparison.Ordinal))).Should(ExitCode.Usage);
        (await RunAsync(verb, "--since", "24h", "--cursor", cursor.Replace(".6", ".5", StringComparison.Ordinal))).Should(ExitCode.Usage);
    }

    [Fact]
    public async Task List_of_all_goes_beyond_a_page()
    {
        await _database.ExecuteAsync("""
            INSERT INTO connections (timestamp, src_mac, dst_ip, dst_port)
            SELECT now() - i * interval '1 second', '02:00:5e:00:00:03', '203.0.113.1', i FROM generate_series(1, 2100) AS i
            """);

        var all = (await RunAsync("connections", "--device", "02:00:5e:00:00:03", "--limit", "0")).Should(ExitCode.Done);
        var most = (await RunAsync("connections", "--device", "02:00:5e:00:00:03", "--limit", "2050", "--json")).Should(ExitCode.Done);

        Assert.Equal(Enumerable.Range(1, 2100).Select(i => $"{i}"), all.Rows.Select(row => row["dst_port"]));
        Assert.Empty(all.Error);
        Assert.Equal(2050, most.Json.GetProperty("connections").GetArrayLength());
        Assert.True(most.Json.GetProperty("has_more").GetBoolean());
    }

    [Fact]
    public async Task Without_a_key_lists_work_and_say_that_paging_needs_one()
    {
        var home = Path.Combine(typeof(QueryVerbTests).Assembly.Location, "below-a-file");

        var list = (await RunAtAsync(home, "devices", "--limit", "1", "--json")).Should(ExitCode.Done);
        var page = (await RunAtAsync(home, "devices", "--limit", "1", "--cursor", "AAAA")).Should(ExitCode.Failed);

        Assert.True(list.Json.GetProperty("has_more").GetBoolean());
        Assert.Equal(JsonValueKind.Null, list.Json.GetProperty("next").ValueKind);
        Assert.All([list.Error, page.Error], error => Assert.Contains("COBALTGRAPH_HOME", error, StringComparison.Ordinal));
        Assert.Contains("--limit 0", list.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Damaged_key_is_named()
    {
        await File.WriteAllTextAsync(
            Path.Combine(_home.FullName, CursorKey.FileName), "short", TestContext.Current.CancellationToken);

        var result = (await RunAsync("devices", "--cursor", "AAAA")).Should(ExitCode.Failed);

        Assert.Contains(CursorKey.FileName, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Key_is_one_for_all_who_make_it_at_once()
    {
        var home = Path.Combine(_home.FullName, "new");

        var keys = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => CursorKey.ReadOrCreate(home))));

        Assert.All(keys, key => Assert.Equal(keys[0], key));
        Assert.Single(Directory.GetFiles(home));
    }

    [Theory]
    [InlineData("01", "--tag", "core")]
    [InlineData("02,03", "--address", "192.168.1.2/32")]
    [InlineData("01,02,03", "--mac", "02:00:5e", "--locally-administered", "yes")]
    [InlineData("02", "--hostname", "PRINT")]
    [InlineData("01,03", "--level", "medium", "--level", "high", "--metadata", "{}", "--ascending", "--mac", "02")]
    [InlineData("", "--status", "idle,offline", "--seen-since", "2099-01-01")]
    public async Task Devices_are_found_by_every_filter(string expected, params string[] arguments)
    {
        if (expected == "01,03") await _database.ExecuteAsync("INSERT INTO connections (timestamp, src_mac, dst_ip, dst_port, threat_category) VALUES (now(), '02:00:5e:00:00:03', '203.0.113.1', 1, 'malware')");

        var result = (await RunAsync(["devices", "--sort", "mac", .. arguments])).Should(ExitCode.Done);

        Assert.Equal(expected, string.Join(',', result.Rows.Select(row => row["mac_address"][^2..])));
    }

    [Fact]
    public async Task Device_json_has_all_that_is_known_of_it()
    {
        var json = (await RunAsync("device", "02:00:5e:00:00:01", "--limit", "1", "--json")).Should(ExitCode.Done);

        Assert.Equal(1, json.Json.GetProperty("summary").GetProperty("unique_destinations").GetInt64());
        Assert.Equal(10, json.Json.GetProperty("threats").GetProperty("threat_score").GetInt64());
        Assert.Equal("medium", json.Json.GetProperty("threats").GetProperty("threat_level").GetString());
        Assert.Equal("192.168.1.1", json.Json.GetProperty("addresses")[0].GetProperty("ip_address").GetString());
        Assert.Equal(JsonValueKind.Null, json.Json.GetProperty("addresses")[0].GetProperty("last_seen").ValueKind);
        Assert.Equal(2, json.Json.GetProperty("activity").GetArrayLength());
        Assert.Equal("Example Org", json.Json.GetProperty("destinations")[0].GetProperty("organization").GetString());
        Assert.Equal(JsonValueKind.Number, json.Json.GetProperty("ports")[0].GetProperty("port").ValueKind);
        Assert.Equal("DE", json.Json.GetProperty("countries")[0].GetProperty("country").GetString());
        Assert.Equal(1, json.Json.GetProperty("connections").GetArrayLength());
        Assert.Equal(1, json.Json.GetProperty("events").GetArrayLength());

        var rest = (await RunAsync(
            "connections", "--device", "02:00:5e:00:00:01", "--cursor", json.Json.GetProperty("connections_next").GetString()!)).Should(ExitCode.Done);
        Assert.Equal("0", Assert.Single(rest.Rows)["threat_score"]);
    }

    [Fact]
    public async Task Destination_tells_how_many_devices_share_it()
    {
        var text = (await RunAsync("destinations", "203.0.113.9")).Should(ExitCode.Done);
        var unknown = (await RunAsync("destinations", "203.0.113.77", "--json")).Should(ExitCode.Done).Json;

        Assert.Contains("destination.device_count\t2\n", text.Output, StringComparison.Ordinal);
        Assert.Contains("\n02:00:5e:00:00:02\tprinter\tAcme\t", text.Output, StringComparison.Ordinal);
        Assert.Equal(0, unknown.GetProperty("destination").GetProperty("device_count").GetInt64());
        Assert.Equal(0, unknown.GetProperty("contacts").GetArrayLength());
    }

    [Theory]
    [InlineData("2001:db8::7", "--new-since", "24h", "--new-to-all")]
    [InlineData("2001:db8::7,203.0.113.9", "--new-since", "24h")]
    [InlineData("203.0.113.9", "--new-since", "7d", "--device", "0200.5e00.0001")]
    public async Task Destinations_that_are_new_are_listed(string expected, params string[] arguments)
    {
        var result = (await RunAsync(["destinations", .. arguments])).Should(ExitCode.Done);

        Assert.Equal(expected, string.Join(',', result.Rows.Select(row => row["dst_ip"])));
    }

    [Theory]
    [InlineData("device", "top_talkers", "mac_address", "02:00:5e:00:00:01", "--top", "connections")]
    [InlineData("hour", "top_talkers", "mac_address", "02:00:5e:00:00:01", "--top", "connections", "--from", "30d")]
    [InlineData("hour", "top_talkers", "mac_address", "02:00:5e:00:00:02", "--top", "bytes", "--limit", "1")]
    [InlineData("edge", "top_destinations", "dst_ip", "203.0.113.9", "--top", "connections", "--of", "destinations")]
    [InlineData("raw", "top_destinations", "dst_ip", "203.0.113.9", "--top", "bytes", "--of", "destinations", "--from", "7d")]
    public async Task Ranking_says_what_it_was_made_from(string tier, string table, string column, string first, params string[] arguments)
    {
        var json = (await RunAsync(["destinations", .. arguments, "--json"])).Should(ExitCode.Done).Json;
        var text = (await RunAsync(["destinations", .. arguments])).Should(ExitCode.Done);

        Assert.Equal(tier, json.GetProperty("tier").GetString());
        Assert.Equal(first, json.GetProperty(table)[0].GetProperty(column).GetString());
        Assert.StartsWith($"tier\t{tier}\n\n{column}\t", text.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ranking_has_bytes_as_numbers()
    {
        var json = (await RunAsync("destinations", "--top", "bytes", "--json")).Should(ExitCode.Done).Json;

        Assert.Equal(1000, json.GetProperty("top_talkers")[0].GetProperty("bytes_sent").GetInt64());
    }

    [Fact]
    public async Task Who_had_tells_the_holder_of_now_and_2_of_an_address_that_nobody_held()
    {
        var json = (await RunAsync("who-had", "192.168.1.1", "--json")).Should(ExitCode.Done).Json;
        var nobody = (await RunAsync("who-had", "192.168.1.1", "--at", "2001-01-01")).Should(ExitCode.NotAsWanted);

        var holder = Assert.Single(json.GetProperty("holders").EnumerateArray());
        Assert.Equal("02:00:5e:00:00:01", holder.GetProperty("mac_address").GetString());
        Assert.Equal("update", holder.GetProperty("source").GetString());
        Assert.True(holder.GetProperty("covers").GetBoolean());
        Assert.Contains("at\t2001-01-01T00:00:00Z\n", nobody.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_had_shows_conflicts()
    {
        var json = (await RunAsync("who-had", "--conflicts", "--from", "24h", "--json")).Should(ExitCode.Done).Json;
        var none = (await RunAsync("who-had", "--conflicts", "--until", "2001-01-01")).Should(ExitCode.Done);

        var conflict = Assert.Single(json.GetProperty("conflicts").EnumerateArray());
        Assert.Equal("02:00:5e:00:00:02", conflict.GetProperty("first_mac").GetString());
        Assert.Equal("02:00:5e:00:00:03", conflict.GetProperty("second_mac").GetString());
        Assert.Equal(JsonValueKind.Null, conflict.GetProperty("to").ValueKind);
        Assert.Empty(none.Rows);
    }

    [Fact]
    public async Task Threats_are_devices_by_score_with_their_categories()
    {
        var all = (await RunAsync("threats")).Should(ExitCode.Done);
        var medium = (await RunAsync("threats", "--level", "medium,high", "--json")).Should(ExitCode.Done).Json;
        var one = (await RunAsync("threats", "--mac", "02:00:5e:00:00:02", "--seen-since", "7d")).Should(ExitCode.Done);
        var none = (await RunAsync("threats", "--vendor", "nobody")).Should(ExitCode.Done);

        Assert.Single(one.Rows);
        Assert.Empty(none.Rows);
        Assert.Equal(["10", "3", "0"], all.Rows.Select(row => row["threat_score"]));
        Assert.Equal(["0", "1", "0"], all.Rows.Select(row => row["proxy_count"]));
        Assert.Equal(1, Assert.Single(medium.GetProperty("threats").EnumerateArray()).GetProperty("c2_count").GetInt64());
        Assert.Equal(1, medium.GetProperty("total").GetInt64());
        Assert.True(medium.GetProperty("total_is_exact").GetBoolean());
    }

    [Theory]
    [InlineData(0, "connections")]
    [InlineData(0, "devices")]
    [InlineData(0, "threats")]
    [InlineData(0, "events")]
    [InlineData(0, "destinations", "203.0.113.9")]
    [InlineData(0, "destinations", "--new-since", "7d")]
    [InlineData(0, "destinations", "--top", "bytes")]
    [InlineData(0, "destinations", "--top", "connections", "--of", "destinations")]
    [InlineData(0, "who-had", "--conflicts")]
    [InlineData(2, "who-had", "10.0.0.5")]
    [InlineData(2, "device", "02:00:5e:00:00:01")]
    public async Task Empty_database_has_an_answer(int exitCode, params string[] arguments)
    {
        await using var empty = await server.CreateDatabaseAsync();

        var result = (await Runner(empty, _home.FullName).RunAsync([.. arguments, "--json"])).Should(exitCode);

        if (arguments[0] == "device") return;
        Assert.Empty(result.Error);
        Assert.All(
            result.Json.EnumerateObject().Where(p => p.Value.ValueKind == JsonValueKind.Array), p => Assert.Equal(0, p.Value.GetArrayLength()));
    }

    [Theory]
    [InlineData("--port: '70000' is", "connections", "--port", "70000")]
    [InlineData("--until: ", "connections", "--since", "1h", "--until", "2h")]
    [InlineData("--max-score: ", "connections", "--min-score", "5", "--max-score", "4")]
    [InlineData("--max-score 5 leaves none of them", "connections", "--threats", "--max-score", "5")]
    [InlineData("--from: '2099-01-01", "device", "02:00:5e:00:00:01", "--from", "2099-01-01")]
    [InlineData("--destination: '10.0.0.0/99' has", "connections", "--destination", "10.0.0.0/99")]
    [InlineData("--cursor: 'x' is not a cursor", "connections", "--cursor", "x")]
    [InlineData("--cursor: 'x.y.z' is not a cursor", "connections", "--cursor", "x.y.z")]
    [InlineData("--cursor: 'x.1' is not a cursor", "threats", "--cursor", "x.1")]
    [InlineData("--limit: '1001' is not a number of rows", "connections", "--limit", "1001", "--cursor", "AAAA")]
    [InlineData("'--colour'", "connections", "--colour", "red")]
    [InlineData("--address: '10.0.0' is", "devices", "--address", "10.0.0")]
    [InlineData("--level: 'critical' is", "devices", "--level", "critical")]
    [InlineData("--mac: 'xyz' is", "devices", "--mac", "xyz")]
    [InlineData("--metadata: '[' is", "devices", "--metadata", "[")]
    [InlineData("--ascending", "devices", "--ascending", "--descending")]
    [InlineData("'colour'", "devices", "--sort", "colour")]
    [InlineData("--limit: '101' is not a whole number from 1 to 100", "device", "02:00:5e:00:00:01", "--limit", "101")]
    [InlineData("'example.org' is not an IP address", "destinations", "example.org")]
    [InlineData("one of an address, --new-since and --top", "destinations")]
    [InlineData("one of an address, --new-since and --top", "destinations", "203.0.113.9", "--top", "bytes")]
    [InlineData("--from goes with --top", "destinations", "203.0.113.9", "--from", "1h")]
    [InlineData("--new-to-all goes with --new-since", "destinations", "--top", "bytes", "--new-to-all")]
    [InlineData("--cursor does not go with --top", "destinations", "--top", "bytes", "--cursor", "AAAA")]
    [InlineData("--limit: '0' is", "destinations", "--top", "bytes", "--limit", "0")]
    [InlineData("--until: ", "destinations", "--top", "bytes", "--from", "1h", "--until", "2h")]
    [InlineData("Say which address", "who-had")]
    [InlineData("--from goes with --conflicts", "who-had", "10.0.0.5", "--from", "1h")]
    [InlineData("--country is given 2 times", "connections", "--country", "DE", "--country", "FR")]
    [InlineData("--vendor is given 2 times", "devices", "--vendor", "a", "--vendor", "b")]
    [InlineData("--conflicts goes with", "who-had", "10.0.0.5", "--conflicts")]
    [InlineData("--until: ", "who-had", "--conflicts", "--from", "1h", "--until", "2h")]
    [InlineData("--level: 'critical' is", "threats", "--level", "critical")]
    [InlineData("--type: 'lost' is not a type of device event", "events", "--type", "active,lost")]
    [InlineData("--device: '02:00' is", "events", "--device", "02:00")]
    [InlineData("--device is given 2 times", "events", "--device", "02:00:5e:00:00:01", "--device", "02:00:5e:00:00:02")]
    [InlineData("--until: ", "events", "--since", "1h", "--until", "2h")]
    [InlineData("--cursor: 'x' is not a cursor", "events", "--cursor", "x")]
    [InlineData("--limit: '0' is not a number of rows", "events", "--limit", "0", "--cursor", "AAAA")]
    public async Task Bad_filter_is_64_and_names_the_field(string says, params string[] arguments)
    {
        var result = (await RunAsync(arguments)).Should(ExitCode.Usage);

        Assert.Contains(says, result.Error, StringComparison.Ordinal);
        Assert.Empty(result.Output);
    }

    [Fact]
    public async Task Cursor_of_another_query_or_another_key_is_refused()
    {
        var cursor = (await RunAsync("devices", "--limit", "1", "--json")).Should(ExitCode.Done).Json.GetProperty("next").GetString()!;

        var filter = (await RunAsync("devices", "--vendor", "acme", "--cursor", cursor)).Should(ExitCode.Usage);
        File.Delete(Path.Combine(_home.FullName, CursorKey.FileName));
        var key = (await RunAsync("devices", "--cursor", cursor)).Should(ExitCode.Usage);

        Assert.Contains("another filter or order", filter.Error, StringComparison.Ordinal);
        Assert.Contains("was changed", key.Error, StringComparison.Ordinal);
    }

    /// <summary>Does something when the first row is written.</summary>
    private sealed class ActingWriter(Func<Task> act) : StringWriter
    {
        public bool HasActed { get; private set; }

        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (HasActed || value?.Contains("02:00:", StringComparison.Ordinal) != true) return;
            HasActed = true;
            act().GetAwaiter().GetResult();
        }
    }

    private static CommandRunner Runner(TestDatabase database, string home, TextWriter? output = null) => new()
    {
        Output = output,
        Environment = { ["COBALTGRAPH_CONNECTION"] = database.ConnectionString, ["COBALTGRAPH_HOME"] = home },
    };

    private Task<CommandResult> RunAsync(params string[] arguments) => RunAtAsync(_home.FullName, arguments);

    private Task<CommandResult> RunAtAsync(string home, params string[] arguments) => Runner(_database, home).RunAsync(arguments);
}
