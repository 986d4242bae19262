using System.Text.Json;
using CobaltGraph.Model;

namespace CobaltGraph.Cli.Verbs;

/// <summary>Metadata of an entity as the JSON that the database holds.</summary>
internal static class Metadata
{
    public static JsonElement ToJson(MetadataRecord metadata) => JsonElement.Parse(metadata.ToString(), MetadataJson.ReaderOptions);
}
