using System.Text.Json;
using System.Text.Json.Serialization;

namespace CobaltGraph.Model;

/// <summary>What is known of a device event beyond its columns.</summary>
public sealed record DeviceEventMetadata
{
    /// <summary>Every key, kept as it was.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Other { get; set; }
}
