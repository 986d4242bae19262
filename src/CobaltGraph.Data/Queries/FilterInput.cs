using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using CobaltGraph.Data.Import;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Queries;

/// <summary>Values of filters: read from text, and checked. Whatever is refused is refused by name of the field.</summary>
internal static class FilterInput
{
    // What columns hold is at most 255 characters long.
    private const int MaxTextLength = 255;

    private const string TimeForm =
        "ISO 8601, such as 2026-03-01, 2026-03-01T12:00:00Z or 2026-03-01T12:00:00+01:00; without an offset it is UTC";

    private static readonly string[] TimeFormats =
    [
        "yyyy-MM-dd",
        "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK",
        "yyyy-MM-dd HH:mmK", "yyyy-MM-dd HH:mm:ssK", "yyyy-MM-dd HH:mm:ss.FFFFFFFK",
    ];

    public static DateTimeOffset ParseTime(string field, string text)
        => DateTimeOffset.TryParseExact(
            text.Trim(), TimeFormats, CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            ? time
            : throw new QueryFilterException(field, text, "is not a time", TimeForm);

    public static MacAddress ParseMac(string field, string text)
        => MacAddress.TryParse(text, out var mac)
            ? mac
            : throw new QueryFilterException(field, text, "is not a MAC address", "six octets, such as aa:bb:cc:dd:ee:ff");

    /// <remarks>
    /// Stricter than <see cref="IPNetwork"/>: "1" is no address. More lenient in one thing: bits behind the prefix are cut off.
    /// </remarks>
    public static IPNetwork ParseNetwork(string field, string text)
    {
        const string form = "an address or a network, such as 10.0.0.5, 10.0.0.0/24, 2001:db8::1 or 2001:db8::/32";
        var trimmed = text.Trim();
        var slash = trimmed.IndexOf('/', StringComparison.Ordinal);
        var addressText = slash < 0 ? trimmed : trimmed[..slash];
        if (!InputValue.TryParseAddress(Encoding.UTF8.GetBytes(addressText), out var address) || addressText.Contains('%', StringComparison.Ordinal))
            throw new QueryFilterException(field, text, "is not an address", form);

        var bits = address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
        if (slash < 0)
            return new IPNetwork(address, bits);
        if (!int.TryParse(trimmed.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var length) || length > bits)
            throw new QueryFilterException(field, text, $"has no prefix length of 0 to {bits}", form);

        var octets = address.GetAddressBytes();
        for (var i = 0; i < octets.Length; i++)
        {
            var kept = Math.Clamp(length - 8 * i, 0, 8);
            octets[i] &= (byte)(0xFF << (8 - kept));
        }

        return new IPNetwork(new IPAddress(octets), length);
    }

    public static PortRange ParsePorts(string field, string text)
    {
        const string form = "a port from 0 to 65535 or a range such as 1000-2000; several with commas between";
        var trimmed = text.Trim();
        var dash = trimmed.IndexOf('-', StringComparison.Ordinal);
        var firstText = dash < 0 ? trimmed : trimmed[..dash];
        var lastText = dash < 0 ? firstText : trimmed[(dash + 1)..];
        if (!ushort.TryParse(firstText, NumberStyles.None, CultureInfo.InvariantCulture, out var first)
            || !ushort.TryParse(lastText, NumberStyles.None, CultureInfo.InvariantCulture, out var last))
        {
            throw new QueryFilterException(field, text, "is not a port or a range of ports", form);
        }

        var range = new PortRange(first, last);
        CheckPorts(field, range);
        return range;
    }

    public static float ParseScore(string field, string text)
    {
        if (!float.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var score))
            throw BadScore(field, text);
        CheckScore(field, score);
        return score;
    }

    public static bool ParseBoolean(string field, string text) => text.Trim().ToUpperInvariant() switch
    {
        "TRUE" or "YES" => true,
        "FALSE" or "NO" => false,
        _ => throw new QueryFilterException(field, text, "is neither yes nor no", "yes, no, true or false"),
    };

    /// <summary>One of some words, in any letter case.</summary>
    public static T ParseWord<T>(string field, string text, string problem, params ReadOnlySpan<(string Word, T Value)> words)
    {
        var trimmed = text.Trim();
        foreach (var (word, value) in words)
        {
            if (word.Equals(trimmed, StringComparison.OrdinalIgnoreCase))
                return value;
        }

        var list = new List<string>();
        foreach (var (word, _) in words)
            list.Add(word);
        throw new QueryFilterException(field, text, problem, string.Join(", ", list));
    }

    /// <summary>The parts of a text with commas between.</summary>
    public static IEnumerable<string> Parts(string text) => text.Split(',');

    public static QueryFilterException UnknownField(string field, IReadOnlyCollection<string> fields)
    {
        var nearest = NearestName.Find(field, fields);
        return new QueryFilterException(
            "filter", field, nearest is null ? "is not a field" : $"is not a field; perhaps '{nearest}' is meant", string.Join(", ", fields));
    }

    public static void CheckRange(DateTimeOffset? from, DateTimeOffset? until)
    {
        if (from >= until)
        {
            throw new QueryFilterException(
                "until", Show(until.Value), $"is not after from, {Show(from.Value)}", "a time after from; the range is from ≤ time < until");
        }
    }

    public static void CheckPorts(string field, PortRange range)
    {
        if (range.First < 0 || range.Last > 65535 || range.First > range.Last)
        {
            throw new QueryFilterException(
                field, range.ToString(), range.First > range.Last ? "is an inverted range" : "is out of range",
                "ports from 0 to 65535, the smaller first");
        }
    }

    public static void CheckScore(string field, float? score)
    {
        if (score is { } value && value is not (>= ThreatScale.Minimum and <= ThreatScale.Maximum))
            throw BadScore(field, value.ToString(CultureInfo.InvariantCulture));
    }

    public static void CheckScores(float? minimum, float? maximum)
    {
        CheckScore("min-score", minimum);
        CheckScore("max-score", maximum);
        if (minimum > maximum)
        {
            throw new QueryFilterException(
                "max-score", maximum.Value.ToString(CultureInfo.InvariantCulture),
                string.Create(CultureInfo.InvariantCulture, $"is below min-score, {minimum.Value}"), "a score not below min-score");
        }
    }

    public static void CheckCountry(string field, string? country)
    {
        if (country is not null && !(country.Length == 2 && char.IsAsciiLetter(country[0]) && char.IsAsciiLetter(country[1])))
            throw new QueryFilterException(field, country, "is not a country", "two letters of ISO 3166-1, such as DE");
    }

    /// <summary>Text that a server can take: not empty, no NUL, no half of a character.</summary>
    public static void CheckText(string field, string? text, int maxLength = MaxTextLength)
    {
        if (text is not null && (text.Length == 0 || text.Length > maxLength || !IsStorable(text)))
            throw new QueryFilterException(field, text, "cannot be searched", $"1 to {maxLength} characters, none of them NUL");
    }

    public static void CheckMetadata(string field, string? json)
    {
        const int maxLength = 65_536;
        const string form = "a JSON object of what the metadata must contain, such as {\"service\": \"dns\"}";
        if (json is null)
            return;
        try
        {
            if (json.Length > maxLength)
                throw new QueryFilterException(field, json, "is too long", $"{form}, at most {maxLength} characters");
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind == JsonValueKind.Object && IsStorable(document.RootElement))
                return;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or EncoderFallbackException)
        {
        }

        throw new QueryFilterException(field, json, "is not a JSON object that can be stored", form);
    }

    public static void CheckCount<T>(string field, IReadOnlyCollection<T>? values, int most)
    {
        if (values?.Count > most)
        {
            throw new QueryFilterException(
                field, values.Count.ToString(CultureInfo.InvariantCulture), "are too many values", $"at most {most} values");
        }
    }

    public static string Show(DateTimeOffset time)
        => time.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'", CultureInfo.InvariantCulture);

    private static QueryFilterException BadScore(string field, string text)
        => new(field, text, "is not a threat score", "a number from 0 to 10");

    private static bool IsStorable(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\0' || char.IsLowSurrogate(text[i]))
                return false;
            if (char.IsHighSurrogate(text[i]) && !(++i < text.Length && char.IsLowSurrogate(text[i])))
                return false;
        }

        return true;
    }

    // What jsonb refuses although it is JSON: NUL, halves of characters, numbers beyond numeric.
    private static bool IsStorable(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().All(property => IsStorable(property.Name) && IsStorable(property.Value)),
        JsonValueKind.Array => element.EnumerateArray().All(IsStorable),
        JsonValueKind.String => IsStorable(element.GetString()!),
        JsonValueKind.Number => RecordRules.IsNumeric(Encoding.UTF8.GetBytes(element.GetRawText())),
        _ => true,
    };
}
