using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace CobaltGraph.Model;

/// <summary>What PostgreSQL's JSON operators do, on elements in memory.</summary>
internal static class JsonValue
{
    public static bool DeepEquals(JsonElement left, JsonElement right)
    {
        try
        {
            return JsonElement.DeepEquals(left, right);
        }
        catch (InsufficientExecutionStackException)
        {
            // Nested deeper than any database gives: the texts decide.
            return left.GetRawText() == right.GetRawText();
        }
    }

    public static JsonElement? Find(JsonElement value, ReadOnlySpan<string> path)
    {
        foreach (var key in path)
        {
            if (key is null)
                return null;
            switch (value.ValueKind)
            {
                case JsonValueKind.Object when value.TryGetProperty(key, out var property):
                    value = property;
                    break;
                case JsonValueKind.Array when Position(value, key) is { } position && position < value.GetArrayLength():
                    value = value[position];
                    break;
                default:
                    return null;
            }
        }
        return value;
    }

    public static JsonElement From(MetadataRecord record, MetadataMember member)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(buffer, MetadataJson.WriterOptions);
        member.WriteValue(record, writer);
        writer.Flush();
        return JsonElement.Parse(buffer.WrittenSpan, MetadataJson.ReaderOptions);
    }

    /// <summary>The value with the part at <c>path[depth..]</c> replaced, or removed when the replacement is null.</summary>
    public static JsonElement With(JsonElement? value, string[] path, int depth, JsonElement? replacement)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(buffer, MetadataJson.WriterOptions);
        WriteWith(writer, value, path, depth, replacement);
        writer.Flush();
        return JsonElement.Parse(buffer.WrittenSpan, MetadataJson.ReaderOptions);
    }

    private static void WriteWith(Utf8JsonWriter writer, JsonElement? value, string[] path, int depth, JsonElement? replacement)
    {
        var key = path[depth];
        var last = depth == path.Length - 1;
        switch (value?.ValueKind ?? JsonValueKind.Null)
        {
            case JsonValueKind.Null:
                writer.WriteStartObject();
                Part(null, named: true);
                writer.WriteEndObject();
                break;
            case JsonValueKind.Object:
                writer.WriteStartObject();
                JsonElement? old = null;
                foreach (var property in value!.Value.EnumerateObject())
                {
                    if (property.NameEquals(key))
                        old = property.Value;
                    else
                        property.WriteTo(writer);
                }
                Part(old, named: true);
                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                var length = value!.Value.GetArrayLength();
                if (Position(value.Value, key) is not { } position || position > length)
                {
                    throw new InvalidOperationException(
                        $"{MetadataRecord.PathText(path.AsSpan(0, depth + 1))} is not a position in an array of {length} elements.");
                }
                writer.WriteStartArray();
                for (var i = 0; i < length; i++)
                {
                    if (i == position)
                        Part(value.Value[i], named: false);
                    else
                        value.Value[i].WriteTo(writer);
                }
                if (position == length)
                    Part(null, named: false);
                writer.WriteEndArray();
                break;
            case var kind:
                throw new InvalidOperationException(
                    $"{MetadataRecord.PathText(path.AsSpan(0, depth))} is a JSON {MetadataRecord.Name(kind)} and has no parts; "
                    + "remove it first to put an object in its place.");
        }

        void Part(JsonElement? old, bool named)
        {
            if (last && replacement is null)
                return;
            if (named)
                writer.WritePropertyName(key);
            if (last)
                replacement!.Value.WriteTo(writer);
            else
                WriteWith(writer, old, path, depth + 1, replacement);
        }
    }

    private static int? Position(JsonElement array, string key)
    {
        if (!int.TryParse(key, NumberStyles.AllowLeadingSign | NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture, out var position))
            return null;
        if (position < 0)
            position += array.GetArrayLength();
        return position < 0 ? null : position;
    }
}
