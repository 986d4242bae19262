using System.Buffers;
using System.Globalization;
using System.Text;

namespace CobaltGraph.Data.Import;

/// <summary>
/// Text from outside made safe for a terminal or a log: what could move the cursor, hide or reorder text, or break the
/// line is spelled out, and the length is bounded. For reading only: the result is not meant to be turned back.
/// </summary>
internal static class DisplayText
{
    public static string Escape(ReadOnlySpan<byte> utf8, int maxLength)
    {
        var result = new StringBuilder(Math.Min(utf8.Length, maxLength) + 8);
        while (!utf8.IsEmpty)
        {
            var status = Rune.DecodeFromUtf8(utf8, out var rune, out var consumed);
            if (status == OperationStatus.Done)
            {
                if (!TryAppend(result, rune, maxLength))
                    break;
            }
            else
            {
                foreach (var unit in utf8[..consumed])
                    result.Append(CultureInfo.InvariantCulture, $"\\x{unit:x2}");
                if (result.Length > maxLength)
                    break;
            }

            utf8 = utf8[consumed..];
        }

        return utf8.IsEmpty ? result.ToString() : result.Append('…').ToString();
    }

    public static string Escape(string text, int maxLength = 1000)
    {
        var result = new StringBuilder(Math.Min(text.Length, maxLength) + 8);
        ReadOnlySpan<char> rest = text;
        while (!rest.IsEmpty)
        {
            var status = Rune.DecodeFromUtf16(rest, out var rune, out var consumed);
            if (status == OperationStatus.Done)
            {
                if (!TryAppend(result, rune, maxLength))
                    break;
            }
            else
            {
                result.Append(CultureInfo.InvariantCulture, $"\\u{(int)rest[0]:x4}");
                if (result.Length > maxLength)
                    break;
            }

            rest = rest[consumed..];
        }

        return rest.IsEmpty ? result.ToString() : result.Append('…').ToString();
    }

    private static bool TryAppend(StringBuilder result, Rune rune, int maxLength)
    {
        if (result.Length >= maxLength)
            return false;
        if (rune.Value is >= ' ' and <= '~')
        {
            result.Append((char)rune.Value);
            return true;
        }

        switch (Rune.GetUnicodeCategory(rune))
        {
            case UnicodeCategory.Control when rune.Value == '\t':
                result.Append("\\t");
                break;
            case UnicodeCategory.Control when rune.Value == '\n':
                result.Append("\\n");
                break;
            case UnicodeCategory.Control when rune.Value == '\r':
                result.Append("\\r");
                break;
            case UnicodeCategory.Control:
            case UnicodeCategory.Format:
            case UnicodeCategory.LineSeparator:
            case UnicodeCategory.ParagraphSeparator:
            case UnicodeCategory.PrivateUse:
            case UnicodeCategory.OtherNotAssigned:
            // A mark joins the character before it; many of them overprint the lines around.
            case UnicodeCategory.NonSpacingMark:
            case UnicodeCategory.EnclosingMark:
                if (rune.Value < 0x100)
                    result.Append(CultureInfo.InvariantCulture, $"\\x{rune.Value:x2}");
                else if (rune.IsBmp)
                    result.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}");
                else
                    result.Append(CultureInfo.InvariantCulture, $"\\U{rune.Value:x8}");
                break;
            default:
                result.Append(rune.ToString());
                break;
        }

        return true;
    }
}
