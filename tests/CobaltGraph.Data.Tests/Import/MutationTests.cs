using System.Globalization;
using System.Net.Sockets;
using System.Text;
using CobaltGraph.Data.Import;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Data.Tests.Ingest;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Tests.Import;

/// <summary>
/// Damaged lines of every format: each becomes a record or a rejection, and nothing else happens. COBALTGRAPH_MUTATIONS sets
/// how many lines there are over all formats.
/// </summary>
/// <remarks>Time is that of the processor, for a busy machine makes any line wait; so nothing may run beside it.</remarks>
[CollectionDefinition(nameof(MutationTests), DisableParallelization = true)]
[Collection(nameof(MutationTests))]
public class MutationTests
{
    private const int Seed = 20240419;
    private const int LinesPerInput = 5_000;

    private static readonly int Lines = int.Parse(Environment.GetEnvironmentVariable("COBALTGRAPH_MUTATIONS") ?? "20000", CultureInfo.InvariantCulture);

    private static readonly string DhcpHeader = Logs.TsvHeader(["ts", "mac", "assigned_addr", "host_name", "msg_types"], "dhcp");

    private static readonly string[] DhcpMessages = ["DISCOVER", "OFFER", "REQUEST", "ACK"];

    private static readonly Lazy<List<string>> Csv = new(() => Records(RoundTripTests.WriteCsvAsync(Rows()).GetAwaiter().GetResult(), isCsv: true));

    private static readonly Lazy<List<string>> Json = new(() => Records(RoundTripTests.WriteJson(Rows()), isCsv: false));

    private static readonly Lazy<List<string>> SightingCsv = new(() => Records(RoundTripTests.WriteCsvAsync(Sightings()).GetAwaiter().GetResult(), isCsv: true));

    private static readonly Lazy<List<string>> SightingJson = new(() => Records(RoundTripTests.WriteJson(Sightings()), isCsv: false));

    private static readonly (string Name, string Header, Func<int, string> Line)[] Formats =
    [
        ("conn.tsv", Logs.TsvHeader(), i => Logs.TsvRow(
            ("ts", $"{1713484784 + i}.{i % 1_000_000:d6}"), ("id.orig_p", $"{i % 65536}"), ("orig_bytes", i % 5 == 0 ? "-" : $"{i * 31L}"),
            ("proto", i % 3 == 0 ? "udp" : "tcp"), ("id.resp_h", i % 7 == 0 ? "fe80::1%eth0" : "10.0.0.4"))),
        ("conn.json", "", i => Logs.Json(
            ("1588205199.82437", $"{1588205199 + i}.{i % 1_000_000:d6}"), ("54243", $"{i % 65536}"), (":39", $":{i * 31L}"), ("10.0.0.4", i % 7 == 0 ? "ff02::1" : "10.0.0.4"))),
        ("arp.json", "", i => Logs.Change(
            Logs.GoodArp, ("1461243763.194849", $"{1461243763 + i}.5"), ("192.168.0.60", i % 5 == 0 ? "0.0.0.0" : $"10.0.{i % 256}.1"))),
        ("dhcp.json", "", i => Logs.Change(
            Logs.GoodDhcp, ("1461243775.328845", $"{1461243775 + i}.5"), ("\"ACK\"", $"\"{DhcpMessages[i % 4]}\""), ("DCH-S150", $"host-{i}"))),
        ("dhcp.tsv", DhcpHeader, i => $"{1610645141 + i}.5\tf4:8e:38:8b:b6:03\t{(i % 5 == 0 ? "-" : "192.168.0.15")}\tpc{i}\tREQUEST,{DhcpMessages[i % 4]}"),
        ("connections.csv", LineOf(Csv, 0), i => LineOf(Csv, 1 + i % (CountOf(Csv) - 1)).TrimEnd('\n')),
        ("connections.json", "", i => LineOf(Json, i % CountOf(Json)).TrimEnd('\n')),
        ("sightings.csv", LineOf(SightingCsv, 0), i => LineOf(SightingCsv, 1 + i % (CountOf(SightingCsv) - 1)).TrimEnd('\n')),
        ("sightings.json", "", i => LineOf(SightingJson, i % CountOf(SightingJson)).TrimEnd('\n')),
    ];

    public static TheoryData<string> FormatNames() => [.. Formats.Select(f => f.Name)];

    [Theory]
    [MemberData(nameof(FormatNames))]
    public async Task Mutated_lines_are_records_or_rejections(string format)
    {
        var (_, header, makeLine) = Formats.Single(f => f.Name == format);
        long records = 0, rejections = 0;
        using var memory = new MemoryPeak();
        var left = Lines / Formats.Length;
        for (var input = 0; left > 0; input++, left -= LinesPerInput)
        {
            var bytes = MakeInput(header, makeLine, input, Math.Min(left, LinesPerInput));
            var (stored, rejected) = await CheckAsync(bytes, header);
            records += stored;
            rejections += rejected;
            await CheckImportAsync(bytes, stored, rejected);
        }

        // Both really happened.
        Assert.InRange(records, Lines / Formats.Length / 10, Lines);
        Assert.InRange(rejections, Lines / Formats.Length / 10, 2L * Lines);
        Assert.InRange(memory.Stop(), 0, 250_000_000);
        TestContext.Current.TestOutputHelper?.WriteLine($"{format}: {records} records, {rejections} rejections, seed {Seed}");
    }

    private static byte[] MakeInput(string header, Func<int, string> makeLine, int input, int lines)
    {
        var mutator = new LogMutator(Seed + input);
        var bytes = new List<byte>(Encoding.UTF8.GetBytes(header));
        var other = Encoding.UTF8.GetBytes(makeLine(1));
        for (var i = 0; i < lines; i++)
        {
            var line = Encoding.UTF8.GetBytes(makeLine(input * LinesPerInput + i));
            // Each input tells its kind by a good first line.
            var mutated = i % 10 == 0 ? line : mutator.Mutate(line, other);
            // A header that changes has tests of its own.
            bytes.AddRange(Encoding.Latin1.GetString(mutated).Contains("#fields", StringComparison.Ordinal) ? line : mutated);
            bytes.Add((byte)'\n');
            other = line;
        }

        return [.. bytes];
    }

    private static async Task<(int Records, int Rejections)> CheckAsync(byte[] bytes, string header)
    {
        var starts = new List<int> { 0 };
        for (var i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] == '\n')
                starts.Add(i + 1);
        }

        int records = 0, rejections = 0;
        var next = header.Count(c => c == '\n') + 1;
        var started = Environment.CpuUsage.TotalTime;
        await foreach (var line in ImportReader.ReadAsync(new MemoryStream(bytes), "mutated", new ImportOptions { AreComplete = true }, TestContext.Current.CancellationToken))
        {
            Assert.InRange((Environment.CpuUsage.TotalTime - started).TotalSeconds, 0, 1);

            // Between two records there is nothing but blank lines, and their bytes are those of the input.
            for (; next < line.LineNumber; next++)
                Assert.Equal("", Encoding.Latin1.GetString(bytes[starts[next - 1]..starts[next]]).Trim(' ', '\t', '\r', '\n'));
            Assert.Equal(next, line.LineNumber);
            var start = starts[next - 1];
            Assert.True(bytes.AsSpan(start).StartsWith(line.Raw.Span));
            Assert.Equal(line.Raw.Length, line.RawLength);
            next += 1 + line.Raw.Span.Count((byte)'\n');
            var end = next - 1 < starts.Count ? starts[next - 1] : bytes.Length;
            Assert.Equal("", Encoding.Latin1.GetString(bytes[(start + line.Raw.Length)..end]).Trim('\r', '\n'));

            Assert.Equal(line.Rejection is null, line.Connection is not null || line.Sighting is not null);
            if (line.Rejection is { } rejection)
            {
                rejections++;
                Assert.DoesNotContain(rejection.Reason + rejection.Excerpt, char.IsControl);
                Assert.InRange(rejection.Reason.Length, 10, 1500);
            }
            else
            {
                records++;
                Assert.Null(line.Connection is { } row ? RecordRules.Check(row) : RecordRules.Check(line.Sighting!));
                if (line.Connection is not null)
                    AssertStorable(line.Connection);
            }

            started = Environment.CpuUsage.TotalTime;
        }

        for (; next < starts.Count; next++)
            Assert.Equal("", Encoding.Latin1.GetString(bytes[starts[next - 1]..starts[next]]).Trim(' ', '\t', '\r', '\n'));
        return (records, rejections);
    }

    /// <summary>An import of the input accounts for every record and rejection that was counted in its bytes.</summary>
    private static async Task CheckImportAsync(byte[] bytes, int records, int rejections)
    {
        var store = new MemoryStore();
        var told = 0;
        var result = await FileImporter.ImportAsync(
            store.Target, [ImportInput.Of("mutated", () => new MemoryStream(bytes))],
            new ImportOptions { BlockLines = 777, Writers = 2, OnRejected = _ => told++, AreComplete = true }, null,
            TestContext.Current.CancellationToken);

        Assert.Equal(ImportOutcome.Completed, result.Outcome);
        Assert.Equal((null, records + rejections), (result.Files[0].Error, result.Read));
        Assert.Equal((records, rejections), (result.Stored, result.Rejected));
        Assert.Equal((records, rejections), (store.Connections.Count + store.Sightings.Count, told));
    }

    /// <summary>The rules of the table, told once more.</summary>
    private static void AssertStorable(Connection row)
    {
        Assert.True(row.Timestamp == default || (row.Timestamp > DateTimeOffset.MinValue && row.Timestamp.Offset == TimeSpan.Zero && row.Timestamp.Ticks % 10 == 0));
        Assert.True(row.SrcMac is null or { IsDevice: true });
        Assert.InRange(row.SrcPort ?? 0, 0, 65535);
        Assert.InRange(row.DstPort, 0, 65535);
        Assert.InRange(row.ThreatScore, 0, 10);
        Assert.InRange(row.Protocol?.EnumerateRunes().Count() ?? 0, 0, 10);
        Assert.True(row.SrcIp is null || row.SrcIp.AddressFamily == AddressFamily.InterNetwork || row.SrcIp.ScopeId == 0);
        foreach (var text in (string?[])[row.Protocol, row.DstCountry, row.DstOrg, row.DstHostname, row.ThreatCategory, row.Metadata.Service, row.Metadata.State, row.Metadata.Uid])
        {
            if (text is null)
                continue;
            Assert.DoesNotContain('\0', text);
            Assert.Equal(text, Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)));
        }
    }

    private static List<Connection> Rows()
    {
        var records = new OddRecords(Seed);
        return [.. Enumerable.Range(0, 2000).Select(_ => records.NextConnection()).Where(r => RecordRules.Check(r) is null && r.Metadata.ToJson().Length < 2000)];
    }

    private static List<DeviceSighting> Sightings()
    {
        var records = new OddRecords(Seed);
        return [.. Enumerable.Range(0, 2000).Select(_ => records.NextSighting()).Where(r => RecordRules.Check(r) is null)];
    }

    private static int CountOf(Lazy<List<string>> records) => records.Value.Count;

    private static string LineOf(Lazy<List<string>> records, int index) => records.Value[index];

    /// <summary>Splits what a writer wrote, header included, into records with their line feed.</summary>
    private static List<string> Records(byte[] bytes, bool isCsv)
    {
        var records = new List<string>();
        var record = new StringBuilder();
        foreach (var line in Encoding.UTF8.GetString(bytes).Split('\n')[..^1])
        {
            record.Append(line).Append('\n');
            if (isCsv && record.ToString().Count(c => c == '"') % 2 == 1)
                continue;
            records.Add(record.ToString());
            record.Clear();
        }

        return records;
    }
}
