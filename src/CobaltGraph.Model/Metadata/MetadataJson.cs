using System.Text.Json;

namespace CobaltGraph.Model;

#pragma warning disable IL2026, IL3050
internal static class MetadataJson
{
    public static T Read<T>(string json) where T : class => JsonSerializer.Deserialize<T>(json)!;

    public static string Write<T>(T value) where T : class => JsonSerializer.Serialize(value);
}
