using System.Text.Json;
using System.Text.Json.Serialization;

namespace CobaltGraph.Model;

/// <summary>What is known of a device event beyond its columns. It has no members of its own yet.</summary>
[JsonConverter(typeof(MetadataJsonConverter<DeviceEventMetadata>))]
public sealed record DeviceEventMetadata : MetadataRecord
{
    /// <summary>Creates a record without any key.</summary>
    public DeviceEventMetadata()
    {
    }

    private DeviceEventMetadata(DeviceEventMetadata original)
        : base(original)
    {
    }

    private protected override MetadataMember[] Members => [];

    /// <summary>Reads a JSON object.</summary>
    /// <exception cref="JsonException">The text is not JSON, or not an object.</exception>
    public static DeviceEventMetadata Parse(string json) => MetadataJson.Read<DeviceEventMetadata>(json);

    /// <inheritdoc/>
    public bool Equals(DeviceEventMetadata? other) => base.Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => base.GetHashCode();
}
