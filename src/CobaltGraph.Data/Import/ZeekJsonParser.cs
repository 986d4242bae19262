using System.Text.Json;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Import;

/// <summary>Zeek's log as JSON, one object per line; a field that is unset is left out or null.</summary>
internal sealed class ZeekJsonParser : ILineParser
{
    private readonly ConnectionBuilder _builder = new();
    private readonly ScratchBuffer _scratch = new();

    public Connection? Parse(ReadOnlySpan<byte> line, out string? reason)
    {
        try
        {
            return ParseObject(line, out reason);
        }
        catch (JsonException e)
        {
            reason = $"is not valid JSON near byte {e.BytePositionInLine + 1}; accepted is one object per line, at most 64 levels deep";
        }
        catch (InvalidOperationException)
        {
            // Utf8JsonReader, on unescaping text that is no text.
            reason = "has a text with half a surrogate pair or broken UTF-8; accepted is UTF-8";
        }

        return null;
    }

    private Connection? ParseObject(ReadOnlySpan<byte> line, out string? reason)
    {
        reason = null;
        var reader = new Utf8JsonReader(line);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reason = "is not a JSON object; accepted is one object per line";
            return null;
        }

        var raw = new RawConnection();
        _scratch.Clear();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = ZeekFields.Find(reader.ValueIsEscaped ? Copy(ref reader) : reader.ValueSpan);
            reader.Read();
            if (field == ZeekField.None)
            {
                reader.Skip();
                continue;
            }

            if (raw.Has(field))
            {
                reason = $"names {ZeekFields.NameOf(field)} twice, in one spelling or in two; which one holds cannot be told";
                return null;
            }

            switch (reader.TokenType)
            {
                case JsonTokenType.Null:
                    break;
                case JsonTokenType.String when IsText(field):
                    var text = reader.ValueIsEscaped ? Copy(ref reader) : reader.ValueSpan;
                    if (field == ZeekField.Log && !text.SequenceEqual("conn"u8))
                    {
                        reason = $"is a line of the log '{ConnectionBuilder.Show(text)}', not of the connection log 'conn'";
                        return null;
                    }

                    raw.Set(field, text);
                    break;
                case JsonTokenType.Number when IsNumber(field):
                    raw.Set(field, reader.ValueSpan);
                    break;
                case JsonTokenType.StartArray when field == ZeekField.Service:
                    if (!TryJoin(ref reader, out var joined))
                    {
                        reason = "service is an array of something else than texts; accepted are a text or an array of texts";
                        return null;
                    }

                    raw.Set(field, joined);
                    break;
                default:
                    reason = $"{ZeekFields.NameOf(field)} is {Describe(reader.TokenType)}; accepted is "
                             + (IsNumber(field) ? IsText(field) ? "a number or a text" : "a number" : "a text");
                    return null;
            }
        }

        // Finds what follows the object.
        reader.Read();
        return _builder.Build(raw, out reason);
    }

    private static bool IsNumber(ZeekField field) => field is ZeekField.Timestamp or ZeekField.OrigPort or ZeekField.RespPort
        or ZeekField.Duration or ZeekField.OrigBytes or ZeekField.RespBytes;

    private static bool IsText(ZeekField field) => field == ZeekField.Timestamp || !IsNumber(field);

    private static string Describe(JsonTokenType type) => type switch
    {
        JsonTokenType.String => "a text",
        JsonTokenType.Number => "a number",
        JsonTokenType.True or JsonTokenType.False => "a truth value",
        JsonTokenType.StartArray => "an array",
        _ => "an object",
    };

    private bool TryJoin(scoped ref Utf8JsonReader reader, out ReadOnlySpan<byte> joined)
    {
        joined = default;
        var length = 0;
        for (var ahead = reader; ahead.Read() && ahead.TokenType == JsonTokenType.String;)
            length += ahead.ValueSpan.Length + 1;

        var target = _scratch.Reserve(length);
        length = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.String)
        {
            if (length > 0)
                target[length++] = (byte)',';
            length += reader.CopyString(target[length..]);
        }

        joined = _scratch.Commit(length);
        return reader.TokenType == JsonTokenType.EndArray;
    }

    private ReadOnlySpan<byte> Copy(scoped ref Utf8JsonReader reader)
        => _scratch.Commit(reader.CopyString(_scratch.Reserve(reader.ValueSpan.Length)));
}
