using System.Net;

namespace CobaltGraph.Model;

/// <summary>A row of the view <c>active_devices</c>: a device seen in the last 30 minutes.</summary>
public class ActiveDevice
{
    /// <summary>The device.</summary>
    public MacAddress MacAddress { get; private set; }

    /// <summary>Current primary address.</summary>
    public IPAddress? IpAddress { get; private set; }

    /// <summary>Manufacturer from the OUI registry.</summary>
    public string? Vendor { get; private set; }

    /// <summary>router, desktop, mobile, iot, server, … or unknown.</summary>
    public string? DeviceType { get; private set; }

    /// <summary>Host name as the device gave it.</summary>
    public string? Hostname { get; private set; }

    /// <summary>Last time the device was seen by ARP or traffic, UTC.</summary>
    public DateTimeOffset LastSeen { get; private set; }

    /// <summary>Connections ever stored for this device.</summary>
    public long ConnectionCount { get; private set; }

    /// <summary>Threats ever stored for this device.</summary>
    public long ThreatCount { get; private set; }

    /// <summary>Presence as the last connection or sweep left it.</summary>
    public DeviceStatus Status { get; private set; }
}
