using System.IO.Compression;
using System.Text;
using CobaltGraph.Data.Export;
using CobaltGraph.Data.Import;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Data.Queries;
using CobaltGraph.Data.Tests.Import;
using CobaltGraph.Data.Tests.Ingest;
using CobaltGraph.Model;
using CobaltGraph.Testing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace CobaltGraph.Data.Tests.Export;

public class ExportTests(PostgresServerFixture server) : ImportTest(server)
{
    private const int Seed = 90417;

    private const string AllOfConnections =
        """
        SELECT to_char("timestamp" AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), src_mac::text, src_ip::text, src_port, dst_ip::text, dst_port,
               protocol, dst_country, dst_lat, dst_lon, dst_org, dst_hostname, threat_score, threat_category, bytes_sent, bytes_received,
               duration::text, metadata::text
        FROM connections ORDER BY "timestamp", id
        """;

    private const string AllOfDevices =
        """
        SELECT mac_address::text, host(ip_address), hostname, vendor, device_type, first_seen, last_seen, last_activity, confidence_score,
               metadata::text, connection_count, threat_count
        FROM devices ORDER BY mac_address
        """;

    private const string AllOfSightings =
        """
        SELECT mac_address::text, host(ipv4), ipv4_seen_at, host(ipv6), ipv6_seen_at, hostname_seen_at, vendor_seen_at, device_type_seen_at,
               source, source_seen_at, confidence_seen_at, metadata_seen_at::text
        FROM device_sightings ORDER BY mac_address
        """;

    private const string AllOfAddresses =
        """
        SELECT mac_address::text, host(ip_address), source, first_seen, last_seen, latest_connection
        FROM device_addresses ORDER BY mac_address, ip_address, source, first_seen
        """;

    public static TheoryData<ExportFormat, string> Files => new()
    {
        { ExportFormat.Csv, "rows.csv" },
        { ExportFormat.Csv, "rows.csv.gz" },
        { ExportFormat.Ndjson, "rows.ndjson" },
        { ExportFormat.Ndjson, "rows.GZ" },
    };

    [Theory]
    [MemberData(nameof(Files))]
    public async Task Odd_connections_come_back_as_they_were(ExportFormat format, string name)
    {
        var records = new OddRecords(Seed);
        var rows = Enumerable.Range(0, 3_000).Select(_ => records.NextConnection()).Where(row => RecordRules.Check(row) is null).ToList();
        await StoreAsync(rows);
        var path = Place(name);

        var result = await Service.ExportConnectionsAsync(path, format, cancellationToken: Cancel);

        Assert.Equal(rows.Count, result.Rows);
        await using var other = await ImportElsewhereAsync(path);
        var expected = await Database.QueryAsync(AllOfConnections);
        Assert.Equal(rows.Count, expected.Count);
        Assert.Equal(expected, await other.QueryAsync(AllOfConnections));
    }

    [Theory]
    [InlineData(ExportFormat.Csv)]
    [InlineData(ExportFormat.Ndjson)]
    public async Task Database_of_an_imported_export_is_the_same(ExportFormat format)
    {
        await StoreAsync(Plain(2_000));
        var path = Place("rows");

        await Service.ExportConnectionsAsync(path, format, cancellationToken: Cancel);

        await using var other = await ImportElsewhereAsync(path);
        Assert.Equal(await ContentsAsync(Database), await ContentsAsync(other));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public async Task Devices_come_back_with_what_sightings_tell(ExportFormat format, string name)
    {
        const string all =
            """
            SELECT mac_address::text, ip_address::text, hostname, vendor, device_type, first_seen, last_seen, confidence_score, metadata::text
            FROM devices ORDER BY 1
            """;
        await Run(
            """
            INSERT INTO devices (mac_address, ip_address, hostname, vendor, device_type, first_seen, last_seen, last_activity) VALUES
                ('02:00:5e:00:00:01', '192.0.2.1', E'"a", b\n=1+1', 'Ä ☃', 'iot', '2026-01-01 00:00:00.000001Z', '2026-02-01 12:00:00.999999Z', '2026-02-01Z'),
                ('02:00:5e:00:00:02', NULL, NULL, NULL, NULL, '2026-01-01Z', '2026-01-01Z', '2026-01-01Z'),
                ('02:00:5e:00:00:03', '2001:db8::3', 'NULL', NULL, 'router', '2026-01-01Z', '2026-01-02Z', '2026-01-01Z');
            SELECT merge_device_sightings(ARRAY['02:00:5e:00:00:03', '02:00:5e:00:00:03', '02:00:5e:00:00:04']::macaddr[],
                ARRAY['192.0.2.3', '2001:db8::33', '192.0.2.4']::inet[], NULL, NULL, NULL,
                ARRAY['2026-01-03Z', '2026-01-04Z', '2026-01-05Z']::timestamptz[], ARRAY['arp', 'dhcp', NULL]);
            UPDATE devices SET confidence_score = 0.33333334 WHERE mac_address = '02:00:5e:00:00:01';
            UPDATE devices SET confidence_score = 1, metadata = E'{"notes":"Ä ☃\\n\\"", "tags":["a","b"], "custom":{"rack":{"unit":4.50},"empty":{}},
                "":{}, "other":[1.0,-0.00,12345678901234567890123456789.10,1e-20,true,null,[],{"x":[[{}]]}], "tag":null}'
            WHERE mac_address = '02:00:5e:00:00:02';
            UPDATE devices SET metadata = '{"tags":[], "notes":["no text"]}' WHERE mac_address = '02:00:5e:00:00:03';
            """);
        var path = Place(name);

        var result = await Service.ExportDevicesAsync(path, format, cancellationToken: Cancel);

        Assert.Equal(2 + 1 + 3 + 1, result.Rows);
        await using var other = await ImportElsewhereAsync(path);
        var expected = await Database.QueryAsync(all);
        Assert.Equal(4, expected.Count);
        Assert.Equal(expected, await other.QueryAsync(all));
        Assert.Equal(
            [[null], ["dhcp"], [null]],
            await other.QueryAsync("SELECT source FROM device_sightings WHERE mac_address >= '02:00:5e:00:00:02' ORDER BY mac_address"));
    }

    [Theory]
    [InlineData(ExportFormat.Csv)]
    [InlineData(ExportFormat.Ndjson)]
    public async Task All_that_sightings_and_traffic_said_comes_back(ExportFormat format)
    {
        await StoreAsync(Plain(500));
        await StoreSightingsAsync(new Random(Seed));

        await Service.ExportConnectionsAsync(Place("connections"), format, cancellationToken: Cancel);
        var exported = await Service.ExportDevicesAsync(Place("devices"), format, cancellationToken: Cancel);

        await using var other = await ImportElsewhereAsync(Place("connections"), Place("devices"));
        foreach (var query in new[] { AllOfDevices, AllOfSightings, AllOfAddresses })
        {
            var expected = await Database.QueryAsync(query);
            Assert.True(expected.Count >= 7);
            Assert.Equal(expected, await other.QueryAsync(query));
        }

        // Stored where it came from, an export changes nothing.
        string[] all = [AllOfDevices, AllOfSightings, AllOfAddresses, "SELECT * FROM device_events ORDER BY id"];
        var before = new List<List<object?[]>>();
        foreach (var query in all)
            before.Add(await Database.QueryAsync(query));
        var again = await ImportAsync(new ImportOptions(), Database, [ImportInput.File(Place("devices"))]);
        Assert.Empty(again.Rejections);
        Assert.Equal(0, again.Files.Sum(file => file.Duplicate));
        Assert.Equal(exported.Rows, again.Stored);
        for (var i = 0; i < all.Length; i++)
            Assert.Equal(before[i], await Database.QueryAsync(all[i]));
    }

    [Fact]
    public async Task Primary_address_comes_back_though_the_other_family_was_seen_before()
    {
        await Run(
            """
            SELECT merge_device_sightings(ARRAY['02:00:5e:00:00:01', '02:00:5e:00:00:02']::macaddr[], ARRAY['192.0.2.1', '2001:db8::2']::inet[],
                NULL, NULL, NULL, ARRAY['2026-01-03Z', '2026-01-03Z']::timestamptz[], NULL);
            SELECT merge_device_sightings(ARRAY['02:00:5e:00:00:01', '02:00:5e:00:00:02']::macaddr[], ARRAY[ip, other]::inet[],
                NULL, NULL, NULL, ARRAY[at, at]::timestamptz[], NULL)
            FROM (VALUES ('2001:db8::1', '192.0.2.2', '2026-01-01Z'), ('2001:db8::1', '192.0.2.2', '2026-01-03Z'), ('2001:db8::1', '192.0.2.2', '2026-01-04Z'))
                AS a(ip, other, at);
            """);

        await Service.ExportDevicesAsync(Place("devices"), ExportFormat.Ndjson, cancellationToken: Cancel);

        await using var other = await ImportElsewhereAsync(Place("devices"));
        Assert.Equal([["192.0.2.1"], ["2001:db8::2"]], await other.QueryAsync("SELECT host(ip_address) FROM devices ORDER BY mac_address"));
        Assert.Equal(await Database.QueryAsync(AllOfDevices), await other.QueryAsync(AllOfDevices));
        // Of the other family's, what was seen before the primary address goes; of two at once IPv4 would be the first.
        Assert.Equal(
            [["192.0.2.1", "03", "03"], ["192.0.2.2", "03", "04"], ["2001:db8::1", "03", "04"], ["2001:db8::2", "02", "03"]],
            await other.QueryAsync(
                """
                SELECT host(ip_address), to_char(first_seen AT TIME ZONE 'UTC', 'DD'), to_char(last_seen AT TIME ZONE 'UTC', 'DD')
                FROM device_addresses ORDER BY ip_address
                """));
    }

    [Theory]
    // Set where sightings had told none, one that had lapsed, one that was still held, and one that is held since later.
    [InlineData("192.0.2.9")]
    [InlineData("192.0.2.1")]
    [InlineData("192.0.2.3")]
    [InlineData("192.0.2.5")]
    [InlineData("192.0.2.7")]
    [InlineData("2001:db8::3")]
    [InlineData("2001:db8::9")]
    public async Task Primary_address_that_an_application_chose_comes_back(string chosen)
    {
        await Run(
            $"""
            INSERT INTO devices (mac_address, ip_address, first_seen, last_seen, last_activity) VALUES
                ('02:00:5e:00:00:02', '192.0.2.{(chosen == "192.0.2.9" ? "5" : "200")}', '2026-01-01Z', '2026-01-01Z', '2026-01-01Z');
            SELECT merge_device_sightings(array_agg('02:00:5e:00:00:01'::macaddr), array_agg(ip::inet), NULL, NULL, NULL, array_agg(at), NULL)
            FROM (
                SELECT '192.0.2.1' AS ip, '2026-01-01Z'::timestamptz AS at
                UNION ALL SELECT '192.0.2.3', generate_series('2026-01-02Z'::timestamptz, '2026-01-20Z', '12 hours')
                UNION ALL SELECT '192.0.2.5', generate_series('2026-01-04Z'::timestamptz, '2026-01-20Z', '12 hours')
                UNION ALL SELECT '192.0.2.7', '2026-01-20Z'
                UNION ALL SELECT '2001:db8::3', generate_series('2026-01-02Z'::timestamptz, '2026-01-20Z', '12 hours')) AS s;
            UPDATE devices SET ip_address = '{chosen}';
            """);

        await Service.ExportDevicesAsync(Place("devices"), ExportFormat.Ndjson, cancellationToken: Cancel);

        await using var other = await ImportElsewhereAsync(Place("devices"));
        Assert.Equal([[chosen], [chosen]], await other.QueryAsync("SELECT host(ip_address) FROM devices ORDER BY 1"));
        Assert.Equal(await Database.QueryAsync(AllOfDevices), await other.QueryAsync(AllOfDevices));
        // Of IPv4 what was seen before an IPv6 address goes where that is the primary one.
        Assert.Equal(
            chosen.Contains(':', StringComparison.Ordinal) ? 3L : 4L,
            await other.ScalarAsync<long>("SELECT count(DISTINCT ip_address) FROM device_addresses WHERE ip_address IN ('192.0.2.1', '192.0.2.3', '192.0.2.5', '2001:db8::3')"));

        // And nothing is chosen anew where it came from.
        const string EventCount = "SELECT count(*) FROM device_events";
        var before = await Database.QueryAsync(EventCount);
        Assert.Empty((await ImportAsync(new ImportOptions(), Database, [ImportInput.File(Place("devices"))])).Rejections);
        Assert.Equal(before, await Database.QueryAsync(EventCount));
    }

    [Fact]
    public async Task Addresses_of_a_device_that_was_removed_are_not_those_of_the_one_that_came_after_it()
    {
        await Run(
            """
            SELECT merge_device_sightings(ARRAY['02:00:5e:00:00:01']::macaddr[], ARRAY['192.0.2.9']::inet[], NULL, NULL, NULL, ARRAY['2026-01-01Z']::timestamptz[], NULL);
            DELETE FROM devices;
            SELECT merge_device_sightings(ARRAY['02:00:5e:00:00:01']::macaddr[], ARRAY['192.0.2.1']::inet[], NULL, NULL, NULL, ARRAY['2026-03-01Z']::timestamptz[], NULL);
            """);

        await Service.ExportDevicesAsync(Place("devices"), ExportFormat.Ndjson, cancellationToken: Cancel);

        await using var other = await ImportElsewhereAsync(Place("devices"));
        Assert.Equal(await Database.QueryAsync(AllOfDevices), await other.QueryAsync(AllOfDevices));
        Assert.Equal([["192.0.2.1"]], await other.QueryAsync("SELECT host(ip_address) FROM device_addresses"));
    }

    [Fact]
    public async Task What_an_application_set_comes_back_as_the_oldest_that_is_known()
    {
        await Run(
            """
            SELECT merge_sightings_with_metadata(ARRAY['02:00:5e:00:00:01']::macaddr[], ARRAY['192.0.2.1']::inet[],
                ARRAY['told'], NULL, ARRAY['iot'], ARRAY['2026-01-02Z']::timestamptz[], NULL, ARRAY['{"notes":"told","a":1}']::jsonb[], ARRAY[0.5]::real[]);
            SELECT merge_device_sightings(ARRAY['02:00:5e:00:00:01']::macaddr[], NULL, NULL, NULL, NULL, ARRAY['2026-01-04Z']::timestamptz[], NULL);
            UPDATE devices SET hostname = 'set', vendor = 'set', ip_address = '192.0.2.9', metadata = metadata || '{"notes":"set","b":null,"tags":[]}';
            """);

        await Service.ExportDevicesAsync(Place("devices"), ExportFormat.Csv, cancellationToken: Cancel);

        await using var other = await ImportElsewhereAsync(Place("devices"));
        var expected = await Database.QueryAsync(AllOfDevices);
        Assert.Equal(expected, await other.QueryAsync(AllOfDevices));
        Assert.Equal(
            [["192.0.2.1", "sighting", "02", "02"], ["192.0.2.9", "sighting", "04", "04"]],
            await other.QueryAsync(
                """
                SELECT host(ip_address), source, to_char(first_seen AT TIME ZONE 'UTC', 'DD'), to_char(last_seen AT TIME ZONE 'UTC', 'DD')
                FROM device_addresses ORDER BY ip_address
                """));
        // In both a sighting from then on has news of all of them.
        foreach (var database in new[] { Database, other })
        {
            await database.ExecuteAsync(
                """
                SELECT merge_sightings_with_metadata(ARRAY['02:00:5e:00:00:01']::macaddr[], NULL,
                    ARRAY['late'], ARRAY['late'], NULL, ARRAY['2026-01-03Z']::timestamptz[], NULL, ARRAY['{"notes":"late","tags":["late"]}']::jsonb[], NULL)
                """);
            Assert.Equal(
                [["late", "late", "late", "[\"late\"]"]],
                await database.QueryAsync("SELECT hostname, vendor, metadata ->> 'notes', metadata ->> 'tags' FROM devices"));
        }
    }

    [Fact]
    public async Task Odd_metadata_of_devices_comes_back_as_it_was()
    {
        const string all = "SELECT mac_address::text, confidence_score, metadata::text FROM devices ORDER BY 1";
        var records = new OddRecords(Seed + 1);
        var sightings = Enumerable.Range(0, 4_000).Select(_ => records.NextSighting()).Where(s => RecordRules.Check(s) is null).ToList();
        var stored = await new IngestService(Database.DataSource).StoreBatchAsync("test", "1", sightings, Cancel);
        Assert.Equal((sightings.Count, 0), (stored.Stored, stored.Rejected));
        Assert.True(await Count("devices WHERE metadata <> '{}'") > 50);

        foreach (var format in Enum.GetValues<ExportFormat>())
        {
            var path = Place($"{format}");
            await Service.ExportDevicesAsync(path, format, cancellationToken: Cancel);

            await using var other = await ImportElsewhereAsync(path);
            Assert.Equal(await Database.QueryAsync(all), await other.QueryAsync(all));
        }
    }

    [Fact]
    public async Task Devices_without_metadata_and_confidence_say_nothing_of_them()
    {
        await Run("INSERT INTO devices (mac_address, first_seen, last_seen, last_activity) VALUES ('02:00:5e:00:00:01', '2026-01-01Z', '2026-01-01Z', '2026-01-01Z')");
        using var target = new MemoryStream();

        await Service.ExportDevicesAsync(target, ExportFormat.Ndjson, cancellationToken: Cancel);

        Assert.Equal(
            """{"mac_address":"02:00:5e:00:00:01","seen_at":"2026-01-01T00:00:00.000000Z"}""" + "\n", Encoding.UTF8.GetString(target.ToArray()));
    }

    [Fact]
    public async Task Connections_are_written_in_the_order_of_time_and_id()
    {
        var time = new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);
        await StoreAsync([Row(time.AddDays(40), 1), Row(time, 2), Row(time, 3), Row(time.AddSeconds(-1), 4)]);

        var text = await TextAsync(ExportFormat.Csv);

        Assert.Equal(
            ["dst_port", "4", "2", "3", "1"],
            text.TrimEnd('\n').Split('\n').Select(line => line.Split(',')[6]));
    }

    [Fact]
    public async Task Filter_says_which_connections_are_written()
    {
        var rows = Plain(500);
        await StoreAsync(rows);
        var filter = new ConnectionFilter { From = rows[100].Timestamp, Until = rows[400].Timestamp, MinScore = 7 };
        using var target = new MemoryStream();

        var result = await Service.ExportConnectionsAsync(target, ExportFormat.Csv, filter, cancellationToken: Cancel);

        var expected = rows.Skip(100).Take(300).Where(row => row.ThreatScore >= 7).Select(row => $"{row.DstPort}").ToList();
        Assert.Equal(expected.Count, result.Rows);
        Assert.Equal(expected, Encoding.UTF8.GetString(target.ToArray()).TrimEnd('\n').Split('\n').Skip(1).Select(line => line.Split(',')[6]));
        var error = await Assert.ThrowsAsync<QueryFilterException>(
            () => Service.ExportConnectionsAsync(Place("rows.csv"), ExportFormat.Csv, filter with { Until = filter.From }, cancellationToken: Cancel));
        Assert.Equal("until", error.Field);
        Assert.Empty(Directory.GetFiles(Folder.Path));
    }

    [Fact]
    public async Task Empty_database_gives_the_header_of_csv_and_no_line_of_json()
    {
        Assert.Equal("id,timestamp,src_mac,src_ip,src_port,dst_ip,dst_port,protocol,dst_country,dst_lat,dst_lon,dst_org,dst_hostname,"
            + "threat_score,threat_category,bytes_sent,bytes_received,duration,metadata\n", await TextAsync(ExportFormat.Csv));
        Assert.Equal("", await TextAsync(ExportFormat.Ndjson));
        using var target = new MemoryStream();
        Assert.Equal(0, (await Service.ExportDevicesAsync(target, ExportFormat.Csv, cancellationToken: Cancel)).Rows);
        Assert.Equal("mac_address,ip_address,hostname,vendor,device_type,seen_at,source,confidence_score,metadata\n", Encoding.UTF8.GetString(target.ToArray()));
    }

    [Fact]
    public async Task Export_is_one_snapshot_whatever_is_stored_meanwhile()
    {
        await StoreAsync(Plain(1_000));
        var added = false;
        var progress = new OnReport(_ =>
        {
            if (added)
                return;
            added = true;
            Run("INSERT INTO connections (\"timestamp\", dst_ip, dst_port) VALUES ('2027-01-01Z', '192.0.2.1', 1); DELETE FROM devices").GetAwaiter().GetResult();
        });

        using var target = new MemoryStream();
        var result = await Service.ExportConnectionsAsync(target, ExportFormat.Ndjson, null, progress, Cancel);

        Assert.True(added);
        Assert.Equal(1_000, result.Rows);
        Assert.Equal(1_000, Encoding.UTF8.GetString(target.ToArray()).Split("\"src_mac\"").Length - 1);
        Assert.Equal(1_001, await Count("connections"));
    }

    [Theory]
    [InlineData(ExportFormat.Csv)]
    [InlineData(ExportFormat.Ndjson)]
    public async Task Rows_are_passed_on_while_the_server_still_has_most_of_them(ExportFormat format)
    {
        // More than sockets hold.
        await Run(
            """
            INSERT INTO connections ("timestamp", dst_ip, dst_port, dst_org, dst_hostname)
            SELECT '2026-03-01Z'::timestamptz + i * interval '1 second', '192.0.2.1', 1, repeat('o', 255), repeat('h', 255) FROM generate_series(1, 60000) AS i
            """);
        string? state = null;
        using var target = new MemoryStream();
        var progress = new OnReport(_ => state ??= Scalar<string>(
            "SELECT state FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%FROM connections%' AND pid <> pg_backend_pid()")
            .GetAwaiter().GetResult());

        await Service.ExportConnectionsAsync(target, format, null, progress, Cancel);

        Assert.Equal("active", state);
    }

    [Theory]
    [InlineData("rows.csv")]
    [InlineData("rows.csv.gz")]
    public async Task Cancelled_export_leaves_the_folder_as_it_was(string name)
    {
        await StoreAsync(Plain(1_000));
        var path = Folder.Write(name, "before");
        using var cancel = new CancellationTokenSource();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Service.ExportConnectionsAsync(
            path, ExportFormat.Csv, null, new OnReport(_ => cancel.Cancel()), cancel.Token));

        Assert.Equal([path], Directory.GetFiles(Folder.Path));
        Assert.Equal("before", await File.ReadAllTextAsync(path, Cancel));
    }

    [Fact]
    public async Task Export_whose_server_fails_leaves_no_file()
    {
        await Run("INSERT INTO connections (\"timestamp\", dst_ip, dst_port, dst_org) SELECT '2026-03-01Z', '192.0.2.1', 1, repeat('o', 255) FROM generate_series(1, 60000)");
        var end = new OnReport(_ => Scalar<long>(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%FROM connections%'")
            .GetAwaiter().GetResult());

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => Service.ExportConnectionsAsync(
            Place("rows.csv"), ExportFormat.Csv, null, end, Cancel));

        Assert.Empty(Directory.GetFiles(Folder.Path));
    }

    [Fact]
    public async Task Export_to_a_stream_that_fails_says_so_and_frees_its_connection()
    {
        await StoreAsync(Plain(1_000));
        await using var few = NpgsqlDataSource.Create(Database.ConnectionStringWith(c => c.MaxPoolSize = 1));
        var service = new ExportService(few);

        for (var i = 0; i < 3; i++)
            await Assert.ThrowsAsync<IOException>(() => service.ExportConnectionsAsync(new FullStream(), ExportFormat.Csv, cancellationToken: Cancel));

        Assert.Equal(1_000, (await service.ExportConnectionsAsync(new MemoryStream(), ExportFormat.Csv, cancellationToken: Cancel)).Rows);
    }

    [Fact]
    public async Task File_is_replaced_where_a_link_leads()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need a right there.");
        await StoreAsync(Plain(1));
        var path = Folder.Write("rows.csv", "before");
        File.CreateSymbolicLink(Place("link"), path);

        await Service.ExportConnectionsAsync(Place("link"), ExportFormat.Csv, cancellationToken: Cancel);

        Assert.NotNull(new FileInfo(Place("link")).LinkTarget);
        Assert.StartsWith("id,timestamp", await File.ReadAllTextAsync(path, Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Name_ending_in_gz_is_packed_and_any_other_is_not()
    {
        await StoreAsync(Plain(10));
        await Service.ExportConnectionsAsync(Place("a.csv.gz"), ExportFormat.Csv, cancellationToken: Cancel);
        await Service.ExportConnectionsAsync(Place("a.csv"), ExportFormat.Csv, cancellationToken: Cancel);

        await using var packed = new GZipStream(File.OpenRead(Place("a.csv.gz")), CompressionMode.Decompress);
        using var reader = new StreamReader(packed);
        Assert.Equal(await File.ReadAllTextAsync(Place("a.csv"), Cancel), await reader.ReadToEndAsync(Cancel));
    }

    [Fact]
    public async Task Place_that_takes_no_file_is_refused()
    {
        await Assert.ThrowsAsync<ArgumentException>(() => Service.ExportConnectionsAsync("", ExportFormat.Csv, cancellationToken: Cancel));
        await Assert.ThrowsAsync<UnauthorizedAccessException>(() => Service.ExportConnectionsAsync(Folder.Path, ExportFormat.Csv, cancellationToken: Cancel));
        await Assert.ThrowsAsync<UnauthorizedAccessException>(() => Service.ExportConnectionsAsync("/dev/no-such-device", ExportFormat.Csv, cancellationToken: Cancel));
        await Assert.ThrowsAsync<DirectoryNotFoundException>(() => Service.ExportConnectionsAsync(Place("no/rows"), ExportFormat.Csv, cancellationToken: Cancel));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Service.ExportConnectionsAsync(Place("rows"), (ExportFormat)7, cancellationToken: Cancel));
        Assert.Empty(Directory.GetFiles(Folder.Path));
    }

    [Fact]
    public async Task Service_comes_with_the_context()
    {
        await StoreAsync(Plain(3));
        await using var provider = new ServiceCollection().AddCobaltGraph(Database.ConnectionString).BuildServiceProvider();

        var result = await provider.GetRequiredService<IExportService>()
            .ExportConnectionsAsync(Stream.Null, ExportFormat.Ndjson, cancellationToken: Cancel);

        Assert.Equal(3, result.Rows);
    }

    private string Place(string name) => Path.Combine(Folder.Path, name);

    private ExportService Service => new(Database.DataSource);

    private async Task<string> TextAsync(ExportFormat format)
    {
        using var target = new MemoryStream();
        await Service.ExportConnectionsAsync(target, format, cancellationToken: Cancel);
        return Encoding.UTF8.GetString(target.ToArray());
    }

    private async Task<TestDatabase> ImportElsewhereAsync(params string[] paths)
    {
        var other = await Server.CreateDatabaseAsync();
        var result = await ImportAsync(new ImportOptions(), other, [.. paths.Select(ImportInput.File)]);
        Assert.Empty(result.Rejections.Select(rejection => rejection.Reason));
        Assert.All(result.Files, file => Assert.Null(file.Error));
        return other;
    }

    private async Task StoreAsync(List<Connection> rows)
    {
        var result = await new IngestService(Database.DataSource).StoreBatchAsync("test", Guid.NewGuid().ToString(), rows, Cancel);
        Assert.Equal(rows.Count, result.Stored);
    }

    // Devices with and without traffic that move among addresses of both families, told in batches of any order.
    private async Task StoreSightingsAsync(Random random)
    {
        var ingest = new IngestService(Database.DataSource);
        var start = new DateTimeOffset(2026, 2, 1, 0, 0, 0, TimeSpan.Zero);
        // The first batch has the earliest address of each device, which says its family.
        await StoreAsync([.. Enumerable.Range(0, 12).Select(device => new DeviceSighting
        {
            MacAddress = new MacAddress(0x0200_5e00_0000 + device), SeenAt = start, IpAddress = Address(device, device % 2 == 0 ? 0 : 4),
        })]);
        for (var batch = 0; batch < 8; batch++)
        {
            await StoreAsync([.. Enumerable.Range(0, 40).Select(_ =>
            {
                var device = random.Next(12);
                return new DeviceSighting
                {
                    MacAddress = new MacAddress(0x0200_5e00_0000 + device),
                    SeenAt = start.AddMinutes(random.Next(1, 6 * 24 * 60)),
                    IpAddress = random.Next(8) is var one && one < 6 ? Address(device, one) : null,
                    Hostname = random.Next(4) == 0 ? $"host-{random.Next(5)}" : null,
                    Vendor = random.Next(4) == 0 ? $"vendor {random.Next(5)}" : null,
                    DeviceType = random.Next(4) == 0 ? "iot" : null,
                    Source = random.Next(3) switch { 0 => "arp", 1 => "dhcp", _ => null },
                    ConfidenceScore = random.Next(4) == 0 ? random.Next(5) / 4f : null,
                    Metadata = random.Next(3) == 0
                        ? DeviceMetadata.Parse($$"""{"{{(char)('a' + random.Next(3))}}":{{random.Next(9)}},"notes":"{{random.Next(9)}}","tags":["{{random.Next(9)}}"]}""")
                        : null,
                };
            })]);
        }

        async Task StoreAsync(List<DeviceSighting> sightings)
        {
            var stored = await ingest.StoreBatchAsync("test", Guid.NewGuid().ToString(), sightings, Cancel);
            Assert.Equal((sightings.Count, 0), (stored.Stored, stored.Rejected));
        }

        static System.Net.IPAddress Address(int device, int one)
            => System.Net.IPAddress.Parse(one < 4 ? $"198.51.100.{device * 4 + one}" : $"2001:db8::{device}:{one}");
    }

    private static List<Connection> Plain(int count)
        => [.. Enumerable.Range(0, count).Select(i => Row(new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero).AddMinutes(i * 7), i % 1000))];

    private static Connection Row(DateTimeOffset time, int port) => new()
    {
        Timestamp = time,
        SrcMac = new MacAddress(0x0200_5e00_0000 + port % 7),
        DstIp = new System.Net.IPAddress([192, 0, 2, (byte)(port % 100)]),
        DstPort = port,
        Protocol = "UDP",
        ThreatScore = port % 11,
    };

    private sealed class OnReport(Action<long> act) : IProgress<long>
    {
        public void Report(long value) => act(value);
    }

    private sealed class FullStream : MemoryStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
            => throw new IOException("No space left on device.");
    }
}
