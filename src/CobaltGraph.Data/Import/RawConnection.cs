namespace CobaltGraph.Data.Import;

/// <summary>The texts of one line by field, before they are understood; a field that is unset is absent.</summary>
internal ref struct RawConnection
{
    public ReadOnlySpan<byte> Timestamp;
    public ReadOnlySpan<byte> OrigHost;
    public ReadOnlySpan<byte> OrigPort;
    public ReadOnlySpan<byte> RespHost;
    public ReadOnlySpan<byte> RespPort;
    public ReadOnlySpan<byte> Protocol;
    public ReadOnlySpan<byte> Service;
    public ReadOnlySpan<byte> Duration;
    public ReadOnlySpan<byte> OrigBytes;
    public ReadOnlySpan<byte> RespBytes;
    public ReadOnlySpan<byte> State;
    public ReadOnlySpan<byte> Uid;
    public ReadOnlySpan<byte> OrigMac;

    private uint _present;

    public readonly bool Has(ZeekField field) => (_present & (1u << (int)field)) != 0;

    public void Set(ZeekField field, ReadOnlySpan<byte> value)
    {
        _present |= 1u << (int)field;
        switch (field)
        {
            case ZeekField.Timestamp: Timestamp = value; break;
            case ZeekField.OrigHost: OrigHost = value; break;
            case ZeekField.OrigPort: OrigPort = value; break;
            case ZeekField.RespHost: RespHost = value; break;
            case ZeekField.RespPort: RespPort = value; break;
            case ZeekField.Protocol: Protocol = value; break;
            case ZeekField.Service: Service = value; break;
            case ZeekField.Duration: Duration = value; break;
            case ZeekField.OrigBytes: OrigBytes = value; break;
            case ZeekField.RespBytes: RespBytes = value; break;
            case ZeekField.State: State = value; break;
            case ZeekField.Uid: Uid = value; break;
            case ZeekField.OrigMac: OrigMac = value; break;
        }
    }
}
