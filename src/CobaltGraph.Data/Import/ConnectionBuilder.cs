using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Unicode;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Import;

/// <summary>
/// Turns the texts of a line into a connection that the database takes: every rule that a CHECK, a column length or a
/// type of PostgreSQL would enforce in the middle of a COPY is checked here first.
/// </summary>
/// <remarks>
/// Nothing is cut to fit. Text that goes to metadata is kept as it came, control characters included, and escaped
/// wherever it is shown; only NUL, which PostgreSQL cannot hold, broken UTF-8 and over-long text are refused.
/// </remarks>
internal sealed class ConnectionBuilder
{
    private const int MaxProtocolLength = 10;
    private const int MaxTextLength = 1000;
    private const int ShownValueLength = 60;

    private readonly StringPool _pool = new();
    private readonly byte[] _upper = new byte[MaxProtocolLength];

    /// <summary>Builds a connection, or says which field stands in the way and what it accepts.</summary>
    public Connection? Build(in RawConnection raw, out string? reason)
    {
        foreach (var field in ZeekFields.Required)
        {
            if (!raw.Has(field))
                return Fail($"{ZeekFields.NameOf(field)} is missing; every connection needs it", out reason);
        }

        var connection = new Connection();

        var time = ZeekTime.TryParseTimestamp(raw.Timestamp, out var timestamp);
        if (time != ZeekTime.Result.Done)
            return Fail(DescribeTimestamp(time, raw.Timestamp), out reason);
        connection.Timestamp = timestamp;

        if (!TryParseAddress(raw.OrigHost, out var srcIp))
            return Fail(DescribeAddress(ZeekField.OrigHost, raw.OrigHost), out reason);
        connection.SrcIp = srcIp;
        if (!TryParseAddress(raw.RespHost, out var dstIp))
            return Fail(DescribeAddress(ZeekField.RespHost, raw.RespHost), out reason);
        connection.DstIp = dstIp;

        if (!TryParsePort(raw.OrigPort, out var srcPort))
            return Fail(DescribePort(ZeekField.OrigPort, raw.OrigPort), out reason);
        connection.SrcPort = srcPort;
        if (!TryParsePort(raw.RespPort, out var dstPort))
            return Fail(DescribePort(ZeekField.RespPort, raw.RespPort), out reason);
        connection.DstPort = dstPort;

        if (!TryParseProtocol(raw.Protocol, out var protocol))
        {
            return Fail(
                $"proto '{Show(raw.Protocol)}' is not the name of a protocol; accepted are 1 to {MaxProtocolLength} letters, digits and - . _ + /",
                out reason);
        }

        connection.Protocol = protocol;

        if (raw.Has(ZeekField.OrigBytes))
        {
            if (!TryParseCount(raw.OrigBytes, out var bytes))
                return Fail(DescribeCount(ZeekField.OrigBytes, raw.OrigBytes), out reason);
            connection.BytesSent = bytes;
        }

        if (raw.Has(ZeekField.RespBytes))
        {
            if (!TryParseCount(raw.RespBytes, out var bytes))
                return Fail(DescribeCount(ZeekField.RespBytes, raw.RespBytes), out reason);
            connection.BytesReceived = bytes;
        }

        if (raw.Has(ZeekField.Duration))
        {
            var result = ZeekTime.TryParseSeconds(raw.Duration, out var microseconds);
            if (result != ZeekTime.Result.Done || microseconds < 0
                || microseconds > TimeSpan.MaxValue.Ticks / TimeSpan.TicksPerMicrosecond)
            {
                return Fail(
                    $"duration '{Show(raw.Duration)}' is not a length of time; accepted are seconds from 0 to 922337203685, with or without a fraction",
                    out reason);
            }

            connection.Duration = new TimeSpan(microseconds * TimeSpan.TicksPerMicrosecond);
        }

        if (raw.Has(ZeekField.OrigMac))
        {
            if (!MacAddress.TryParse(raw.OrigMac, out var mac))
            {
                return Fail(
                    $"orig_l2_addr '{Show(raw.OrigMac)}' is not a MAC address; accepted are six octets, for example 00:0d:3a:13:e3:69",
                    out reason);
            }

            connection.SrcMac = mac.IsDevice ? mac : null;
        }

        if (!TryGetText(ZeekField.Service, raw.Service, out var service, out reason)
            || !TryGetText(ZeekField.State, raw.State, out var state, out reason)
            || !TryGetText(ZeekField.Uid, raw.Uid, out var uid, out reason))
        {
            return null;
        }

        connection.Metadata.Service = service;
        connection.Metadata.State = state;
        connection.Metadata.Uid = uid;
        return connection;
    }

    public static string Show(ReadOnlySpan<byte> value) => DisplayText.Escape(value, ShownValueLength);

    private static Connection? Fail(string text, out string? reason)
    {
        reason = text;
        return null;
    }

    private static string DescribeTimestamp(ZeekTime.Result result, ReadOnlySpan<byte> value) => result switch
    {
        ZeekTime.Result.NotFinite => $"ts '{Show(value)}' is not finite; accepted are seconds since 1970, for example 1713484784.962686",
        ZeekTime.Result.OutOfRange =>
            $"ts '{Show(value)}' lies outside the years 1 to 9999; accepted are seconds (not milliseconds) since 1970, "
            + "or ISO 8601 with an offset",
        _ => $"ts '{Show(value)}' is not a time; accepted are seconds since 1970, for example 1713484784.962686, "
             + "or ISO 8601 with an offset, for example 2024-04-19T00:00:01.5Z",
    };

    private static string DescribeAddress(ZeekField field, ReadOnlySpan<byte> value)
        => $"{ZeekFields.NameOf(field)} '{Show(value)}' is not an IP address; accepted are IPv4 and IPv6 without a prefix length";

    private static string DescribePort(ZeekField field, ReadOnlySpan<byte> value)
        => $"{ZeekFields.NameOf(field)} '{Show(value)}' is not a port; accepted are whole numbers from 0 to 65535";

    private static string DescribeCount(ZeekField field, ReadOnlySpan<byte> value)
        => $"{ZeekFields.NameOf(field)} '{Show(value)}' is not a number of bytes; accepted are whole numbers from 0 to {long.MaxValue}";

    private static bool TryParsePort(ReadOnlySpan<byte> text, out int port)
        => Utf8Parser.TryParse(text, out port, out var consumed) && consumed == text.Length
           && port is >= 0 and <= 65535 && text[0] is not ((byte)'+' or (byte)'-');

    private static bool TryParseCount(ReadOnlySpan<byte> text, out long count)
        => Utf8Parser.TryParse(text, out count, out var consumed) && consumed == text.Length
           && count >= 0 && text[0] is not ((byte)'+' or (byte)'-');

    /// <remarks>
    /// Stricter than <see cref="IPAddress"/>, which takes "1", "0x7f.1", "010.0.0.1" and "[::1]:80" too. The zone of a
    /// link-local address names an interface of the sensor and is dropped, as inet has no place for it.
    /// </remarks>
    private static bool TryParseAddress(ReadOnlySpan<byte> text, out IPAddress address)
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

    private static readonly System.Buffers.SearchValues<byte> IPv6Characters =
        System.Buffers.SearchValues.Create("0123456789abcdefABCDEF:."u8);

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

    private bool TryParseProtocol(ReadOnlySpan<byte> text, out string protocol)
    {
        protocol = "";
        // Zeek's name for everything but TCP, UDP and ICMP does not fit the column.
        if (text.SequenceEqual("unknown_transport"u8))
        {
            protocol = "UNKNOWN";
            return true;
        }

        if (text.Length is 0 or > MaxProtocolLength)
            return false;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c is >= (byte)'a' and <= (byte)'z')
                _upper[i] = (byte)(c - 32);
            else if (c is >= (byte)'A' and <= (byte)'Z' or >= (byte)'0' and <= (byte)'9'
                     or (byte)'-' or (byte)'.' or (byte)'_' or (byte)'+' or (byte)'/')
                _upper[i] = c;
            else
                return false;
        }

        protocol = _pool.Get(_upper.AsSpan(0, text.Length));
        return true;
    }

    private bool TryGetText(ZeekField field, ReadOnlySpan<byte> value, out string? text, out string? reason)
    {
        text = null;
        reason = null;
        if (value.IsEmpty)
            return true;
        if (value.Contains((byte)0))
            reason = $"{ZeekFields.NameOf(field)} contains NUL, which PostgreSQL cannot store; accepted is any other text";
        else if (!Utf8.IsValid(value))
            reason = $"{ZeekFields.NameOf(field)} '{Show(value)}' is not UTF-8; accepted is UTF-8 text";
        else if (value.Length > MaxTextLength && Encoding.UTF8.GetCharCount(value) > MaxTextLength)
            reason = $"{ZeekFields.NameOf(field)} has {Encoding.UTF8.GetCharCount(value)} characters; accepted are at most {MaxTextLength}";
        else
            text = field == ZeekField.Uid ? Encoding.UTF8.GetString(value) : _pool.Get(value);
        return reason is null;
    }
}
