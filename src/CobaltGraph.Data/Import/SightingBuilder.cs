using System.Net;
using System.Text;
using System.Text.Unicode;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Import;

/// <summary>Turns what ARP and DHCP logs say of a device into a sighting.</summary>
internal sealed class SightingBuilder
{
    private readonly StringPool _pool = new();

    /// <summary>Builds a sighting, or says which field stands in the way and what it accepts.</summary>
    public DeviceSighting? Build(ZeekLog log, in RawZeekRecord raw, out string? reason)
    {
        foreach (var field in ZeekFields.RequiredOf(log))
        {
            if (!raw.Has(field))
                return Fail($"{ZeekFields.NameOf(field)} is missing; every sighting needs it", out reason);
        }

        var time = ZeekTime.TryParseTimestamp(raw.Timestamp, out var timestamp);
        if (time != ZeekTime.Result.Done)
            return Fail(InputValue.DescribeTimestamp("ts", time, raw.Timestamp), out reason);

        var macField = ZeekFields.NameOf(log == ZeekLog.Arp ? ZeekField.SenderMac : ZeekField.Mac);
        var macText = log == ZeekLog.Arp ? raw.SenderMac : raw.Mac;
        if (!MacAddress.TryParse(macText, out var mac))
            return Fail(InputValue.DescribeMac(macField, macText), out reason);
        if (!mac.IsDevice)
            return Fail(RecordRules.NoDevice(macField, mac), out reason);

        IPAddress? address;
        string? hostname = null;
        if (log == ZeekLog.Arp)
        {
            // What the sender says of itself; it asks with 0.0.0.0 while it has no address.
            if (!TryGetAddress(ZeekField.SenderAddress, raw.SenderAddress, out address, out reason))
                return null;
        }
        else
        {
            if (!TryGetAddress(ZeekField.AssignedIp, raw.AssignedIp, out address, out reason)
                || !TryGetAddress(ZeekField.AssignedAddress, raw.AssignedAddress, out var assigned, out reason)
                || !TryGetHostname(raw, out hostname, out reason))
            {
                return null;
            }

            // Offered is not held: only the server's acknowledgement gives an address.
            if (assigned is not null && IsAcknowledged(raw.MessageType))
                address = assigned;
        }

        var sighting = new DeviceSighting
        {
            MacAddress = mac,
            IpAddress = address,
            Hostname = hostname,
            SeenAt = timestamp,
            Source = log == ZeekLog.Arp ? "arp" : "dhcp",
        };
        reason = RecordRules.Check(sighting);
        return reason is null ? sighting : null;
    }

    private static DeviceSighting? Fail(string text, out string? reason)
    {
        reason = text;
        return null;
    }

    private static bool TryGetAddress(ZeekField field, ReadOnlySpan<byte> text, out IPAddress? address, out string? reason)
    {
        address = null;
        reason = null;
        if (text.IsEmpty)
            return true;
        if (!InputValue.TryParseAddress(text, out var parsed))
        {
            reason = InputValue.DescribeAddress(ZeekFields.NameOf(field), text);
            return false;
        }

        if (!parsed.Equals(IPAddress.Any) && !parsed.Equals(IPAddress.IPv6Any))
            address = parsed;
        return true;
    }

    private bool TryGetHostname(in RawZeekRecord raw, out string? hostname, out string? reason)
    {
        hostname = null;
        reason = null;
        var field = ZeekField.HostName;
        // RFC 2132, section 2: whoever reads an option must be ready to drop the NULs that some clients put at its end.
        var text = raw.HostName.TrimEnd((byte)0);
        if (text.IsEmpty)
        {
            field = ZeekField.ClientFqdn;
            text = raw.ClientFqdn.TrimEnd((byte)0).TrimEnd((byte)'.');
        }

        if (text.IsEmpty)
            return true;
        if (!Utf8.IsValid(text))
            reason = $"{ZeekFields.NameOf(field)} '{InputValue.Show(text)}' is not UTF-8; accepted is UTF-8 text";
        else
            hostname = _pool.Get(text);
        return reason is null;
    }

    private static bool IsAcknowledged(ReadOnlySpan<byte> messages)
    {
        foreach (var part in messages.Split((byte)','))
        {
            if (Ascii.EqualsIgnoreCase(messages[part], "ACK"u8))
                return true;
        }

        return false;
    }
}
