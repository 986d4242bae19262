using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace CobaltGraph.Data.Conversions;

// As merge_sightings_with_metadata() writes it: ISO 8601, UTC, without saying so.
internal sealed class KeyTimesConverter() : ValueConverter<IReadOnlyDictionary<string, DateTimeOffset>, string>(
    times => Write(times),
    json => Read(json))
{
    private const string Format = "yyyy-MM-dd'T'HH:mm:ss.FFFFFF";

    private static string Write(IReadOnlyDictionary<string, DateTimeOffset> times)
        => new JsonObject(times.Select(time => KeyValuePair.Create(
            time.Key, (JsonNode?)time.Value.UtcDateTime.ToString(Format, CultureInfo.InvariantCulture)))).ToJsonString();

    private static Dictionary<string, DateTimeOffset> Read(string json)
        => JsonElement.Parse(json).EnumerateObject().ToDictionary(
            time => time.Name,
            time => DateTimeOffset.Parse(time.Value.GetString()!, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal),
            StringComparer.Ordinal);
}

internal sealed class KeyTimesComparer() : ValueComparer<IReadOnlyDictionary<string, DateTimeOffset>>(
    (left, right) => left == right || (left != null && right != null && left.Count == right.Count && !left.Except(right).Any()),
    times => times.Count,
    times => new Dictionary<string, DateTimeOffset>(times, StringComparer.Ordinal));
