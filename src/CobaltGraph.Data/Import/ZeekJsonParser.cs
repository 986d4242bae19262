using System.Text.Json;

namespace CobaltGraph.Data.Import;

/// <summary>
/// Logs of sensors as JSON, one object per line: Zeek's conn and dhcp, single DHCP messages, ARP. A field that is unset is
/// left out or null.
/// </summary>
internal sealed class ZeekJsonParser
{
    /// <summary>Deepest nesting; the default of <see cref="Utf8JsonReader"/>, and no log comes near it.</summary>
    public const int MaxDepth = 64;

    private readonly ConnectionBuilder _connections = new();
    private readonly SightingBuilder _sightings = new();
    private readonly ScratchBuffer _scratch = new();
    private ZeekLog _lastLog;

    /// <summary>Whether the line that was parsed last is of a log that is not read, rather than a bad one.</summary>
    public bool IsOther { get; private set; }

    /// <summary>Whether the line that was parsed last may be of conn or of another log with the same keys.</summary>
    public bool IsBare { get; private set; }

    /// <param name="line">The line.</param>
    /// <param name="isKnown">Set when the line is of such a log, as its keys tell.</param>
    /// <param name="reason">Why there is no record.</param>
    /// <exception cref="JsonException">The line is not JSON.</exception>
    /// <exception cref="InvalidOperationException">A text of the line is no text.</exception>
    public object? Parse(ReadOnlySpan<byte> line, ref bool isKnown, out string? reason)
    {
        IsOther = IsBare = false;
        var reader = new Utf8JsonReader(line);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            isKnown = true;
            reason = "is not a JSON object; accepted is one object per line";
            return null;
        }

        var raw = new RawZeekRecord();
        uint named = 0, twice = 0, unfit = 0;
        ReadOnlySpan<byte> other = default;
        _scratch.Clear();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.ValueIsEscaped ? Copy(ref reader) : reader.ValueSpan;
            var field = ZeekFields.Find(name);
            reader.Read();
            if (field == ZeekField.None)
            {
                reader.Skip();
                continue;
            }

            var bit = ZeekFields.Bit(field);
            if (field == ZeekField.Other)
            {
                named |= bit;
                other = name;
                reader.Skip();
                continue;
            }

            twice |= named & bit;
            named |= bit;
            if (reader.TokenType == JsonTokenType.Null)
                continue;
            if (TryGetValue(ref reader, field, out var value))
            {
                raw.Set(field, value);
            }
            else
            {
                // Whether it matters is known only once the log is.
                unfit |= bit;
                reader.Skip();
            }
        }

        // Finds what follows the object.
        reader.Read();

        var log = Tell(raw, named, other, out reason);
        IsOther = raw.Has(ZeekField.Log) ? log == ZeekLog.Unknown : ZeekFields.IsOther(named);
        IsBare = !raw.Has(ZeekField.Log) && ZeekFields.IsBare(named);
        isKnown = log != ZeekLog.Unknown || reason is not null;
        if (reason is not null)
            return null;
        if (log == ZeekLog.Unknown)
            log = _lastLog;
        if (log == ZeekLog.Unknown)
        {
            reason = $"has none of the keys by which a line is told: {JsonLineParser.Marks}";
            return null;
        }

        if (((twice | unfit) & ZeekFields.MaskOf(log)) != 0)
        {
            reason = Describe(line, log, twice);
            return null;
        }

        var record = log == ZeekLog.Conn ? (object?)_connections.Build(raw, out reason) : _sightings.Build(log, raw, out reason);
        if (record is not null)
            _lastLog = log;
        return record;
    }

    private static ZeekLog Tell(in RawZeekRecord raw, uint named, ReadOnlySpan<byte> other, out string? reason)
    {
        reason = null;
        if (!raw.Has(ZeekField.Log))
        {
            var guess = ZeekFields.Guess(named);
            if (guess == ZeekLog.Unknown && !other.IsEmpty)
                reason = $"has the key '{InputValue.Show(other)}', by which it is of another log of Zeek; accepted are the logs {ZeekFields.Logs}";
            return guess;
        }

        var log = ZeekFields.FindLog(raw.Log);
        if (log == ZeekLog.Unknown)
            reason = $"is a line of the log '{InputValue.Show(raw.Log)}'; accepted are the logs {ZeekFields.Logs}";
        return log;
    }

    private bool TryGetValue(scoped ref Utf8JsonReader reader, ZeekField field, out ReadOnlySpan<byte> value)
    {
        value = default;
        switch (reader.TokenType)
        {
            case JsonTokenType.String when IsText(field):
                value = reader.ValueIsEscaped ? Copy(ref reader) : reader.ValueSpan;
                return true;
            case JsonTokenType.Number when IsNumber(field):
                value = reader.ValueSpan;
                return true;
            case JsonTokenType.StartArray when IsSet(field):
                return TryJoin(ref reader, out value);
            default:
                return false;
        }
    }

    private static bool IsNumber(ZeekField field) => field is ZeekField.Timestamp or ZeekField.OrigPort or ZeekField.RespPort
        or ZeekField.Duration or ZeekField.OrigBytes or ZeekField.RespBytes or ZeekField.MessageType;

    private static bool IsText(ZeekField field)
        => field is ZeekField.Timestamp or ZeekField.MessageType || !IsNumber(field);

    private static bool IsSet(ZeekField field) => field is ZeekField.Service or ZeekField.MessageType;

    /// <summary>Finds the first field that came twice or with a value of the wrong type, and says so.</summary>
    private static string Describe(ReadOnlySpan<byte> line, ZeekLog log, uint twice)
    {
        var reader = new Utf8JsonReader(line);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = ZeekFields.Find(JsonLineParser.NameOf(ref reader));
            reader.Read();
            if (field == ZeekField.None || !ZeekFields.Contains(log, field))
            {
                reader.Skip();
                continue;
            }

            var name = ZeekFields.NameOf(field);
            if ((twice & ZeekFields.Bit(field)) != 0)
                return $"names {name} twice, in one spelling or in two; which one holds cannot be told";
            switch (reader.TokenType)
            {
                case JsonTokenType.StartArray when IsSet(field):
                    if (!IsSetOfTexts(reader))
                        return $"{name} is an array of something else than texts; accepted are a text or an array of texts";
                    break;
                case not JsonTokenType.Null when !(reader.TokenType == JsonTokenType.String && IsText(field))
                                                 && !(reader.TokenType == JsonTokenType.Number && IsNumber(field)):
                    return $"{name} is {JsonLineParser.Describe(reader.TokenType)}; accepted is "
                           + (IsNumber(field) ? IsText(field) ? "a number or a text" : "a number" : "a text");
            }

            reader.Skip();
        }

        throw new System.Diagnostics.UnreachableException();
    }

    private static bool IsSetOfTexts(Utf8JsonReader ahead)
    {
        while (ahead.Read() && ahead.TokenType == JsonTokenType.String)
        {
        }

        return ahead.TokenType == JsonTokenType.EndArray;
    }

    private bool TryJoin(scoped ref Utf8JsonReader reader, out ReadOnlySpan<byte> joined)
    {
        joined = default;
        var length = 0;
        var ahead = reader;
        while (ahead.Read() && ahead.TokenType == JsonTokenType.String)
            length += ahead.ValueSpan.Length + 1;
        if (ahead.TokenType != JsonTokenType.EndArray)
            return false;

        var target = _scratch.Reserve(length);
        length = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.String)
        {
            if (length > 0)
                target[length++] = (byte)',';
            length += reader.CopyString(target[length..]);
        }

        joined = _scratch.Commit(length);
        return true;
    }

    private ReadOnlySpan<byte> Copy(scoped ref Utf8JsonReader reader)
        => _scratch.Commit(reader.CopyString(_scratch.Reserve(reader.ValueSpan.Length)));
}
