using System.Globalization;
using System.Text;

namespace CobaltGraph.Model;

/// <summary>Makes foreign text safe to show in a message: short, on one line, without control or direction characters.</summary>
internal static class DisplayText
{
    private const int MaxLength = 64;

    public static string Quote(ReadOnlySpan<char> text)
    {
        var result = new StringBuilder("'", MaxLength + 16);
        var rest = text;
        while (!rest.IsEmpty && result.Length < MaxLength)
        {
            var valid = Rune.DecodeFromUtf16(rest, out var rune, out var used) == System.Buffers.OperationStatus.Done;
            if (valid && IsPlain(rune))
                result.Append(rune.ToString());
            else
                result.Append(CultureInfo.InvariantCulture, $"\\u{{{(valid ? rune.Value : rest[0]):x}}}");
            rest = rest[used..];
        }
        result.Append('\'');
        if (!rest.IsEmpty)
            result.Append(CultureInfo.InvariantCulture, $"… ({text.Length} characters)");
        return result.ToString();
    }

    public static string Quote(ReadOnlySpan<byte> utf8)
    {
        // Four bytes at most make a character, so a longer text than this is cut in any case.
        var shown = utf8[..Math.Min(utf8.Length, 4 * MaxLength)];
        var quoted = Quote(Encoding.UTF8.GetString(shown).AsSpan());
        return shown.Length < utf8.Length ? $"{quoted} ({utf8.Length} bytes)" : quoted;
    }

    private static bool IsPlain(Rune rune) => Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
        or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
        or UnicodeCategory.OtherNotAssigned);
}
