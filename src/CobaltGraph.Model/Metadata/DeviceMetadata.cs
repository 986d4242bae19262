using System.Text.Json;
using System.Text.Json.Serialization;

namespace CobaltGraph.Model;

/// <summary>What is known of a device beyond its columns.</summary>
[JsonConverter(typeof(MetadataJsonConverter<DeviceMetadata>))]
public sealed record DeviceMetadata : MetadataRecord
{
    private static readonly MetadataMember[] Known =
    [
        MetadataMember.Text<DeviceMetadata>("notes", m => m.Notes, (m, value) => m.Notes = value),
        MetadataMember.Texts<DeviceMetadata>("tags", m => m.Tags, (m, value) => m.Tags = value),
        MetadataMember.Map<DeviceMetadata>("custom", m => m.Custom, (m, value) => m.Custom = value),
    ];

    /// <summary>Creates a record without any key.</summary>
    public DeviceMetadata()
    {
    }

    private DeviceMetadata(DeviceMetadata original)
        : base(original)
        => MetadataMember.CopyAll(Known, original, this);

    /// <summary>Free text by a person.</summary>
    [JsonPropertyName("notes")]
    public string? Notes { get; set; }

    /// <summary>Labels.</summary>
    [JsonPropertyName("tags")]
    public IList<string>? Tags { get; set; }

    /// <summary>Values an application keeps under names of its own.</summary>
    [JsonPropertyName("custom")]
    public IDictionary<string, JsonElement>? Custom { get; set; }

    private protected override MetadataMember[] Members => Known;

    /// <summary>Reads a JSON object.</summary>
    /// <exception cref="JsonException">The text is not JSON, or not an object.</exception>
    public static DeviceMetadata Parse(string json) => MetadataJson.Read<DeviceMetadata>(json);

    /// <inheritdoc/>
    public bool Equals(DeviceMetadata? other) => base.Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => base.GetHashCode();
}
