using System.Text.Json;
using System.Text.Json.Serialization;

namespace CobaltGraph.Cli.Verbs;

/// <summary>Metadata of an entity as the JSON that the database holds.</summary>
internal static class Metadata
{
    private static readonly JsonSerializerOptions Options = new()
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public static JsonElement ToJson<T>(T metadata) => JsonSerializer.SerializeToElement(metadata, Options);
}
