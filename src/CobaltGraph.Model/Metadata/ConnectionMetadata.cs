using System.Text.Json;
using System.Text.Json.Serialization;

namespace CobaltGraph.Model;

/// <summary>What is known of a connection beyond its columns.</summary>
[JsonConverter(typeof(MetadataJsonConverter<ConnectionMetadata>))]
public sealed record ConnectionMetadata : MetadataRecord
{
    private static readonly MetadataMember[] Known =
    [
        MetadataMember.Record<ConnectionMetadata, DnsMetadata>("dns", m => m.Dns, (m, value) => m.Dns = value),
        MetadataMember.Record<ConnectionMetadata, ThreatMetadata>("threat", m => m.Threat, (m, value) => m.Threat = value),
        MetadataMember.Text<ConnectionMetadata>("service", m => m.Service, (m, value) => m.Service = value),
        MetadataMember.Text<ConnectionMetadata>("state", m => m.State, (m, value) => m.State = value),
        MetadataMember.Text<ConnectionMetadata>("uid", m => m.Uid, (m, value) => m.Uid = value),
    ];

    /// <summary>Creates a record without any key.</summary>
    public ConnectionMetadata()
    {
    }

    private ConnectionMetadata(ConnectionMetadata original)
        : base(original)
        => MetadataMember.CopyAll(Known, original, this);

    /// <summary>The DNS query and answers that led to the connection.</summary>
    [JsonPropertyName("dns")]
    public DnsMetadata? Dns { get; set; }

    /// <summary>Why the connection was scored.</summary>
    [JsonPropertyName("threat")]
    public ThreatMetadata? Threat { get; set; }

    /// <summary>Application protocol that the sensor recognised, for example http.</summary>
    [JsonPropertyName("service")]
    public string? Service { get; set; }

    /// <summary>State of the connection as the sensor names it, for example SF.</summary>
    [JsonPropertyName("state")]
    public string? State { get; set; }

    /// <summary>The identifier that the sensor gave the connection.</summary>
    [JsonPropertyName("uid")]
    public string? Uid { get; set; }

    private protected override MetadataMember[] Members => Known;

    /// <summary>Reads a JSON object.</summary>
    /// <exception cref="JsonException">The text is not JSON, or not an object.</exception>
    public static ConnectionMetadata Parse(string json) => MetadataJson.Read<ConnectionMetadata>(json);

    /// <inheritdoc/>
    public bool Equals(ConnectionMetadata? other) => base.Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => base.GetHashCode();
}
