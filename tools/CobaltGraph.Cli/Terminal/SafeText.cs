using System.Globalization;
using System.Text;
using CobaltGraph.Model;

namespace CobaltGraph.Cli.Terminal;

/// <summary>
/// Makes text that somebody else chose (a host name, a file, a server's message) harmless on a terminal and in a line
/// of output: what could move the cursor, reorder or hide text, or end a line is shown as an escape. A backslash is
/// doubled, so that the original can be told from its escape.
/// </summary>
internal static class SafeText
{
    public static string Escape(string text)
    {
        var at = 0;
        while (at < text.Length && IsPlain(text[at])) at++;
        if (at == text.Length) return text;

        var safe = new StringBuilder(text, 0, at, text.Length + 16);
        var rest = text.AsSpan(at);
        while (!rest.IsEmpty)
        {
            if (Rune.DecodeFromUtf16(rest, out var rune, out var length) != System.Buffers.OperationStatus.Done)
                safe.Append(CultureInfo.InvariantCulture, $"\\u{(int)rest[0]:x4}");
            else if (rune.Value == '\\')
                safe.Append(@"\\");
            else
                DisplayText.Append(safe, rune);
            rest = rest[length..];
        }

        return safe.ToString();
    }

    /// <summary>As <see cref="Escape"/>, with the line ends and backslashes of a message of several lines kept.</summary>
    public static string EscapeMessage(string text)
        => string.Join('\n', text.ReplaceLineEndings("\n").Split('\n').Select(
            line => Escape(line).Replace(@"\\", @"\", StringComparison.Ordinal)));

    private static bool IsPlain(char c) => c is >= ' ' and < '\x7f' and not '\\';
}
