using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using CobaltGraph.Data.Import;
using CobaltGraph.Model;
using CobaltGraph.Testing;

namespace CobaltGraph.Data.Tests.Import;

/// <summary>
/// Logs that nobody here wrote, from <c>../shared/data</c> beside the repository or from the folder that
/// COBALTGRAPH_TEST_DATA names. What must come out is counted by other code than the importer's.
/// </summary>
public sealed class RealDataTests(PostgresServerFixture server)
{
    public const string Absent = "The real logs are absent: there is no ../shared/data beside the repository, and COBALTGRAPH_TEST_DATA is not set.";

    private static readonly string[] Files =
    [
        "zeek-conn-2024-04-19.tsv.gz", "zeek-conn-l2-apt29-day1.jsonl.gz", "derived-conn-iot_sentinel.jsonl.gz", "derived-conn-ndpi.jsonl.gz",
        "derived-conn-zeek-btest.jsonl.gz", "zeek-conn-2024-04-20.tsv.gz", "zeek-conn-rita-proxy.tsv.gz",
    ];

    [Fact]
    public async Task Import_of_real_logs_agrees_with_the_files()
    {
        var folder = FindFolder();
        Assert.SkipWhen(folder is null, Absent);
        var paths = Files.Select(f => Path.Combine(folder, f)).ToArray();
        var truth = new Truth();
        foreach (var path in paths)
            truth.Read(path);

        await using var database = await server.CreateDatabaseAsync();
        var result = await FileImporter.ImportAsync(
            ImportTarget.Database(database.DataSource), [.. paths.Select(ImportInput.File)], new ImportOptions(), null, TestContext.Current.CancellationToken);

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
    public async Task Sightings_of_real_logs_find_every_device()
    {
        var folder = FindFolder();
        Assert.SkipWhen(folder is null, Absent);

        var macs = new HashSet<MacAddress>();
        foreach (var file in (string[])["derived-arp-iot_sentinel.jsonl.gz", "derived-dhcp-iot_sentinel.jsonl.gz"])
        {
            await using var stream = File.OpenRead(Path.Combine(folder, file));
            var reading = await Logs.ReadAsync(stream);
            Assert.Null(reading.Error);
            Assert.Empty(reading.Rejections);
            Assert.Empty(reading.Stored);
            macs.UnionWith(reading.Sightings.Select(s => s.MacAddress));
        }

        var truth = File.ReadLines(Path.Combine(folder, "iot_sentinel-device-truth.csv")).Skip(1).Select(l => MacAddress.Parse(l.Split(',')[1])).ToHashSet();
        Assert.NotEmpty(truth);
        Assert.Superset(truth, macs);
    }

    [Theory]
    [InlineData("derived-arp-iot_sentinel.jsonl.gz", 2729, 0)]
    [InlineData("derived-arp-ndpi.jsonl.gz", 555, 0)]
    [InlineData("derived-arp-zeek-btest.jsonl.gz", 595, 0)]
    [InlineData("derived-dhcp-iot_sentinel.jsonl.gz", 1352, 0)]
    [InlineData("derived-dhcp-ndpi.jsonl.gz", 103, 1)]
    [InlineData("derived-dhcp-zeek-btest.jsonl.gz", 569, 0)]
    [InlineData("zeek-dhcp-rita-proxy.tsv.gz", 57, 0)]
    public async Task Every_line_of_real_sightings_is_accounted_for(string file, int sightings, int rejected)
    {
        var folder = FindFolder();
        Assert.SkipWhen(folder is null, Absent);

        await using var stream = File.OpenRead(Path.Combine(folder, file));
        var reading = await Logs.ReadAsync(stream);

        Assert.Null(reading.Error);
        Assert.Equal((sightings, rejected), (reading.Sightings.Count, reading.Rejections.Count));
        Assert.Equal(CountRows(Path.Combine(folder, file)), reading.Lines.Count);
        // The one line of the fuzzed capture whose MAC has the group bit.
        Assert.All(reading.Rejections, r => Assert.Equal("mac 'df:e0:ed:01:6e:bd' is a group address, which no device has; accepted are unicast addresses", r.Reason));
        Assert.All(reading.Sightings, s => Assert.Equal(file.Contains("arp", StringComparison.Ordinal) ? "arp" : "dhcp", s.Source));
        Assert.All(reading.Sightings, s => Assert.Null(s.Vendor));
    }

    [Fact]
    public async Task Addresses_of_real_dhcp_are_those_that_were_acknowledged()
    {
        var folder = FindFolder();
        Assert.SkipWhen(folder is null, Absent);

        var path = Path.Combine(folder, "derived-dhcp-iot_sentinel.jsonl.gz");
        await using var stream = File.OpenRead(path);
        var reading = await Logs.ReadAsync(stream);

        var expected = new List<(string, string?, string?)>();
        using var reader = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        while (await reader.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            using var document = JsonDocument.Parse(line);
            expected.Add((
                document.RootElement.GetProperty("mac").GetString()!,
                document.RootElement.GetProperty("msg_type").GetString() == "ACK" ? document.RootElement.GetProperty("assigned_addr").GetString() : null,
                document.RootElement.TryGetProperty("host_name", out var name) ? name.GetString() : null));
        }

        Assert.Equal(expected, reading.Sightings.Select(s => (s.MacAddress.ToString(), s.IpAddress?.ToString(), s.Hostname)));
    }

    private static int CountRows(string path)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        var rows = 0;
        while (reader.ReadLine() is { } line)
            rows += line.StartsWith('#') ? 0 : 1;
        return rows;
    }

    public static string? FindFolder()
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
