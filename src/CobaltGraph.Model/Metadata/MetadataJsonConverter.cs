using System.Text.Json;
using System.Text.Json.Serialization;

namespace CobaltGraph.Model;

/// <summary>
/// Reads and writes a metadata record with System.Text.Json, keeping what its type does not know. The nesting allowed is
/// that of the serializer's options.
/// </summary>
/// <typeparam name="T">The record.</typeparam>
public sealed class MetadataJsonConverter<T> : JsonConverter<T>
    where T : MetadataRecord, new()
{
    /// <inheritdoc/>
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        => MetadataJson.Load<T>(JsonElement.ParseValue(ref reader));

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(value);
        value.WriteTo(writer);
    }
}
