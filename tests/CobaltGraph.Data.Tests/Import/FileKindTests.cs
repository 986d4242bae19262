using System.Text;

namespace CobaltGraph.Data.Tests.Import;

public class FileKindTests
{
    public static TheoryData<string, byte[], string> Unreadable() => new()
    {
        { "utf16_le", [.. Encoding.Unicode.GetPreamble(), .. Encoding.Unicode.GetBytes(Logs.GoodJson)], "UTF-16" },
        { "utf16_be", [.. Encoding.BigEndianUnicode.GetPreamble(), .. Encoding.BigEndianUnicode.GetBytes(Logs.GoodJson)], "UTF-16" },
        { "utf16_le_without_mark", Encoding.Unicode.GetBytes(Logs.TsvHeader()), "UTF-16" },
        { "utf16_be_without_mark", Encoding.BigEndianUnicode.GetBytes(Logs.TsvHeader()), "UTF-16" },
        { "zeros", new byte[100_000], "binary" },
        { "program", [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0], "binary" },
        { "capture", [0xD4, 0xC3, 0xB2, 0xA1, 2, 0, 4, 0, 0, 0, 0, 0], "zeek -r" },
        { "zstd", [0x28, 0xB5, 0x2F, 0xFD, 4, 0], "zstd" },
        { "xz", [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00, 0, 4], "xz" },
        { "bzip2", [.. "BZh91AY&SY"u8], "bzip2" },
        { "zip", [.. "PK\u0003\u0004"u8, 20, 0, 0, 0], "zip" },
        { "gzip_in_gzip", Logs.Gzip(Logs.Gzip(Logs.GoodJson)), "gzip twice" },
        { "words", [.. "hello world\n"u8], "starts with 'hello world'" },
        { "csv", [.. "ts,uid\n1,2\n"u8], "starts with 'ts,uid'" },
        { "random", [0x99, 0x88, 0x1B, 0x5B, 0x32, 0x4A, 0x0A], @"starts with '\x99\x88\x1b[2J'" },
        { "html", [.. "<!DOCTYPE html>"u8], "accepted are Zeek's conn.log" },
    };

    [Theory]
    [MemberData(nameof(Unreadable))]
    public async Task File_of_another_kind_is_named(string name, byte[] content, string expected)
    {
        _ = name;
        var reading = await Logs.ReadAsync(content);

        Assert.Empty(reading.Lines);
        Assert.Contains(expected, reading.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(reading.Error!, char.IsControl);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n\n  \n")]
    [InlineData("\uFEFF")]
    public async Task File_without_content_has_no_rows(string text)
    {
        foreach (var bytes in (byte[][])[Encoding.UTF8.GetBytes(text), Logs.Gzip(text)])
        {
            var reading = await Logs.ReadAsync(bytes);
            Assert.Empty(reading.Lines);
            Assert.Null(reading.Error);
        }
    }

    [Fact]
    public async Task Endless_first_line_of_zeros_ends_at_once()
    {
        var reading = await Logs.ReadAsync(new EndlessStream());

        Assert.Contains("binary", reading.Error, StringComparison.Ordinal);
    }

    private sealed class EndlessStream : Data.Import.ReadOnlyStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            buffer.Span.Clear();
            return ValueTask.FromResult(buffer.Length);
        }
    }
}
