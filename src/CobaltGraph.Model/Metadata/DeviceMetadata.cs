using System.Text.Json;
using System.Text.Json.Serialization;

namespace CobaltGraph.Model;

/// <summary>What is known of a device beyond its columns.</summary>
public sealed record DeviceMetadata
{
    /// <summary>Free text by a person.</summary>
    [JsonPropertyName("notes")]
    public string? Notes { get; set; }

    /// <summary>Labels.</summary>
    [JsonPropertyName("tags")]
    public IList<string>? Tags { get; set; }

    /// <summary>Values an application keeps under names of its own.</summary>
    [JsonPropertyName("custom")]
    public IDictionary<string, JsonElement>? Custom { get; set; }

    /// <summary>Every other key, kept as it was.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Other { get; set; }
}
