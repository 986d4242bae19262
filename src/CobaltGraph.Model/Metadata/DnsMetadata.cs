using System.Text.Json;
using System.Text.Json.Serialization;

namespace CobaltGraph.Model;

/// <summary>The DNS query and answers that led to a connection.</summary>
[JsonConverter(typeof(MetadataJsonConverter<DnsMetadata>))]
public sealed record DnsMetadata : MetadataRecord
{
    private static readonly MetadataMember[] Known =
    [
        MetadataMember.Text<DnsMetadata>("query", m => m.Query, (m, value) => m.Query = value),
        MetadataMember.Text<DnsMetadata>("type", m => m.Type, (m, value) => m.Type = value),
        MetadataMember.Texts<DnsMetadata>("answers", m => m.Answers, (m, value) => m.Answers = value),
    ];

    /// <summary>Creates a record without any key.</summary>
    public DnsMetadata()
    {
    }

    private DnsMetadata(DnsMetadata original)
        : base(original)
        => MetadataMember.CopyAll(Known, original, this);

    /// <summary>The name that was asked for.</summary>
    [JsonPropertyName("query")]
    public string? Query { get; set; }

    /// <summary>The type of record that was asked for, for example A or AAAA.</summary>
    [JsonPropertyName("type")]
    public string? Type { get; set; }

    /// <summary>The answers, in the order of the response.</summary>
    [JsonPropertyName("answers")]
    public IList<string>? Answers { get; set; }

    private protected override MetadataMember[] Members => Known;

    /// <summary>Reads a JSON object.</summary>
    /// <exception cref="JsonException">The text is not JSON, or not an object.</exception>
    public static DnsMetadata Parse(string json) => MetadataJson.Read<DnsMetadata>(json);

    /// <inheritdoc/>
    public bool Equals(DnsMetadata? other) => base.Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => base.GetHashCode();
}
