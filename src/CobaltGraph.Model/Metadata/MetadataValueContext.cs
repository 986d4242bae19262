using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace CobaltGraph.Model;

/// <summary>The types that metadata values convert to without reflection.</summary>
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(bool?))]
[JsonSerializable(typeof(int?))]
[JsonSerializable(typeof(long?))]
[JsonSerializable(typeof(float?))]
[JsonSerializable(typeof(double?))]
[JsonSerializable(typeof(decimal?))]
[JsonSerializable(typeof(DateTimeOffset?))]
[JsonSerializable(typeof(DateTime?))]
[JsonSerializable(typeof(TimeSpan?))]
[JsonSerializable(typeof(Guid?))]
[JsonSerializable(typeof(MacAddress?))]
[JsonSerializable(typeof(string[]))]
[JsonSerializable(typeof(List<string>))]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(Dictionary<string, JsonElement>))]
internal sealed partial class MetadataValueContext : JsonSerializerContext
{
    public static JsonTypeInfo<T> InfoOf<T>()
        => (JsonTypeInfo<T>?)Default.GetTypeInfo(typeof(T))
            ?? throw new NotSupportedException(
                $"Metadata values do not convert to or from {typeof(T)} by themselves. Pass a JsonTypeInfo of a source-generated JsonSerializerContext.");
}
