using System.Buffers;
using System.Globalization;
using System.Text;

namespace CobaltGraph.Model;

/// <summary>
/// Text that somebody else chose (a host name, a line of a file, a server's message) made safe for a terminal, a log or
/// a message: what could move the cursor, hide or reorder text, or end the line is spelled out, and the length is
/// bounded. For reading only; the result is not meant to be turned back.
/// </summary>
internal static class DisplayText
{
    private const int QuotedLength = 64;

    public static string Escape(string text, int maxLength = 1000) => Escape(text.AsSpan(), maxLength);

    public static string Escape(ReadOnlySpan<char> text, int maxLength)
    {
        var result = new StringBuilder(Math.Min(text.Length, maxLength) + 8);
        while (!text.IsEmpty && result.Length < maxLength)
        {
            if (Rune.DecodeFromUtf16(text, out var rune, out var consumed) == OperationStatus.Done)
                Append(result, rune);
            else
                result.Append(CultureInfo.InvariantCulture, $"\\u{(int)text[0]:x4}");

            text = text[consumed..];
        }

        return text.IsEmpty ? result.ToString() : result.Append('…').ToString();
    }

    public static string Escape(ReadOnlySpan<byte> utf8, int maxLength)
    {
        var result = new StringBuilder(Math.Min(utf8.Length, maxLength) + 8);
        while (!utf8.IsEmpty && result.Length < maxLength)
        {
            if (Rune.DecodeFromUtf8(utf8, out var rune, out var consumed) == OperationStatus.Done)
            {
                Append(result, rune);
            }
            else
            {
                foreach (var unit in utf8[..consumed])
                    result.Append(CultureInfo.InvariantCulture, $"\\x{unit:x2}");
            }

            utf8 = utf8[consumed..];
        }

        return utf8.IsEmpty ? result.ToString() : result.Append('…').ToString();
    }

    /// <summary>For the value that a message complains about: short, and between quotes.</summary>
    public static string Quote(ReadOnlySpan<char> text)
    {
        var quoted = $"'{Escape(text, QuotedLength)}'";
        return text.Length > QuotedLength ? $"{quoted} ({text.Length} characters)" : quoted;
    }

    /// <inheritdoc cref="Quote(ReadOnlySpan{char})"/>
    public static string Quote(ReadOnlySpan<byte> utf8)
    {
        var quoted = $"'{Escape(utf8, QuotedLength)}'";
        return utf8.Length > QuotedLength ? $"{quoted} ({utf8.Length} bytes)" : quoted;
    }

    public static void Append(StringBuilder result, Rune rune)
    {
        switch (rune.Value)
        {
            case '\t': result.Append("\\t"); return;
            case '\n': result.Append("\\n"); return;
            case '\r': result.Append("\\r"); return;
        }

        var hidden = Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format
            or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse
            or UnicodeCategory.OtherNotAssigned;
        if (!hidden) result.Append(rune.ToString());
        else if (rune.Value < 0x100) result.Append(CultureInfo.InvariantCulture, $"\\x{rune.Value:x2}");
        else if (rune.IsBmp) result.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}");
        else result.Append(CultureInfo.InvariantCulture, $"\\U{rune.Value:x8}");
    }
}
