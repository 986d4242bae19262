using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using CobaltGraph.Data.Import;
using CobaltGraph.Testing;

namespace CobaltGraph.Data.Tests.Import;

/// <summary>
/// Logs that nobody here wrote, from <c>../shared/data</c> beside the repository or from the folder that
/// COBALTGRAPH_TEST_DATA names. What must come out is counted by other code than the importer's.
/// </summary>
public sealed class RealDataTests(PostgresServerFixture server)
{
    private static readonly string[] Files =
    [
        "zeek-conn-2024-04-19.tsv.gz", "zeek-conn-l2-apt29-day1.jsonl.gz", "derived-conn-iot_sentinel.jsonl.gz", "derived-conn-ndpi.jsonl.gz",
        "derived-conn-zeek-btest.jsonl.gz", "zeek-conn-2024-04-20.tsv.gz", "zeek-conn-rita-proxy.tsv.gz",
    ];

    [Fact]
    public async Task Import_of_real_logs_agrees_with_the_files()
    {
        var folder = RequireFolder();
        var paths = Files.Select(f => Path.Combine(folder, f)).ToArray();
        var truth = new Truth();
        foreach (var path in paths)
            truth.Read(path);

        await using var database = await server.CreateDatabaseAsync();
        var result = await ImportAsync(database, paths);

        Assert.Equal(ImportOutcome.Completed, result.Outcome);
        Assert.All(result.Files, f => Assert.Null(f.Error));
        Assert.Equal(truth.Rows, result.Stored + result.Rejected);
        Assert.Equal(truth.RowsByFile, result.Files.Select(f => f.Read));
        Assert.Empty(result.Rejections);

        // Before version 14 extract(epoch …) is a double, which has not enough digits for microseconds.
        var stored = Assert.Single(await database.QueryAsync(
            """
            SELECT count(*), sum(bytes_sent)::numeric, sum(bytes_received)::numeric, sum((extract(epoch FROM date_trunc('second', duration))::numeric + (extract(microseconds FROM duration)::bigint % 1000000)::numeric / 1000000)::numeric(30,6)), count(duration),
                   sum((extract(epoch FROM date_trunc('second', "timestamp"))::numeric + (extract(microseconds FROM "timestamp")::bigint % 1000000)::numeric / 1000000)::numeric(30,6)), count(*) FILTER (WHERE metadata ? 'service'), sum(src_port)::bigint, sum(dst_port)::bigint,
                   count(DISTINCT src_mac), count(src_mac), count(DISTINCT metadata->>'uid')
            FROM connections
            """));
        Assert.Equal(
            [
                truth.Rows, (decimal)truth.BytesSent, (decimal)truth.BytesReceived, truth.Durations, truth.DurationCount, truth.Timestamps, truth.Services,
                truth.SourcePorts, truth.DestinationPorts, (long)truth.Devices.Count, truth.RowsOfDevices, (long)truth.Uids.Count,
            ],
            stored);
        Assert.Equal(
            truth.Devices.Order(StringComparer.Ordinal),
            (await database.QueryAsync("SELECT mac_address::text FROM devices ORDER BY mac_address::text COLLATE \"C\"")).Select(r => (string)r[0]!));
        Assert.Equal(truth.RowsOfDevices, (long)(await database.ScalarAsync<decimal>("SELECT sum(connection_count) FROM devices")));
    }

    [Fact]
    public async Task Devices_are_discovered_from_arp_and_dhcp()
    {
        var folder = RequireFolder();
        string[] paths = [.. new[] { "derived-arp-iot_sentinel.jsonl.gz", "derived-dhcp-iot_sentinel.jsonl.gz" }.Select(f => Path.Combine(folder, f))];
        var truth = (await File.ReadAllLinesAsync(Path.Combine(folder, "iot_sentinel-device-truth.csv"), Cancel))
            .Select(line => System.Text.RegularExpressions.Regex.Match(line, "([0-9a-f]{2}:){5}[0-9a-f]{2}", System.Text.RegularExpressions.RegexOptions.IgnoreCase))
            .Where(match => match.Success).Select(match => match.Value.ToLowerInvariant()).ToList();
        Assert.Equal(20, truth.Count);

        await using var database = await server.CreateDatabaseAsync();
        var result = await ImportAsync(database, paths);

        Assert.True(result.IsClean, string.Join('\n', result.Rejections.Select(r => $"{r.LineNumber}: {r.Reason}")));
        Assert.All(result.Files, file => Assert.Equal("sightings", file.Kind));
        var devices = (await database.QueryAsync("SELECT mac_address::text FROM devices")).Select(row => (string)row[0]!).ToHashSet();
        Assert.Empty(truth.Except(devices));
    }

    [Fact]
    public async Task Everything_imported_twice_is_there_once()
    {
        var folder = RequireFolder();
        string[] paths =
        [
            .. Directory.GetFiles(folder, "zeek-conn*").Concat(Directory.GetFiles(folder, "derived-*")).Concat(Directory.GetFiles(folder, "zeek-dhcp*"))
                .Order(StringComparer.Ordinal),
        ];
        Assert.True(paths.Length >= 14);

        await using var database = await server.CreateDatabaseAsync();
        var first = await ImportAsync(database, paths, writers: 2);
        var contents = await SumsAsync();
        var second = await ImportAsync(database, [.. paths.Reverse()], writers: 3);

        Assert.All(first.Files, file => Assert.Null(file.Error));
        Assert.All(second.Files, file => Assert.Null(file.Error));
        Assert.Equal((first.Read, first.Stored, first.Rejected), (second.Read, second.Duplicate, second.Rejected));
        Assert.Equal((0, 0), (first.Duplicate, second.Stored));
        Assert.Equal(contents, await SumsAsync());
        Assert.Equal(first.Files.Where(f => f.Kind == "connections").Sum(f => f.Stored), await database.ScalarAsync<long>("SELECT count(*) FROM connections"));
        Assert.Equal(first.Stored, await database.ScalarAsync<long>("SELECT sum(rows_stored)::bigint FROM ingest_batches"));

        async Task<object?[]> SumsAsync() => Assert.Single(await database.QueryAsync(
            """
            SELECT (SELECT count(*) FROM connections), (SELECT sum(hashtext(c.metadata::text || c.timestamp || c.dst_ip))::text FROM connections c),
                   (SELECT md5(string_agg(d::text, '|' ORDER BY mac_address)) FROM devices d),
                   (SELECT md5(string_agg(s::text, '|' ORDER BY mac_address)) FROM device_sightings s),
                   (SELECT md5(string_agg(e::text, '|' ORDER BY src_mac, dst_ip)) FROM device_destinations e), (SELECT count(*) FROM device_events)
            """));
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static Task<ImportResult> ImportAsync(TestDatabase database, IEnumerable<string> paths, int writers = 1)
        => FileImporter.ImportAsync(
            ImportTarget.Database(database.DataSource), [.. paths.Select(ImportInput.File)], new ImportOptions { Writers = writers }, null, Cancel);

    private static string RequireFolder()
    {
        var folder = FindFolder();
        Assert.SkipWhen(folder is null, "The real logs are absent: there is no ../shared/data beside the repository, and COBALTGRAPH_TEST_DATA is not set.");
        return folder;
    }

    private static string? FindFolder()
    {
        if (Environment.GetEnvironmentVariable("COBALTGRAPH_TEST_DATA") is { Length: > 0 } named)
            return named;
        var folder = Repository.TryFindRoot() is { } root ? Path.GetFullPath(Path.Combine(root, "..", "shared", "data")) : null;
        return Directory.Exists(folder) ? folder : null;
    }

    /// <summary>Reads the logs the simple way: whole lines, strings, decimal numbers, no bounds.</summary>
    private sealed class Truth
    {
        public List<long> RowsByFile { get; } = [];

        public long Rows => RowsByFile.Sum();

        public long BytesSent { get; private set; }

        public long BytesReceived { get; private set; }

        public decimal Durations { get; private set; }

        public long DurationCount { get; private set; }

        public decimal Timestamps { get; private set; }

        public long Services { get; private set; }

        public long SourcePorts { get; private set; }

        public long DestinationPorts { get; private set; }

        public long RowsOfDevices { get; private set; }

        public HashSet<string> Devices { get; } = [];

        public HashSet<string> Uids { get; } = [];

        public void Read(string path)
        {
            using var reader = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
            string[] names = [];
            long rows = 0;
            while (reader.ReadLine() is { } line)
            {
                if (line.StartsWith("#fields", StringComparison.Ordinal))
                    names = line.Split('\t')[1..];
                if (line.StartsWith('#'))
                    continue;
                rows++;
                Add(line.StartsWith('{') ? FromJson(line) : FromTsv(names, line));
            }

            RowsByFile.Add(rows);
        }

        private static Dictionary<string, string> FromJson(string line)
        {
            using var document = JsonDocument.Parse(line);
            return document.RootElement.EnumerateObject().ToDictionary(
                p => p.Name.Replace('_', '.'),
                p => p.Value.ValueKind == JsonValueKind.String ? p.Value.GetString()! : p.Value.GetRawText());
        }

        private static Dictionary<string, string> FromTsv(string[] names, string line)
            => names.Zip(line.Split('\t')).Where(p => p.Second != "-").ToDictionary(p => p.First.Replace('_', '.'), p => p.Second);

        private void Add(Dictionary<string, string> row)
        {
            BytesSent += row.TryGetValue("orig.bytes", out var sent) ? long.Parse(sent, CultureInfo.InvariantCulture) : 0;
            BytesReceived += row.TryGetValue("resp.bytes", out var received) ? long.Parse(received, CultureInfo.InvariantCulture) : 0;
            Timestamps += Number(row["ts"]);
            if (row.TryGetValue("duration", out var duration))
            {
                Durations += Number(duration);
                DurationCount++;
            }

            Services += row.ContainsKey("service") ? 1 : 0;
            SourcePorts += long.Parse(row["id.orig.p"], CultureInfo.InvariantCulture);
            DestinationPorts += long.Parse(row["id.resp.p"], CultureInfo.InvariantCulture);
            Uids.Add(row["uid"]);
            if (row.TryGetValue("orig.l2.addr", out var mac) && mac != "00:00:00:00:00:00"
                && (Convert.ToByte(mac[..2], 16) & 1) == 0)
            {
                Devices.Add(mac);
                RowsOfDevices++;
            }
        }

        private static decimal Number(string text)
            => Math.Round(decimal.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture), 6, MidpointRounding.AwayFromZero);
    }
}
