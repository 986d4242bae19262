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

    private readonly StringPool _pool = new();
    private readonly byte[] _upper = new byte[MaxProtocolLength];

    /// <summary>Builds a connection, or says which field stands in the way and what it accepts.</summary>
    public Connection? Build(in RawZeekRecord raw, out string? reason)
    {
        foreach (var field in ZeekFields.RequiredOf(ZeekLog.Conn))
        {
            if (!raw.Has(field))
                return Fail($"{ZeekFields.NameOf(field)} is missing; every connection needs it", out reason);
        }

        var connection = new Connection();

        var time = ZeekTime.TryParseTimestamp(raw.Timestamp, out var timestamp);
        if (time != ZeekTime.Result.Done)
            return Fail(InputValue.DescribeTimestamp("ts", time, raw.Timestamp), out reason);
        connection.Timestamp = timestamp;

        if (!InputValue.TryParseAddress(raw.OrigHost, out var srcIp))
            return Fail(InputValue.DescribeAddress(ZeekFields.NameOf(ZeekField.OrigHost), raw.OrigHost), out reason);
        connection.SrcIp = srcIp;
        if (!InputValue.TryParseAddress(raw.RespHost, out var dstIp))
            return Fail(InputValue.DescribeAddress(ZeekFields.NameOf(ZeekField.RespHost), raw.RespHost), out reason);
        connection.DstIp = dstIp;

        if (!InputValue.TryParsePort(raw.OrigPort, out var srcPort))
            return Fail(InputValue.DescribePort(ZeekFields.NameOf(ZeekField.OrigPort), raw.OrigPort), out reason);
        connection.SrcPort = srcPort;
        if (!InputValue.TryParsePort(raw.RespPort, out var dstPort))
            return Fail(InputValue.DescribePort(ZeekFields.NameOf(ZeekField.RespPort), raw.RespPort), out reason);
        connection.DstPort = dstPort;

        if (!TryParseProtocol(raw.Protocol, out var protocol))
        {
            return Fail(
                $"proto '{InputValue.Show(raw.Protocol)}' is not the name of a protocol; accepted are 1 to {MaxProtocolLength} letters, digits and - . _ + /",
                out reason);
        }

        connection.Protocol = protocol;

        if (raw.Has(ZeekField.OrigBytes))
        {
            if (!InputValue.TryParseCount(raw.OrigBytes, out var bytes))
                return Fail(InputValue.DescribeCount(ZeekFields.NameOf(ZeekField.OrigBytes), raw.OrigBytes), out reason);
            connection.BytesSent = bytes;
        }

        if (raw.Has(ZeekField.RespBytes))
        {
            if (!InputValue.TryParseCount(raw.RespBytes, out var bytes))
                return Fail(InputValue.DescribeCount(ZeekFields.NameOf(ZeekField.RespBytes), raw.RespBytes), out reason);
            connection.BytesReceived = bytes;
        }

        if (raw.Has(ZeekField.Duration))
        {
            var result = ZeekTime.TryParseSeconds(raw.Duration, out var microseconds);
            if (result != ZeekTime.Result.Done || microseconds < 0
                || microseconds > TimeSpan.MaxValue.Ticks / TimeSpan.TicksPerMicrosecond)
            {
                return Fail(
                    $"duration '{InputValue.Show(raw.Duration)}' is not a length of time; accepted are seconds from 0 to 922337203685, with or without a fraction",
                    out reason);
            }

            connection.Duration = new TimeSpan(microseconds * TimeSpan.TicksPerMicrosecond);
        }

        if (raw.Has(ZeekField.OrigMac))
        {
            if (!MacAddress.TryParse(raw.OrigMac, out var mac))
                return Fail(InputValue.DescribeMac("orig_l2_addr", raw.OrigMac), out reason);
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

    private static Connection? Fail(string text, out string? reason)
    {
        reason = text;
        return null;
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
            reason = $"{ZeekFields.NameOf(field)} '{InputValue.Show(value)}' is not UTF-8; accepted is UTF-8 text";
        else if (value.Length > MaxTextLength && Encoding.UTF8.GetCharCount(value) > MaxTextLength)
            reason = $"{ZeekFields.NameOf(field)} has {Encoding.UTF8.GetCharCount(value)} characters; accepted are at most {MaxTextLength}";
        else
            text = field == ZeekField.Uid ? Encoding.UTF8.GetString(value) : _pool.Get(value);
        return reason is null;
    }
}
