using System.Text;

namespace CobaltGraph.Model.Tests;

public class DisplayTextTests
{
    [Theory]
    [InlineData("plain text é 中 😀", "plain text é 中 😀")]
    [InlineData("\u001b[31mred\u001b[0m", @"\x1b[31mred\x1b[0m")]
    [InlineData("a\0b\tc\nd\re\u007f", @"a\x00b\tc\nd\re\x7f")]
    [InlineData("\u009b31m", @"\x9b31m")]
    [InlineData("evil\u202egpj.exe", @"evil\u202egpj.exe")]
    [InlineData("\u2066\u2069\u200b\u200f\ufeff\u061c", @"\u2066\u2069\u200b\u200f\ufeff\u061c")]
    [InlineData("line\u2028para\u2029", @"line\u2028para\u2029")]
    [InlineData("\U000e0041\ue000", @"\U000e0041\ue000")]
    public void Escape_spells_out_what_could_move_hide_or_reorder(string text, string expected)
    {
        Assert.Equal(expected, DisplayText.Escape(text));
        Assert.Equal(expected, DisplayText.Escape(Encoding.UTF8.GetBytes(text), 1000));
    }

    [Fact]
    public void Escape_shows_bytes_and_halves_that_are_no_text()
    {
        Assert.Equal(@"a\xff\xc3(b", DisplayText.Escape([0x61, 0xFF, 0xC3, 0x28, 0x62], 100));
        Assert.Equal(@"a\ud800b", DisplayText.Escape("a\ud800b"));
    }

    [Fact]
    public void Escape_bounds_the_length()
    {
        Assert.Equal(new string('a', 40) + "…", DisplayText.Escape(new string('a', 1_000_000), 40));
        Assert.True(DisplayText.Escape(Encoding.UTF8.GetBytes(new string('\u001b', 1_000_000)), 40).Length < 50);
        Assert.True(DisplayText.Escape(Enumerable.Repeat((byte)0xFF, 1_000_000).ToArray(), 40).Length < 60);
    }
}
