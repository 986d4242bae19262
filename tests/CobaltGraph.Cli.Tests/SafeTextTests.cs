using CobaltGraph.Cli.Terminal;

namespace CobaltGraph.Cli.Tests;

public class SafeTextTests
{
    [Theory]
    [InlineData("plain text, ümlaut, 漢字, 🙂", "plain text, ümlaut, 漢字, 🙂")]
    [InlineData("\e[2J\e]0;owned\a", @"\x1b[2J\x1b]0;owned\x07")]
    [InlineData("\u009b31m", @"\x9b31m")]
    [InlineData("a\nb\r\tc", @"a\nb\r\tc")]
    [InlineData("a\0b", @"a\x00b")]
    [InlineData("\u202egnp.exe", @"\u202egnp.exe")]
    [InlineData("a\u2066b\u2069", @"a\u2066b\u2069")]
    [InlineData("zero\u200bwidth\ufeff", @"zero\u200bwidth\ufeff")]
    [InlineData("a\u2028b\u0085c", @"a\u2028b\x85c")]
    [InlineData("tag\U000E0041", @"tag\U000e0041")]
    [InlineData("\ue000", @"\ue000")]
    [InlineData(@"C:\x1b", @"C:\\x1b")]
    [InlineData("\x7f", @"\x7f")]
    public void Escape_leaves_no_text_that_acts_on_a_terminal(string text, string expected)
        => Assert.Equal(expected, SafeText.Escape(text));

    [Fact]
    public void Escape_lone_surrogate_is_shown()
        => Assert.Equal(@"a\ud800b", SafeText.Escape("a\ud800b"));

    [Fact]
    public void EscapeMessage_keeps_line_ends_and_backslashes_and_nothing_else()
        => Assert.Equal("one\ntwo \\ \\x1b[0m", SafeText.EscapeMessage("one\r\ntwo \\ \e[0m"));
}
