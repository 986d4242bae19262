using System.IO.Compression;
using System.Text;
using CobaltGraph.Data.Import;

namespace CobaltGraph.Data.Tests.Import;

public class GzipTests
{
    private static readonly string Log = string.Concat(Enumerable.Range(0, 5000).Select(
        i => Logs.Json(("Cvf4XX17hSAgXDdGEd", $"C{(uint)i * 2654435761:x8}"), ("54243", $"{i}")) + "\n"));

    [Theory]
    [InlineData(CompressionLevel.Optimal)]
    [InlineData(CompressionLevel.Fastest)]
    [InlineData(CompressionLevel.NoCompression)]
    public async Task Gzip_is_told_by_content(CompressionLevel level)
        => Assert.Equal(5000, (await Logs.ReadAsync(Logs.Gzip(Encoding.UTF8.GetBytes(Log), level))).Connections.Count);

    [Theory]
    [InlineData(1, false)]
    [InlineData(3, true)]
    [InlineData(4096, false)]
    [InlineData(100_000, true)]
    public async Task Members_that_follow_each_other_are_one_file(int chunk, bool isAsynchronous)
    {
        var bytes = Encoding.UTF8.GetBytes(Log);
        byte[] packed =
        [
            .. Logs.Gzip(bytes[..10]), .. Logs.Gzip([]), .. Logs.Gzip(bytes[10..400_000]), .. Logs.Gzip(bytes[400_000..], CompressionLevel.NoCompression),
            .. Logs.Gzip([]), .. new byte[1000],
        ];
        var reading = await Logs.ReadAsync(new ChunkStream(packed, chunk, isAsynchronous));

        Assert.Null(reading.Error);
        Assert.Equal(Enumerable.Range(0, 5000), reading.Connections.Select(c => c.SrcPort!.Value));
    }

    [Fact]
    public async Task Member_boundary_anywhere_is_found()
    {
        var bytes = Encoding.UTF8.GetBytes(Log)[..20_000];
        for (var length = 0; length < 3000; length += 7)
        {
            var reading = await Logs.ReadAsync((byte[])[.. Logs.Gzip(bytes[..length]), .. Logs.Gzip(bytes[length..])]);
            Assert.Null(reading.Error);
            Assert.Equal(reading.Lines.Count, bytes.Count(b => b == '\n') + 1);
        }
    }

    [Fact]
    public async Task Header_with_name_comment_extra_and_checksum_is_passed()
    {
        var plain = Logs.Gzip(Logs.GoodJson);
        byte[] packed =
        [
            0x1F, 0x8B, 8, 0x1E, 0, 0, 0, 0, 0, 3,
            5, 0, 1, 2, 3, 4, 5, .. "conn.log\0"u8, .. "a comment\0"u8, 0xAA, 0xBB,
            .. plain[10..],
        ];

        Assert.Single((await Logs.ReadAsync(packed)).Connections);
    }

    [Fact]
    public async Task Cut_anywhere_is_an_error_and_the_complete_lines_before_are_read()
    {
        var packed = Logs.Gzip(Log[..60_000]);
        for (var length = 2; length < packed.Length; length += length < 30 || length > packed.Length - 30 ? 1 : 97)
        {
            var reading = await Logs.ReadAsync(packed[..length]);
            Assert.Contains("cut", reading.Error, StringComparison.Ordinal);
            Assert.Empty(reading.Rejections);
            Assert.Equal(Enumerable.Range(0, reading.Lines.Count), reading.Connections.Select(c => c.SrcPort!.Value));
        }

        var almost = await Logs.ReadAsync(packed[..^8]);
        Assert.Equal(Log[..60_000].Count(c => c == '\n'), almost.Lines.Count);
    }

    [Fact]
    public async Task Cut_csv_and_sightings_are_an_error_and_the_complete_records_before_are_read()
    {
        var csv = "mac_address,hostname\n" + string.Concat(Enumerable.Range(0, 3000).Select(i => $"02:00:00:00:{i >> 8:x2}:{i & 255:x2},\"a\n{(uint)i * 2654435761:x8}\"\n"));
        var arp = string.Concat(Enumerable.Range(0, 3000).Select(i => Logs.Change(Logs.GoodArp, ("1461243763.194849", $"{i}.{(uint)i * 2654435761 % 1_000_000:d6}")) + "\n"));
        foreach (var text in (string[])[csv, arp])
        {
            var packed = Logs.Gzip(text);
            for (var length = packed.Length / 3; length < packed.Length; length += 499)
            {
                var reading = await Logs.ReadAsync(new ChunkStream(packed[..length], 1000, isAsynchronous: true));
                Assert.Contains("cut", reading.Error, StringComparison.Ordinal);
                Assert.Empty(reading.Rejections);
                Assert.InRange(reading.Sightings.Count, 100, 3000);
            }
        }
    }

    [Fact]
    public async Task Cut_second_member_is_an_error()
    {
        var reading = await Logs.ReadAsync((byte[])[.. Logs.Gzip(Logs.GoodJson + "\n"), .. Logs.Gzip(Log)[..5000]]);

        Assert.Contains("cut", reading.Error, StringComparison.Ordinal);
        Assert.NotEmpty(reading.Connections);
    }

    [Theory]
    [InlineData("junk")]
    [InlineData("\n")]
    [InlineData("\u001f")]
    [InlineData("\0\0\0junk")]
    public async Task Bytes_after_the_end_are_an_error(string junk)
    {
        var reading = await Logs.ReadAsync((byte[])[.. Logs.Gzip(Logs.GoodJson + "\n"), .. Encoding.UTF8.GetBytes(junk)]);

        Assert.Contains("something else follows", reading.Error, StringComparison.Ordinal);
        Assert.Single(reading.Connections);
    }

    [Fact]
    public async Task Flipped_byte_is_found_wherever_it_is()
    {
        var packed = Logs.Gzip(Log[..30_000]);
        var random = new Random(99);
        for (var i = 0; i < 300; i++)
        {
            var damaged = (byte[])packed.Clone();
            damaged[random.Next(10, damaged.Length)] ^= (byte)(1 << random.Next(8));
            Assert.NotNull((await Logs.ReadAsync(damaged)).Error);
        }
    }

    [Theory]
    [InlineData(9)]
    [InlineData(0)]
    public async Task Unknown_method_is_an_error(byte method)
        => Assert.Contains("no gzip knows", (await Logs.ReadAsync((byte[])[0x1F, 0x8B, method, 0, 0, 0, 0, 0, 0, 3, 1, 2])).Error, StringComparison.Ordinal);

    [Fact]
    public async Task Bomb_of_short_lines_ends_early()
    {
        var member = Logs.Gzip(Encoding.UTF8.GetBytes(new string('\n', 10_000_000)));
        var reading = await Logs.ReadAsync((byte[])[.. Logs.Gzip(Logs.GoodJson + "\n"), .. Enumerable.Repeat(member, 100).SelectMany(m => m)]);

        Assert.Contains("unpack to more than", reading.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Log_that_packs_well_is_believed()
    {
        // Hundred-fold, which no real log reaches, and beyond the allowance.
        var member = Logs.Gzip(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(Logs.GoodJson + "\n", 40))));
        var packed = Enumerable.Repeat(member, 200).SelectMany(m => m).ToArray();
        var reading = await Logs.ReadAsync(packed, new ImportOptions { ExpansionAllowance = 1 << 20 });

        Assert.Null(reading.Error);
        Assert.Equal(8000, reading.Connections.Count);
    }
}
