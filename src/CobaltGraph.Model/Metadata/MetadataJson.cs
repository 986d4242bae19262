using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace CobaltGraph.Model;

/// <summary>How metadata records become JSON text and back.</summary>
internal static class MetadataJson
{
    // PostgreSQL accepts jsonb nested about 10,000 deep; what it gives must be readable.
    public const int MaxDepth = 100_000;

    private const string Empty = "{}";

    public static readonly JsonDocumentOptions ReaderOptions = new() { MaxDepth = MaxDepth };

    // The text goes to a database, not into a web page: letters stay letters.
    public static readonly JsonWriterOptions WriterOptions = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = MaxDepth,
    };

    /// <exception cref="JsonException">The text is not JSON, or not an object.</exception>
    public static T Read<T>(string json)
        where T : MetadataRecord, new()
    {
        ArgumentNullException.ThrowIfNull(json);
        return json == Empty ? new T() : Load<T>(JsonElement.Parse(json, ReaderOptions));
    }

    public static string Write<T>(T value)
        where T : MetadataRecord
        => WriteRecord(value);

    /// <summary>A copy that shares nothing with the original that could change.</summary>
    public static T Copy<T>(T value)
        where T : MetadataRecord
        => value with { };

    public static T Load<T>(JsonElement json)
        where T : MetadataRecord, new()
    {
        if (json.ValueKind != JsonValueKind.Object)
            throw new JsonException($"Metadata is a JSON object, not a JSON {MetadataRecord.Name(json.ValueKind)}.");
        var record = new T();
        record.Load(json);
        return record;
    }

    public static string WriteRecord(MetadataRecord value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (value.IsEmpty)
            return Empty;
        var buffer = new ArrayBufferWriter<byte>(256);
        using var writer = new Utf8JsonWriter(buffer, WriterOptions);
        value.WriteTo(writer);
        writer.Flush();
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
