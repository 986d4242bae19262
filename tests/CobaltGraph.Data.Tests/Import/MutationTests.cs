using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using CobaltGraph.Data.Import;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Tests.Import;

public sealed class MutationTests : IDisposable
{
    private const int Seed = 20240419;
    private const int LinesPerFormat = 50_000;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public Task Mutated_tsv_is_stored_or_rejected_line_by_line() => CheckAsync(Logs.TsvHeader(), headerLines: 7, i => Logs.TsvRow(
        ("ts", $"{1713484784 + i}.{i % 1_000_000:d6}"), ("id.orig_p", $"{i % 65536}"), ("orig_bytes", i % 5 == 0 ? "-" : $"{i * 31L}"),
        ("proto", i % 3 == 0 ? "udp" : "tcp"), ("id.resp_h", i % 7 == 0 ? "fe80::1%eth0" : "10.0.0.4")));

    [Fact]
    public Task Mutated_json_is_stored_or_rejected_line_by_line() => CheckAsync(Logs.GoodJson + "\n", headerLines: 0, i => Logs.Json(
        ("1588205199.82437", $"{1588205199 + i}.{i % 1_000_000:d6}"), ("54243", $"{i % 65536}"), (":39", $":{i * 31L}"), ("10.0.0.4", i % 7 == 0 ? "ff02::1" : "10.0.0.4")));

    private async Task CheckAsync(string start, int headerLines, Func<int, string> makeLine)
    {
        var mutator = new LogMutator(Seed);
        var file = new List<byte>(Encoding.UTF8.GetBytes(start));
        var other = Encoding.UTF8.GetBytes(makeLine(1));
        for (var i = 0; i < LinesPerFormat; i++)
        {
            var line = Encoding.UTF8.GetBytes(makeLine(i));
            var mutated = i % 10 == 0 ? line : mutator.Mutate(line, other);
            // Only a header line of a test of its own may change the header.
            file.AddRange(Encoding.Latin1.GetString(mutated).StartsWith("#fields", StringComparison.Ordinal) ? line : mutated);
            file.Add((byte)'\n');
            other = line;
        }

        var bytes = file.ToArray();
        var expected = CountLines(bytes) - headerLines;
        var store = new MemoryStore();
        var watch = Stopwatch.StartNew();
        var result = await FileImporter.ImportAsync(
            store.Target, [ImportInput.File(_folder.Write("mutated.log", bytes))], new ImportOptions(), null, TestContext.Current.CancellationToken);

        Assert.Null(Assert.Single(result.Files).Error);
        Assert.Equal(expected, result.Read);
        Assert.Equal(result.Read, result.Stored + result.Rejected);
        Assert.Equal(result.Stored, store.Connections.Count);
        // Both really happened.
        Assert.InRange(result.Stored, LinesPerFormat / 10, LinesPerFormat);
        Assert.InRange(result.Rejected, LinesPerFormat / 10, 2 * LinesPerFormat);
        Assert.All(result.Rejections, r => Assert.DoesNotContain(r.Reason + r.Excerpt, char.IsControl));
        Assert.All(store.Connections, AssertStorable);
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 60);
    }

    private static int CountLines(byte[] bytes)
        => Encoding.Latin1.GetString(bytes).Split('\n').Count(l => l.AsSpan().Trim(" \t\r").Length > 0);

    /// <summary>The rules of the table, told once more.</summary>
    private static void AssertStorable(Connection row)
    {
        Assert.True(row.Timestamp > DateTimeOffset.MinValue && row.Timestamp.Offset == TimeSpan.Zero && row.Timestamp.Ticks % 10 == 0);
        Assert.True(row.SrcMac is null or { IsDevice: true });
        Assert.InRange(row.SrcPort!.Value, 0, 65535);
        Assert.InRange(row.DstPort, 0, 65535);
        Assert.InRange(row.Protocol!.Length, 1, 10);
        Assert.True(row.BytesSent is null or >= 0 && row.BytesReceived is null or >= 0);
        Assert.True(row.Duration is null || row.Duration >= TimeSpan.Zero);
        Assert.True(row.SrcIp!.AddressFamily == AddressFamily.InterNetwork || row.SrcIp.ScopeId == 0);
        foreach (var text in (string?[])[row.Protocol, row.Metadata.Service, row.Metadata.State, row.Metadata.Uid])
        {
            if (text is null)
                continue;
            Assert.DoesNotContain('\0', text);
            Assert.InRange(text.Length, 1, 1000);
            Assert.Equal(text, Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)));
        }
    }
}
