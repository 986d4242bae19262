using System.Text.Json;
using System.Text.Json.Serialization;

namespace CobaltGraph.Model;

/// <summary>Why a connection was scored.</summary>
[JsonConverter(typeof(MetadataJsonConverter<ThreatMetadata>))]
public sealed record ThreatMetadata : MetadataRecord
{
    private static readonly MetadataMember[] Known =
    [
        MetadataMember.Text<ThreatMetadata>("source", m => m.Source, (m, value) => m.Source = value),
        MetadataMember.Text<ThreatMetadata>("reason", m => m.Reason, (m, value) => m.Reason = value),
        MetadataMember.Text<ThreatMetadata>("indicator", m => m.Indicator, (m, value) => m.Indicator = value),
    ];

    /// <summary>Creates a record without any key.</summary>
    public ThreatMetadata()
    {
    }

    private ThreatMetadata(ThreatMetadata original)
        : base(original)
        => MetadataMember.CopyAll(Known, original, this);

    /// <summary>The list or engine that gave the score.</summary>
    [JsonPropertyName("source")]
    public string? Source { get; set; }

    /// <summary>The reason in words.</summary>
    [JsonPropertyName("reason")]
    public string? Reason { get; set; }

    /// <summary>The indicator that matched: an address, a name, a hash.</summary>
    [JsonPropertyName("indicator")]
    public string? Indicator { get; set; }

    private protected override MetadataMember[] Members => Known;

    /// <summary>Reads a JSON object.</summary>
    /// <exception cref="JsonException">The text is not JSON, or not an object.</exception>
    public static ThreatMetadata Parse(string json) => MetadataJson.Read<ThreatMetadata>(json);

    /// <inheritdoc/>
    public bool Equals(ThreatMetadata? other) => base.Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => base.GetHashCode();
}
