using System.Buffers;
using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Import;

/// <summary>Values as inputs write them, and what to say of one that is none.</summary>
internal static class InputValue
{
    private const int ShownLength = 60;

    private static readonly SearchValues<byte> IPv6Characters = SearchValues.Create("0123456789abcdefABCDEF:."u8);

    public static string Show(ReadOnlySpan<byte> value) => DisplayText.Escape(value, ShownLength);

    public static string DescribeTimestamp(string field, ZeekTime.Result result, ReadOnlySpan<byte> value) => result switch
    {
        ZeekTime.Result.NotFinite => $"{field} '{Show(value)}' is not finite; accepted are seconds since 1970, for example 1713484784.962686",
        ZeekTime.Result.OutOfRange =>
            $"{field} '{Show(value)}' lies outside the years 1 to 9999; accepted are seconds (not milliseconds) since 1970, "
            + "or ISO 8601 with an offset",
        ZeekTime.Result.NoSuchTime =>
            $"{field} '{Show(value)}' is no time: there is no such day, or no such time of day; accepted are months of 1 to 12 with their days, and 00:00:00 to 23:59:59.999999",
        _ => $"{field} '{Show(value)}' is not a time; accepted are seconds since 1970, for example 1713484784.962686, "
             + "or ISO 8601 with an offset, for example 2024-04-19T00:00:01.5Z",
    };

    public static string DescribeAddress(string field, ReadOnlySpan<byte> value)
        => $"{field} '{Show(value)}' is not an IP address; accepted are IPv4 and IPv6 without a prefix length";

    public static string DescribePort(string field, ReadOnlySpan<byte> value)
        => $"{field} '{Show(value)}' is not a port; accepted are whole numbers from 0 to 65535";

    public static string DescribeCount(string field, ReadOnlySpan<byte> value)
        => $"{field} '{Show(value)}' is not a number of bytes; accepted are whole numbers from 0 to {long.MaxValue}";

    public static string DescribeMac(string field, ReadOnlySpan<byte> value)
        => $"{field} '{Show(value)}' is not a MAC address; accepted are six octets, for example 00:0d:3a:13:e3:69";

    public static bool TryParsePort(ReadOnlySpan<byte> text, out int port)
        => Utf8Parser.TryParse(text, out port, out var consumed) && consumed == text.Length
           && port is >= 0 and <= 65535 && text[0] is not ((byte)'+' or (byte)'-');

    public static bool TryParseCount(ReadOnlySpan<byte> text, out long count)
        => Utf8Parser.TryParse(text, out count, out var consumed) && consumed == text.Length
           && count >= 0 && text[0] is not ((byte)'+' or (byte)'-');

    /// <remarks>
    /// Stricter than <see cref="IPAddress"/>, which takes "1", "0x7f.1", "010.0.0.1" and "[::1]:80" too. The zone of a
    /// link-local address names an interface of the sensor and is dropped, as inet has no place for it.
    /// </remarks>
    public static bool TryParseAddress(ReadOnlySpan<byte> text, out IPAddress address)
    {
        address = IPAddress.None;
        if (!text.Contains((byte)':'))
            return TryParseIPv4(text, ref address);

        var zone = text.IndexOf((byte)'%');
        if (zone == text.Length - 1)
            return false;
        if (zone >= 0)
            text = text[..zone];
        if (text.IndexOfAnyExcept(IPv6Characters) >= 0 || !IPAddress.TryParse(text, out var parsed)
            || parsed.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return false;
        }

        address = parsed;
        return true;
    }

    private static bool TryParseIPv4(ReadOnlySpan<byte> text, ref IPAddress address)
    {
        if (text.Length is < 7 or > 15)
            return false;
        uint value = 0;
        var position = 0;
        for (var part = 0; part < 4; part++)
        {
            if (part > 0 && (position >= text.Length || text[position++] != '.'))
                return false;
            var first = position;
            uint octet = 0;
            while (position < text.Length && text[position] is >= (byte)'0' and <= (byte)'9' && position - first < 3)
                octet = octet * 10 + (uint)(text[position++] - '0');
            if (position == first || octet > 255 || (text[first] == '0' && position - first > 1))
                return false;
            // IPAddress takes the octets in network order.
            value |= octet << (8 * part);
        }

        if (position != text.Length)
            return false;
        address = new IPAddress(value);
        return true;
    }
}
