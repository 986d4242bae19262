using System.Text.Json;

namespace CobaltGraph.Data.Import;

/// <summary>
/// JSON, one object per line: what sensors write, and what the export writes, whose keys are the columns. Each line is
/// told by its keys.
/// </summary>
internal sealed class JsonLineParser : ILineParser
{
    public const string Marks =
        "id.resp_h (Zeek's conn), mac (DHCP), orig_hw (ARP), dst_ip (connections by column) and mac_address (sightings by column)";

    private readonly ZeekJsonParser _logs = new();
    private readonly ColumnJsonParser _columns = new();
    private bool _isByColumn;

    public InputHeader? Header => null;

    /// <summary>Whether the line that was parsed last is of a log that is not read, rather than a bad one.</summary>
    public bool IsOther { get; private set; }

    /// <summary>Whether the line that was parsed last may be of conn or of another log with the same keys.</summary>
    public bool IsBare => !_isByColumn && _logs.IsBare;

    public object? Parse(ReadOnlyMemory<byte> line, out string? reason)
    {
        // What the line before was comes first, so that a line is read once.
        var record = Parse(_isByColumn, line.Span, out var isKnown, out reason);
        IsOther = !_isByColumn && record is null && _logs.IsOther;
        if (record is not null || isKnown)
            return record;

        record = Parse(!_isByColumn, line.Span, out isKnown, out var otherReason);
        IsOther = record is null && (_isByColumn || !isKnown) && _logs.IsOther;
        if (record is not null)
            _isByColumn = !_isByColumn;
        if (record is not null || isKnown)
            reason = otherReason;
        return record;
    }

    /// <summary>Whether the line is an object that is closed, so that whatever may follow is no part of it.</summary>
    public static bool IsWhole(LineReader lines)
    {
        if (lines.TooLongBytes > 0)
            return false;
        var reader = new Utf8JsonReader(lines.Line.Span);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                return false;
            reader.Skip();
            return !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>The name of the property that the reader is at.</summary>
    /// <exception cref="InvalidOperationException">It is no text.</exception>
    public static ReadOnlySpan<byte> NameOf(ref Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped)
            return reader.ValueSpan;
        var name = new byte[reader.ValueSpan.Length];
        return name.AsSpan(0, reader.CopyString(name));
    }

    public static string Describe(JsonTokenType type) => type switch
    {
        JsonTokenType.String => "a text",
        JsonTokenType.Number => "a number",
        JsonTokenType.True or JsonTokenType.False => "a truth value",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.Null => "null",
        _ => "an object",
    };

    private object? Parse(bool byColumn, ReadOnlySpan<byte> line, out bool isKnown, out string? reason)
    {
        isKnown = false;
        try
        {
            return byColumn ? _columns.Parse(line, ref isKnown, out reason) : _logs.Parse(line, ref isKnown, out reason);
        }
        catch (JsonException e)
        {
            reason = $"is not valid JSON near byte {e.BytePositionInLine + 1}; accepted is one object per line, at most "
                     + $"{(byColumn ? ColumnJsonParser.MaxDepth : ZeekJsonParser.MaxDepth)} levels deep";
        }
        catch (InvalidOperationException)
        {
            // Utf8JsonReader, on unescaping text that is no text.
            reason = "has a text with half a surrogate pair or broken UTF-8; accepted is UTF-8";
        }

        return null;
    }
}
