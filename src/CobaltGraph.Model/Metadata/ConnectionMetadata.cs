using System.Text.Json;
using System.Text.Json.Serialization;

namespace CobaltGraph.Model;

/// <summary>What is known of a connection beyond its columns.</summary>
public sealed record ConnectionMetadata
{
    /// <summary>The DNS query and answer that led to the connection.</summary>
    [JsonPropertyName("dns")]
    public JsonElement? Dns { get; set; }

    /// <summary>Why the connection was scored.</summary>
    [JsonPropertyName("threat")]
    public ThreatMetadata? Threat { get; set; }

    /// <summary>Application protocol that the sensor recognised, for example http.</summary>
    [JsonPropertyName("service")]
    public string? Service { get; set; }

    /// <summary>State of the connection as the sensor names it, for example SF.</summary>
    [JsonPropertyName("state")]
    public string? State { get; set; }

    /// <summary>The sensor's own identifier of the connection.</summary>
    [JsonPropertyName("uid")]
    public string? Uid { get; set; }

    /// <summary>Every other key, kept as it was.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Other { get; set; }
}

/// <summary>Why a connection was scored.</summary>
public sealed record ThreatMetadata
{
    /// <summary>The list or engine that gave the score.</summary>
    [JsonPropertyName("source")]
    public string? Source { get; set; }

    /// <summary>The reason in words.</summary>
    [JsonPropertyName("reason")]
    public string? Reason { get; set; }

    /// <summary>The indicator that matched: an address, a name, a hash.</summary>
    [JsonPropertyName("indicator")]
    public string? Indicator { get; set; }

    /// <summary>Every other key, kept as it was.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Other { get; set; }
}
