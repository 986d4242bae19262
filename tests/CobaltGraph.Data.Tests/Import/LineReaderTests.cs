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
