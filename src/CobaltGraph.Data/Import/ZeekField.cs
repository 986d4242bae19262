namespace CobaltGraph.Data.Import;

/// <summary>The fields of a Zeek conn log that are read; every other one is passed over.</summary>
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
}

internal static class ZeekFields
{
    public const int Count = (int)ZeekField.Log + 1;

    /// <summary>What identifies a connection: a conn log never leaves these unset.</summary>
    public static readonly ZeekField[] Required =
    [
        ZeekField.Timestamp, ZeekField.OrigHost, ZeekField.OrigPort, ZeekField.RespHost, ZeekField.RespPort,
        ZeekField.Protocol,
    ];

    private static readonly string[] Names =
    [
        "ts", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "service", "duration", "orig_bytes",
        "resp_bytes", "conn_state", "uid", "orig_l2_addr", "_path",
    ];

    public static string NameOf(ZeekField field) => Names[(int)field];

    /// <summary>Finds a field by its name; <c>id.orig_h</c> and <c>id_orig_h</c> are both in use.</summary>
    public static ZeekField Find(ReadOnlySpan<byte> name) => name.Length switch
    {
        2 when name.SequenceEqual("ts"u8) => ZeekField.Timestamp,
        3 when name.SequenceEqual("uid"u8) => ZeekField.Uid,
        5 when name.SequenceEqual("proto"u8) => ZeekField.Protocol,
        5 when name.SequenceEqual("_path"u8) => ZeekField.Log,
        7 when name.SequenceEqual("service"u8) => ZeekField.Service,
        7 when name.SequenceEqual("@stream"u8) => ZeekField.Log,
        8 when name.SequenceEqual("duration"u8) => ZeekField.Duration,
        9 when name[..2].SequenceEqual("id"u8) && name[2] is (byte)'.' or (byte)'_' => name[3..] switch
        {
            var rest when rest.SequenceEqual("orig_h"u8) => ZeekField.OrigHost,
            var rest when rest.SequenceEqual("orig_p"u8) => ZeekField.OrigPort,
            var rest when rest.SequenceEqual("resp_h"u8) => ZeekField.RespHost,
            var rest when rest.SequenceEqual("resp_p"u8) => ZeekField.RespPort,
            _ => ZeekField.None,
        },
        10 when name.SequenceEqual("orig_bytes"u8) => ZeekField.OrigBytes,
        10 when name.SequenceEqual("resp_bytes"u8) => ZeekField.RespBytes,
        10 when name.SequenceEqual("conn_state"u8) => ZeekField.State,
        12 when name.SequenceEqual("orig_l2_addr"u8) => ZeekField.OrigMac,
        _ => ZeekField.None,
    };
}
