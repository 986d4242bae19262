using System.Text;
using CobaltGraph.Data.Import;

namespace CobaltGraph.Data.Tests.Import;

// Counts what the whole process allocates and computes, so nothing may run beside it.
[CollectionDefinition(nameof(MemoryTests), DisableParallelization = true)]
[Collection(nameof(MemoryTests))]
public class MemoryTests
{
    private const string CsvStart = "dst_ip,dst_port,dst_org\n10.0.0.4,53,x\n";

    public static TheoryData<string, string, string> Bombs() => new()
    {
        { "json_then_zeros", Logs.GoodJson + "\n", "\0" },
        { "json_then_lines", Logs.GoodJson + "\n", "\n" },
        { "json_then_a_text", Logs.GoodJson + "\n{\"a\":\"", "x" },
        { "json_then_arrays", Logs.GoodJson + "\n{\"a\":", "[" },
        { "csv_then_quoted_lines", CsvStart + "10.0.0.4,53,\"", "\n" },
        { "csv_then_a_quoted_field", CsvStart + "10.0.0.4,53,\"", "x" },
        { "csv_then_quotes", CsvStart + "10.0.0.4,53,", "\"" },
        { "csv_then_commas", CsvStart, "," },
        { "tsv_then_tabs", Logs.TsvHeader() + Logs.TsvRow() + "\n", "\t" },
        { "tsv_then_headers", Logs.TsvHeader() + Logs.TsvRow() + "\n", "#fields\tts\n" },
    };

    [Theory]
    [MemberData(nameof(Bombs))]
    public async Task Bomb_of_ten_gigabytes_ends_early_in_little_memory(string name, string start, string filling)
    {
        // A thousand members of ten megabytes.
        var member = Logs.Gzip(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(filling, 10_000_000 / filling.Length))));
        byte[] packed = [.. Logs.Gzip(start), .. Enumerable.Repeat(member, 1000).SelectMany(m => m)];
        Assert.InRange(packed.Length, 1_000_000, 60_000_000);

        var started = Environment.CpuUsage.TotalTime;
        var before = GC.GetTotalAllocatedBytes(precise: true);
        var (stored, _, error) = await CountAsync(new MemoryStream(packed));

        Assert.Contains(name == "tsv_then_headers" ? "#fields" : "unpack to more than", error, StringComparison.Ordinal);
        Assert.Equal(1, stored);
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 100_000_000);
        Assert.InRange((Environment.CpuUsage.TotalTime - started).TotalSeconds, 0, 10);
    }

    public static TheoryData<string, string, string, string> Endless() => new()
    {
        { "json_line", Logs.GoodJson + "\n{\"a\":\"", "x", "\n" + Logs.GoodJson },
        { "csv_field", CsvStart + "10.0.0.4,53,\"", "x", "\"\n10.0.0.4,53,x\n" },
        { "csv_field_of_lines", CsvStart + "10.0.0.4,53,\"", string.Concat(Enumerable.Repeat("0123456789", 100)) + "\n", "\"\n10.0.0.4,53,x\n" },
        { "csv_lines_of_broken_quotes", CsvStart, "\"a\"\n\"\n", "\n10.0.0.4,53,x\n" },
        { "tsv_line", Logs.TsvHeader() + Logs.TsvRow() + "\n", "x\t", "\n" + Logs.TsvRow() },
    };

    [Theory]
    [MemberData(nameof(Endless))]
    public async Task Endless_line_costs_neither_memory_nor_what_follows(string name, string start, string filling, string end)
    {
        var started = Environment.CpuUsage.TotalTime;
        var before = GC.GetTotalMemory(forceFullCollection: true);
        using var input = new RepeatStream(start, filling, name == "csv_lines_of_broken_quotes" ? 1_000_000 : 40_000_000, end);
        var (stored, rejected, error) = await CountAsync(input);

        Assert.Null(error);
        Assert.Equal((name, 2), (name, stored));
        Assert.InRange(rejected, 1, 1_000_000);
        Assert.InRange(input.HighWater - before, -60_000_000, 60_000_000);
        Assert.InRange((Environment.CpuUsage.TotalTime - started).TotalSeconds, 0, 30);
    }

    [Fact]
    public void Peak_of_memory_is_seen_when_it_is_over()
    {
        using var memory = new MemoryPeak();
        Use();
        var after = GC.GetTotalMemory(forceFullCollection: true);

        Assert.InRange(memory.Stop() - after, 100_000_000, long.MaxValue);

        static void Use()
        {
            var bytes = new byte[120_000_000];
            Thread.Sleep(200);
            GC.KeepAlive(bytes);
        }
    }

    private static async Task<(int Stored, int Rejected, string? Error)> CountAsync(Stream stream)
    {
        int stored = 0, rejected = 0;
        try
        {
            await foreach (var line in ImportReader.ReadAsync(stream, "test.log", new ImportOptions(), TestContext.Current.CancellationToken))
                _ = line.Rejection is null ? stored++ : rejected++;
        }
        catch (InvalidDataException e)
        {
            return (stored, rejected, e.Message);
        }

        return (stored, rejected, null);
    }

    /// <summary>A start, a filling until it has so many bytes, and an end; made as it is read.</summary>
    private sealed class RepeatStream(string start, string filling, long fillingBytes, string end) : ReadOnlyStream
    {
        private readonly byte[] _filling = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(filling, 1 + 60_000 / filling.Length)));
        private byte[] _part = Encoding.ASCII.GetBytes(start);
        private int _position;
        private bool _isLast;
        private long _given;
        private int _reads;

        /// <summary>The most that was in use at any read.</summary>
        public long HighWater { get; private set; }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_reads++ % 100 == 0)
                HighWater = Math.Max(HighWater, GC.GetTotalMemory(forceFullCollection: true));
            if (_position == _part.Length)
            {
                if (_isLast)
                    return ValueTask.FromResult(0);
                _position = 0;
                _isLast = _given >= fillingBytes;
                _part = _isLast ? Encoding.ASCII.GetBytes(end) : _filling;
                _given += _part.Length;
            }

            var count = Math.Min(buffer.Length, _part.Length - _position);
            _part.AsMemory(_position, count).CopyTo(buffer);
            _position += count;
            return ValueTask.FromResult(count);
        }
    }
}
