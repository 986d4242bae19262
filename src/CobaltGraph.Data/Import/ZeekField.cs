namespace CobaltGraph.Data.Import;

/// <summary>The fields of sensors' logs (conn, dhcp, ARP) that are read; every other one is passed over.</summary>
internal enum ZeekField
{
    None = -1,
    Timestamp,
    OrigHost,
    OrigPort,
    RespHost,
    RespPort,
    Protocol,
    Service,
    Duration,
    OrigBytes,
    RespBytes,
    State,
    Uid,
    OrigMac,

    /// <summary>The log a JSON line belongs to, which some shippers add.</summary>
    Log,

    Mac,
    AssignedAddress,

    /// <summary>The name of <see cref="AssignedAddress"/> before Zeek 2.6, when only acknowledged leases were logged.</summary>
    AssignedIp,

    HostName,
    ClientFqdn,

    /// <summary>The message, or the set of messages of one exchange.</summary>
    MessageType,

    SenderMac,
    SenderAddress,

    /// <summary>Any field by which a line is none of a log that is read, although it may have all that conn needs.</summary>
    Other,
}

/// <summary>What a line of a sensor's log tells of.</summary>
internal enum ZeekLog
{
    Unknown,
    Conn,
    Dhcp,
    Arp,
}

internal static class ZeekFields
{
    public const int Count = (int)ZeekField.Other + 1;

    /// <summary>The logs that are read, by name.</summary>
    public const string Logs = "conn, dhcp and arp";

    private static readonly string[] Names =
    [
        "ts", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "service", "duration", "orig_bytes",
        "resp_bytes", "conn_state", "uid", "orig_l2_addr", "_path",
        "mac", "assigned_addr", "assigned_ip", "host_name", "client_fqdn", "msg_type", "orig_hw", "orig_h",
        "query",
    ];

    private static readonly uint ConnFields = Bits(ZeekField.Timestamp, ZeekField.Log);

    private static readonly uint DhcpFields = Bit(ZeekField.Timestamp) | Bits(ZeekField.Log, ZeekField.MessageType);

    private static readonly uint ArpFields = Bit(ZeekField.Timestamp) | Bit(ZeekField.Log) | Bits(ZeekField.SenderMac, ZeekField.SenderAddress);

    private static readonly uint ConnMarks = Bit(ZeekField.OrigHost) | Bit(ZeekField.RespHost) | Bit(ZeekField.Protocol);

    // Those that no other log has.
    private static readonly uint ConnOnly
        = Bit(ZeekField.State) | Bit(ZeekField.OrigBytes) | Bit(ZeekField.RespBytes) | Bit(ZeekField.OrigMac);

    // A log may carry a MAC address and be no lease, as radius does.
    private static readonly uint DhcpOnly = Bit(ZeekField.AssignedAddress) | Bit(ZeekField.AssignedIp) | Bit(ZeekField.MessageType);

    public static string NameOf(ZeekField field) => Names[(int)field];

    /// <summary>What a line of the log cannot do without.</summary>
    public static ReadOnlySpan<ZeekField> RequiredOf(ZeekLog log) => log switch
    {
        ZeekLog.Dhcp => [ZeekField.Timestamp, ZeekField.Mac],
        ZeekLog.Arp => [ZeekField.Timestamp, ZeekField.SenderMac],
        _ =>
        [
            ZeekField.Timestamp, ZeekField.OrigHost, ZeekField.OrigPort, ZeekField.RespHost, ZeekField.RespPort,
            ZeekField.Protocol,
        ],
    };

    /// <summary>The fields of the log, a bit for each; a field of another one may hold anything.</summary>
    public static uint MaskOf(ZeekLog log)
        => log switch { ZeekLog.Dhcp => DhcpFields, ZeekLog.Arp => ArpFields, _ => ConnFields };

    public static bool Contains(ZeekLog log, ZeekField field)
        => (MaskOf(log) & Bit(field)) != 0;

    public static ZeekLog FindLog(ReadOnlySpan<byte> name)
        => name.SequenceEqual("conn"u8) ? ZeekLog.Conn
            : name.SequenceEqual("dhcp"u8) ? ZeekLog.Dhcp
            : name.SequenceEqual("arp"u8) ? ZeekLog.Arp
            : ZeekLog.Unknown;

    /// <summary>Tells the log by the fields that are there, a bit for each.</summary>
    public static ZeekLog Guess(uint present)
    {
        if (Has(present, ZeekField.SenderMac))
            return ZeekLog.Arp;
        if (Has(present, ZeekField.Mac) && !Has(present, ZeekField.Protocol)
                                        && (!Has(present, ZeekField.OrigHost) || (present & DhcpOnly) != 0))
            return ZeekLog.Dhcp;
        // Zeek's dns, notice, syslog and others have the addresses, the ports and the protocol of the connection they tell of.
        if ((present & ConnOnly) == 0 && Has(present, ZeekField.Other))
            return ZeekLog.Unknown;
        return (present & (ConnMarks | ConnOnly)) != 0 ? ZeekLog.Conn : ZeekLog.Unknown;
    }

    /// <summary>Whether a line with these fields, a bit for each, may be of conn or of another log with the same ones.</summary>
    public static bool IsBare(uint present) => Guess(present) == ZeekLog.Conn && (present & ConnOnly) == 0;

    /// <summary>
    /// Whether a line with these fields, a bit for each, and without the name of its log is none of a log that is read, rather
    /// than a bad one.
    /// </summary>
    public static bool IsOther(uint present) => Guess(present) switch
    {
        ZeekLog.Unknown => true,
        ZeekLog.Conn => (present & ConnOnly) == 0 && !(Has(present, ZeekField.Protocol) && Has(present, ZeekField.OrigHost)),
        _ => false,
    };

    public static uint Bit(ZeekField field) => 1u << (int)field;

    /// <summary>Finds a field by its name; <c>id.orig_h</c> and <c>id_orig_h</c> are both in use.</summary>
    public static ZeekField Find(ReadOnlySpan<byte> name) => name.Length switch
    {
        2 when name.SequenceEqual("ts"u8) => ZeekField.Timestamp,
        3 when name.SequenceEqual("uid"u8) => ZeekField.Uid,
        3 when name.SequenceEqual("mac"u8) => ZeekField.Mac,
        5 when name.SequenceEqual("proto"u8) => ZeekField.Protocol,
        5 when name.SequenceEqual("_path"u8) => ZeekField.Log,
        4 when name.SequenceEqual("note"u8) => ZeekField.Other,
        5 when name.SequenceEqual("query"u8) || name.SequenceEqual("rcode"u8) => ZeekField.Other,
        6 when name.SequenceEqual("orig_h"u8) => ZeekField.SenderAddress,
        7 when name.SequenceEqual("service"u8) => ZeekField.Service,
        7 when name.SequenceEqual("@stream"u8) => ZeekField.Log,
        7 when name.SequenceEqual("orig_hw"u8) => ZeekField.SenderMac,
        8 when name.SequenceEqual("duration"u8) => ZeekField.Duration,
        8 when name.SequenceEqual("trans_id"u8) || name.SequenceEqual("facility"u8) || name.SequenceEqual("analyzer"u8) => ZeekField.Other,
        8 when name.SequenceEqual("msg_type"u8) => ZeekField.MessageType,
        9 when name[..2].SequenceEqual("id"u8) && name[2] is (byte)'.' or (byte)'_' => name[3..] switch
        {
            var rest when rest.SequenceEqual("orig_h"u8) => ZeekField.OrigHost,
            var rest when rest.SequenceEqual("orig_p"u8) => ZeekField.OrigPort,
            var rest when rest.SequenceEqual("resp_h"u8) => ZeekField.RespHost,
            var rest when rest.SequenceEqual("resp_p"u8) => ZeekField.RespPort,
            _ => ZeekField.None,
        },
        9 when name.SequenceEqual("host_name"u8) => ZeekField.HostName,
        9 when name.SequenceEqual("msg_types"u8) => ZeekField.MessageType,
        10 when name.SequenceEqual("orig_bytes"u8) => ZeekField.OrigBytes,
        10 when name.SequenceEqual("resp_bytes"u8) => ZeekField.RespBytes,
        10 when name.SequenceEqual("conn_state"u8) => ZeekField.State,
        11 when name.SequenceEqual("assigned_ip"u8) => ZeekField.AssignedIp,
        11 when name.SequenceEqual("client_fqdn"u8) => ZeekField.ClientFqdn,
        12 when name.SequenceEqual("orig_l2_addr"u8) => ZeekField.OrigMac,
        13 when name.SequenceEqual("assigned_addr"u8) => ZeekField.AssignedAddress,
        _ => ZeekField.None,
    };

    private static bool Has(uint present, ZeekField field) => (present & Bit(field)) != 0;

    private static uint Bits(ZeekField first, ZeekField last) => (uint)((1ul << ((int)last + 1)) - (1ul << (int)first));
}
