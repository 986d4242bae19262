using System.Text.Json;
using System.Text.Json.Serialization;

namespace CobaltGraph.Model;

/// <summary>Writes a MAC address as <c>"aa:bb:cc:dd:ee:ff"</c> and reads any notation; works for dictionary keys too.</summary>
public sealed class MacAddressJsonConverter : JsonConverter<MacAddress>
{
    // Every character may arrive as a six-character escape; surrounding white space is given some room.
    private const int MaxEscapedLength = 256;

    /// <inheritdoc/>
    public override MacAddress Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        => reader.TokenType == JsonTokenType.String
            ? ReadText(ref reader)
            : throw new JsonException($"A MAC address is a JSON string, not a {reader.TokenType}.");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, MacAddress value, JsonSerializerOptions options)
    {
        Span<byte> text = stackalloc byte[MacAddress.MaxTextLength];
        value.TryFormat(text, out var length);
        writer.WriteStringValue(text[..length]);
    }

    /// <inheritdoc/>
    public override MacAddress ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        => ReadText(ref reader);

    /// <inheritdoc/>
    public override void WriteAsPropertyName(Utf8JsonWriter writer, MacAddress value, JsonSerializerOptions options)
    {
        Span<byte> text = stackalloc byte[MacAddress.MaxTextLength];
        value.TryFormat(text, out var length);
        writer.WritePropertyName(text[..length]);
    }

    private static MacAddress ReadText(ref Utf8JsonReader reader)
    {
        var rawLength = reader.HasValueSequence ? reader.ValueSequence.Length : reader.ValueSpan.Length;
        if (rawLength > MaxEscapedLength)
            throw new JsonException($"A JSON string of {rawLength} bytes is not a MAC address.");

        Span<byte> text = stackalloc byte[MaxEscapedLength];
        var length = reader.CopyString(text);
        return MacAddress.TryParse(text[..length], out var result)
            ? result
            : throw new JsonException(MacAddress.NotAnAddress(DisplayText.Quote(text[..length])).Message);
    }
}
