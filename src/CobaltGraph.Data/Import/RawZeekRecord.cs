namespace CobaltGraph.Data.Import;

/// <summary>The texts of one line by field, before they are understood; a field that is unset is absent.</summary>
internal ref struct RawZeekRecord
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
    public ReadOnlySpan<byte> Log;
    public ReadOnlySpan<byte> Mac;
    public ReadOnlySpan<byte> AssignedAddress;
    public ReadOnlySpan<byte> AssignedIp;
    public ReadOnlySpan<byte> HostName;
    public ReadOnlySpan<byte> ClientFqdn;
    public ReadOnlySpan<byte> MessageType;
    public ReadOnlySpan<byte> SenderMac;
    public ReadOnlySpan<byte> SenderAddress;

    /// <summary>A bit for each field that is there.</summary>
    public uint Present { get; private set; }

    public readonly bool Has(ZeekField field) => (Present & ZeekFields.Bit(field)) != 0;

    public void Set(ZeekField field, ReadOnlySpan<byte> value)
    {
        Present |= ZeekFields.Bit(field);
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
            case ZeekField.Log: Log = value; break;
            case ZeekField.Mac: Mac = value; break;
            case ZeekField.AssignedAddress: AssignedAddress = value; break;
            case ZeekField.AssignedIp: AssignedIp = value; break;
            case ZeekField.HostName: HostName = value; break;
            case ZeekField.ClientFqdn: ClientFqdn = value; break;
            case ZeekField.MessageType: MessageType = value; break;
            case ZeekField.SenderMac: SenderMac = value; break;
            case ZeekField.SenderAddress: SenderAddress = value; break;
        }
    }
}
