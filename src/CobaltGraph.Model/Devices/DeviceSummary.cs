using System.Net;

namespace CobaltGraph.Model;

/// <summary>
/// A row of the view <c>device_summary</c>: one device with its totals. Reading it costs by device and destination,
/// not by stored connection.
/// </summary>
public class DeviceSummary
{
    /// <summary>The device.</summary>
    public MacAddress MacAddress { get; private set; }

    /// <summary>Current primary address.</summary>
    public IPAddress? IpAddress { get; private set; }

    /// <summary>Manufacturer from the OUI registry.</summary>
    public string? Vendor { get; private set; }

    /// <summary>router, desktop, mobile, iot, server, … or unknown.</summary>
    public string? DeviceType { get; private set; }

    /// <summary>Presence on the network.</summary>
    public DeviceStatus Status { get; private set; }

    /// <summary>First time the device was seen, UTC.</summary>
    public DateTimeOffset FirstSeen { get; private set; }

    /// <summary>Last time the device was seen, UTC.</summary>
    public DateTimeOffset LastSeen { get; private set; }

    /// <summary>Connections ever stored for this device.</summary>
    public long ConnectionCount { get; private set; }

    /// <summary>Threats ever stored for this device.</summary>
    public long ThreatCount { get; private set; }

    /// <summary>Destination addresses this device ever reached.</summary>
    public long UniqueDestinations { get; private set; }

    /// <summary>Time of the latest connection, UTC; null when the device never sent one.</summary>
    public DateTimeOffset? LastConnection { get; private set; }
}
