using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Ingest;

/// <summary>
/// The rules of the tables, told in C#: one bad row makes a whole COPY fail, and late. As strict as the database in every
/// CHECK, length and type, and strict too where the database would store something else than it was given: half a
/// surrogate pair, and trailing spaces beyond a column's length.
/// </summary>
internal static class RecordRules
{
    /// <summary>Deepest metadata, its own object included. What a server takes depends on its stack: 13,000 by default.</summary>
    public const int MaxMetadataDepth = 10_000;

    // Length field of an entry in jsonb.
    private const long MaxMetadataBytes = 0x0FFF_FFFF;

    private const int MaxIntegerDigits = 131_072;
    private const int MaxFractionDigits = 16_383;

    // From version 16 on a server takes one more, which here is refused: only zero has use for it.
    private const int MaxExponent = 1_073_741_822;

    /// <summary>Null when the database takes the row; otherwise the field, what is wrong and what is accepted, safe to print.</summary>
    public static string? Check(Connection row)
    {
        ArgumentNullException.ThrowIfNull(row);
        if (row.Timestamp.UtcTicks == DateTime.MaxValue.Ticks)
            return EndOfCalendar("timestamp");
        if (row.SrcMac is { IsDevice: false } mac)
            return NoDevice("src_mac", mac);
        if (row.SrcPort is { } port && (uint)port > ushort.MaxValue)
            return BadPort("src_port", port);
        if (row.DstIp is null)
            return "dst_ip is missing; every connection needs it";
        if ((uint)row.DstPort > ushort.MaxValue)
            return BadPort("dst_port", row.DstPort);
        if (row.DstLat is { } lat && !(lat is >= -90 and <= 90))
            return OutOfRange("dst_lat", lat, "degrees from -90 to 90");
        if (row.DstLon is { } lon && !(lon is >= -180 and <= 180))
            return OutOfRange("dst_lon", lon, "degrees from -180 to 180");
        if (!(row.ThreatScore is >= 0 and <= 10))
            return OutOfRange("threat_score", row.ThreatScore, "numbers from 0 to 10");

        return CheckText("protocol", row.Protocol, 10)
            ?? CheckText("dst_country", row.DstCountry, 2)
            ?? CheckText("dst_org", row.DstOrg, 255)
            ?? CheckText("dst_hostname", row.DstHostname, 255)
            ?? CheckText("threat_category", row.ThreatCategory, 50)
            ?? CheckMetadata(row.Metadata);
    }

    /// <inheritdoc cref="Check(Connection)"/>
    public static string? Check(DeviceSighting sighting)
    {
        ArgumentNullException.ThrowIfNull(sighting);
        if (!sighting.MacAddress.IsDevice)
            return NoDevice("mac_address", sighting.MacAddress);
        if (sighting.SeenAt.UtcTicks == DateTime.MaxValue.Ticks)
            return EndOfCalendar("seen_at");
        if (sighting.ConfidenceScore is { } score && !(score is >= 0 and <= 1))
            return OutOfRange("confidence_score", score, "numbers from 0 to 1");
        return CheckText("hostname", sighting.Hostname, 255)
            ?? CheckText("vendor", sighting.Vendor, 255)
            ?? CheckText("device_type", sighting.DeviceType, 50)
            ?? CheckText("source", sighting.Source, 50)
            ?? (sighting.Metadata is { } metadata ? CheckMetadata(metadata) : null);
    }

    /// <summary>Why an address cannot be a device's.</summary>
    public static string NoDevice(string field, MacAddress mac)
        => $"{field} '{mac}' is {(mac.IsZero ? "all zero" : mac.IsBroadcast ? "the broadcast address" : "a group address")}, "
           + "which no device has; accepted are unicast addresses";

    private static string EndOfCalendar(string field)
        => $"{field} is the last instant of the year 9999, which PostgreSQL takes for infinity; accepted are times before it";

    private static string BadPort(string field, int port)
        => $"{field} {port} is not a port; accepted are whole numbers from 0 to 65535";

    private static string OutOfRange(string field, float value, string accepted)
        => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{field} {value} is out of range; accepted are {accepted}");

    private static string? CheckText(string field, string? text, int maxLength)
        => text is null || (text.Length <= maxLength && IsPlain(text)) ? null : CheckOddText(field, text, maxLength);

    // One pass over nearly every text there is; the few that hold more than this are looked at closely.
    private static bool IsPlain(ReadOnlySpan<char> text) => !text.ContainsAnyExceptInRange('\u0001', '\ud7ff');

    private static string? CheckOddText(string field, string text, int maxLength)
    {
        if (text.Contains('\0'))
            return $"{field} {DisplayText.Quote(text)} contains NUL, which PostgreSQL cannot store; accepted is any other text";
        // The server counts code points, .NET halves of surrogate pairs.
        var length = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune == Rune.ReplacementChar && HasLoneSurrogate(text))
                return $"{field} {DisplayText.Quote(text)} has half a surrogate pair; accepted is Unicode text";
            length++;
        }

        return length <= maxLength
            ? null
            : $"{field} {DisplayText.Quote(text)} has {length} characters; accepted are at most {maxLength}";
    }

    private static bool HasLoneSurrogate(ReadOnlySpan<char> text)
    {
        while (!text.IsEmpty)
        {
            if (Rune.DecodeFromUtf16(text, out _, out var consumed) != OperationStatus.Done)
                return true;
            text = text[consumed..];
        }

        return false;
    }

    private static string? CheckMetadata(ConnectionMetadata? metadata)
    {
        if (metadata is null)
            return "metadata is missing; accepted is a JSON object, {} when there is nothing to say";
        long bytes = 0;
        var reason = Check("service", metadata.Service, ref bytes)
            ?? Check("state", metadata.State, ref bytes)
            ?? Check("uid", metadata.Uid, ref bytes)
            ?? CheckOther(metadata, 1, ref bytes);
        if (reason is null && metadata.Dns is { } dns)
        {
            reason = Check("dns.query", dns.Query, ref bytes) ?? Check("dns.type", dns.Type, ref bytes);
            for (var i = 0; reason is null && i < dns.Answers?.Count; i++)
                reason = Check("dns.answers", dns.Answers[i], ref bytes);
            reason ??= CheckOther(dns, 2, ref bytes);
        }

        if (reason is null && metadata.Threat is { } threat)
        {
            reason = Check("threat.source", threat.Source, ref bytes)
                ?? Check("threat.reason", threat.Reason, ref bytes)
                ?? Check("threat.indicator", threat.Indicator, ref bytes)
                ?? CheckOther(threat, 2, ref bytes);
        }

        return reason ?? CheckSize(bytes);
    }

    private static string? CheckMetadata(DeviceMetadata metadata)
    {
        long bytes = 0;
        var reason = Check("notes", metadata.Notes, ref bytes);
        for (var i = 0; reason is null && i < metadata.Tags?.Count; i++)
            reason = Check("tags", metadata.Tags[i], ref bytes);
        reason ??= CheckOther(metadata, 1, ref bytes);
        if (reason is null && metadata.Custom is { } custom)
        {
            foreach (var (key, value) in custom)
                reason ??= CheckValue(null, key, value, 2, ref bytes);
        }

        return reason ?? CheckSize(bytes);
    }

    private static string? CheckSize(long bytes)
        => bytes > MaxMetadataBytes ? $"metadata has more than {MaxMetadataBytes} bytes, which jsonb does not hold" : null;

    private static string? Check(string key, string? text, ref long bytes)
    {
        if (text is null)
            return null;
        bytes += text.Length;
        return IsPlain(text) ? null : CheckOddText($"metadata {DisplayText.Quote(key)}", text, int.MaxValue);
    }

    private static string? CheckOther(MetadataRecord record, int depth, ref long bytes)
    {
        if (record.OtherOrNull is not { Count: > 0 } other)
            return null;
        foreach (var (key, value) in other)
        {
            if (CheckValue(record, key, value, depth, ref bytes) is { } reason)
                return reason;
        }

        return null;
    }

    private static string? CheckValue(MetadataRecord? record, string key, JsonElement value, int depth, ref long bytes)
    {
        try
        {
            if (!(record?.IsWritten(key, value) ?? value.ValueKind != JsonValueKind.Undefined))
                return null;
            if (Check(key, key, ref bytes) is { } badKey)
                return badKey;
            var json = JsonMarshal.GetRawUtf8Value(value);
            bytes += json.Length;
            var reader = new Utf8JsonReader(json, new JsonReaderOptions
            {
                MaxDepth = MaxMetadataDepth - depth,
                // An element may come from a lenient parser; what is written has neither.
                CommentHandling = JsonCommentHandling.Skip,
                AllowTrailingCommas = true,
            });
            while (reader.Read())
            {
                var reason = reader.TokenType switch
                {
                    JsonTokenType.PropertyName or JsonTokenType.String => CheckJsonText(reader.ValueSpan, reader.ValueIsEscaped),
                    JsonTokenType.Number => CheckNumber(reader.ValueSpan),
                    _ => null,
                };
                if (reason is not null)
                    return $"metadata {DisplayText.Quote(key)} {reason}";
            }

            return null;
        }
        catch (JsonException)
        {
            return $"metadata {DisplayText.Quote(key)} is nested too deeply; accepted are at most {MaxMetadataDepth} levels";
        }
        catch (ObjectDisposedException)
        {
            return $"metadata {DisplayText.Quote(key)} belongs to a JsonDocument that is disposed; accepted is a clone of it";
        }
    }

    private static string? CheckJsonText(ReadOnlySpan<byte> text, bool isEscaped)
    {
        if (!Utf8.IsValid(text))
            return $"has the text {DisplayText.Quote(text)}, which is not UTF-8; accepted is UTF-8";
        var afterHigh = false;
        for (var rest = text; isEscaped; )
        {
            var next = rest.IndexOf((byte)'\\');
            if (next != 0 && afterHigh)
                return HalfPair(text);
            if (next < 0)
                break;
            if (rest[next + 1] != 'u')
            {
                if (afterHigh)
                    return HalfPair(text);
                rest = rest[(next + 2)..];
                continue;
            }

            _ = System.Buffers.Text.Utf8Parser.TryParse(rest.Slice(next + 2, 4), out ushort unit, out _, 'x');
            if (unit == 0)
                return $"has the text {DisplayText.Quote(text)} with NUL, which PostgreSQL cannot store; accepted is any other text";
            if (char.IsLowSurrogate((char)unit) != afterHigh)
                return HalfPair(text);
            afterHigh = char.IsHighSurrogate((char)unit);
            rest = rest[(next + 6)..];
        }

        return null;
    }

    private static string HalfPair(ReadOnlySpan<byte> text)
        => $"has the text {DisplayText.Quote(text)} with half a surrogate pair; accepted is Unicode text";

    /// <summary>The range of numeric, which jsonb keeps numbers in; zero has digits after the point too.</summary>
    /// <summary>Whether numeric, and with it jsonb, can hold a number of JSON.</summary>
    internal static bool IsNumeric(ReadOnlySpan<byte> number) => CheckNumber(number) is null;

    private static string? CheckNumber(ReadOnlySpan<byte> number)
    {
        var mantissa = number;
        long exponent = 0;
        var e = number.IndexOfAny((byte)'e', (byte)'E');
        if (e >= 0)
        {
            mantissa = number[..e];
            var digits = number[(e + 1)..].TrimStart("+-"u8);
            foreach (var digit in digits)
                exponent = Math.Min(exponent * 10 + (digit - '0'), MaxExponent + 1L);
            if (exponent > MaxExponent)
                return TooLarge(number);
            if (number[e + 1] == '-')
                exponent = -exponent;
        }

        if (mantissa[0] == '-')
            mantissa = mantissa[1..];
        var point = mantissa.IndexOf((byte)'.');
        var integerDigits = point < 0 ? mantissa.Length : point;
        var fractionDigits = point < 0 ? 0 : mantissa.Length - point - 1;
        if (fractionDigits - exponent > MaxFractionDigits)
            return TooLarge(number);
        var first = mantissa.IndexOfAnyExcept("0."u8);
        if (first < 0)
            return null;
        var leading = first < integerDigits ? integerDigits - first : integerDigits + 1 - first;
        return leading + exponent > MaxIntegerDigits ? TooLarge(number) : null;
    }

    private static string TooLarge(ReadOnlySpan<byte> number)
        => $"has the number {DisplayText.Quote(number)}; accepted are at most {MaxIntegerDigits} digits before and {MaxFractionDigits} after the point";
}
