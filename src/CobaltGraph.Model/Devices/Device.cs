using System.Net;

namespace CobaltGraph.Model;

/// <summary>
/// A network device, identified by its MAC address.
/// </summary>
public class Device
{
    /// <summary>Key: a unicast address that is not all-zero. The database refuses any other.</summary>
    public MacAddress MacAddress { get; set; }

    /// <summary>Current primary address, IPv4 or IPv6. A change of it writes an <c>ip_changed</c> event.</summary>
    public IPAddress? IpAddress { get; set; }

    /// <summary>Manufacturer from the OUI registry, at most 255 characters.</summary>
    public string? Vendor { get; set; }

    /// <summary>router, desktop, mobile, iot, server, … or unknown; at most 50 characters.</summary>
    public string? DeviceType { get; set; }

    /// <summary>Host name as the device gave it, at most 255 characters.</summary>
    public string? Hostname { get; set; }

    /// <summary>
    /// First time the device was seen by ARP or traffic, UTC. The database keeps the earliest value it was given and
    /// never one later than its own clock; left at its default, the database sets its own time.
    /// </summary>
    public DateTimeOffset FirstSeen { get; set; }

    /// <summary>
    /// Last time the device was seen by ARP or traffic, UTC. Only moves forward, and never past the database's clock.
    /// </summary>
    public DateTimeOffset LastSeen { get; set; }

    /// <summary>Last time the device sent traffic, UTC. Only moves forward, and never past the database's clock.</summary>
    public DateTimeOffset LastActivity { get; set; }

    /// <summary>Presence on the network.</summary>
    public DeviceStatus Status { get; set; }

    /// <summary>How sure the classification (vendor, type) is: 0 (a guess) to 1 (certain).</summary>
    public float ConfidenceScore { get; set; }

    /// <summary>Notes, tags and anything else that is known of the device. Keys this library does not know are kept.</summary>
    public DeviceMetadata Metadata { get; set; } = new();

    /// <summary>Connections ever stored for this device, those that retention dropped included. Kept by the database.</summary>
    public long ConnectionCount { get; private set; }

    /// <summary>
    /// Threats (<see cref="ThreatScale.IsThreat"/>) ever stored for this device. Kept by the database.
    /// </summary>
    public long ThreatCount { get; private set; }

    /// <summary>Destination addresses this device ever reached. Kept by the database.</summary>
    public long UniqueDestinations { get; private set; }

    /// <summary>
    /// Time of the latest connection, UTC, never past the database's clock; null without one. Kept by the database.
    /// </summary>
    public DateTimeOffset? LastConnection { get; private set; }

    /// <summary>
    /// The device's threat score, 0 or more: the sum over its connections of the weight of their category
    /// (<see cref="DeviceThreatScale"/>). Kept by the database.
    /// </summary>
    public long ThreatScore { get; private set; }

    /// <summary>Highest threat score ever stored for this device, 0 to 10; 0 without connections. Kept by the database.</summary>
    public float MaxThreatScore { get; private set; }

    /// <summary>
    /// Time of the latest threat (<see cref="ThreatScale.IsThreat"/>), UTC, never past the database's clock; null without
    /// one. Kept by the database.
    /// </summary>
    public DateTimeOffset? LastThreat { get; private set; }

    /// <summary>
    /// Whether the MAC address is locally administered, as randomised addresses are. Computed by the database.
    /// </summary>
    public bool IsLocallyAdministered { get; private set; }

    /// <summary>The destination addresses this device ever reached.</summary>
    public ICollection<DeviceDestination> Destinations { get; } = [];
}
