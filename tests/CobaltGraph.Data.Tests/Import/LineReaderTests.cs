using System.Text;
using CobaltGraph.Data.Import;

namespace CobaltGraph.Data.Tests.Import;

public class LineReaderTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("a", "a")]
    [InlineData("a\n", "a")]
    [InlineData("a\nb", "a|b")]
    [InlineData("a\r\nb\r\n", "a|b")]
    [InlineData("a\r", "a")]
    [InlineData("\n\na", "||a")]
    [InlineData("a\rb\n", "a\rb")]
    public async Task Lines_end_with_lf_crlf_or_the_file(string text, string expected)
    {
        foreach (var chunk in (int[])[1, 2, 3, 1000])
            Assert.Equal(expected, string.Join('|', await ReadAsync(text, 100, chunk)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(65_536)]
    [InlineData(10_000_000)]
    public async Task Long_line_is_reported_and_the_next_one_read(int chunk)
    {
        var longLine = new string('x', 300_000);
        var lines = await ReadAsync($"first\n{longLine}\n{longLine[..100_000]}\r\nlast", 100_000, chunk);

        Assert.Equal(["first", "too long: 300000", longLine[..100_000], "last"], lines);
    }

    [Fact]
    public async Task Long_last_line_is_reported()
        => Assert.Equal(["a", "too long: 11"], await ReadAsync("a\n01234567890", 10, 3));

    [Fact]
    public async Task Line_of_the_greatest_length_is_read()
        => Assert.Equal(["0123456789", "a"], await ReadAsync("0123456789\r\na", 10, 3));

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(1000)]
    public async Task Line_is_extended_by_the_next_ones_and_cut_back(int chunk)
    {
        var reader = new LineReader(new ChunkStream("one\r\ntwo\nthree\r\n\nlast"u8.ToArray(), chunk), 12);
        Assert.True(await reader.ReadAsync(TestContext.Current.CancellationToken));
        Assert.True(await reader.ExtendAsync(TestContext.Current.CancellationToken));
        Assert.Equal(("one\r\ntwo", 1L, 2L), (Text(), reader.LineNumber, reader.LastLineNumber));
        // Fourteen bytes are too many.
        Assert.False(await reader.ExtendAsync(TestContext.Current.CancellationToken));
        Assert.Equal(("one\r\ntwo", 1L, 2L), (Text(), reader.LineNumber, reader.LastLineNumber));
        reader.CutBack();
        Assert.Equal(("one", 1L, 1L), (Text(), reader.LineNumber, reader.LastLineNumber));

        Assert.True(await reader.ReadAsync(TestContext.Current.CancellationToken));
        Assert.Equal(("two", 2L), (Text(), reader.LineNumber));
        Assert.True(await reader.ExtendAsync(TestContext.Current.CancellationToken));
        Assert.True(await reader.ExtendAsync(TestContext.Current.CancellationToken));
        Assert.Equal(("two\nthree\r\n", 2L, 4L), (Text(), reader.LineNumber, reader.LastLineNumber));

        Assert.True(await reader.ReadAsync(TestContext.Current.CancellationToken));
        Assert.Equal(("last", 5L), (Text(), reader.LineNumber));
        Assert.False(await reader.ExtendAsync(TestContext.Current.CancellationToken));
        Assert.Equal(("last", 5L), (Text(), reader.LineNumber));
        Assert.False(await reader.ReadAsync(TestContext.Current.CancellationToken));

        string Text() => Encoding.UTF8.GetString(reader.Line.Span);
    }

    [Fact]
    public async Task Line_that_is_too_long_is_not_extended()
    {
        var reader = new LineReader(new ChunkStream("0123456789abc\nx\ny"u8.ToArray(), 5), 10);
        Assert.True(await reader.ReadAsync(TestContext.Current.CancellationToken));
        Assert.Equal(13, reader.TooLongBytes);
        Assert.False(await reader.ExtendAsync(TestContext.Current.CancellationToken));
        reader.CutBack();
        Assert.True(await reader.ReadAsync(TestContext.Current.CancellationToken));
        Assert.Equal(("x", 2L), (Encoding.UTF8.GetString(reader.Line.Span), reader.LineNumber));
    }

    private static async Task<List<string>> ReadAsync(string text, int maxLineBytes, int chunk)
    {
        var reader = new LineReader(new ChunkStream(Encoding.UTF8.GetBytes(text), chunk), maxLineBytes);
        var lines = new List<string>();
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
        {
            Assert.Equal(lines.Count + 1, reader.LineNumber);
            lines.Add(reader.TooLongBytes > 0 ? $"too long: {reader.TooLongBytes}" : Encoding.UTF8.GetString(reader.Line.Span));
        }

        return lines;
    }
}
