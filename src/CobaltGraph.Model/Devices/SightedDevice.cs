using System.Net;

namespace CobaltGraph.Model;

/// <summary>
/// What sightings say of a device, and as of when: the newest address of each family, and the times by which a sighting
/// that is stored late is told from news. Kept by the database when sightings are stored.
/// </summary>
public class SightedDevice
{
    /// <summary>The device; the key.</summary>
    public MacAddress MacAddress { get; set; }

    /// <summary>The IPv4 address seen last; null when none was.</summary>
    public IPAddress? IPv4 { get; set; }

    /// <summary>When <see cref="IPv4"/> was last seen, UTC.</summary>
    public DateTimeOffset? IPv4SeenAt { get; set; }

    /// <summary>The IPv6 address seen last; null when none was.</summary>
    public IPAddress? IPv6 { get; set; }

    /// <summary>When <see cref="IPv6"/> was last seen, UTC.</summary>
    public DateTimeOffset? IPv6SeenAt { get; set; }

    /// <summary>When the device's <see cref="Device.Hostname"/> was last seen, UTC; null when no sighting had one.</summary>
    public DateTimeOffset? HostnameSeenAt { get; set; }

    /// <summary>When the device's <see cref="Device.Vendor"/> was last seen, UTC; null when no sighting had one.</summary>
    public DateTimeOffset? VendorSeenAt { get; set; }

    /// <summary>When the device's <see cref="Device.DeviceType"/> was last seen, UTC; null when no sighting had one.</summary>
    public DateTimeOffset? DeviceTypeSeenAt { get; set; }

    /// <summary>What saw the device last: arp, dhcp, …; at most 50 characters, null when no sighting said.</summary>
    public string? Source { get; set; }

    /// <summary>When <see cref="Source"/> last saw the device, UTC.</summary>
    public DateTimeOffset? SourceSeenAt { get; set; }

    /// <summary>
    /// When each key of the device's <see cref="Device.Metadata"/> was last seen, UTC; null when no sighting had one.
    /// </summary>
    public IReadOnlyDictionary<string, DateTimeOffset>? MetadataSeenAt { get; set; }

    /// <summary>When the device's <see cref="Device.ConfidenceScore"/> was last seen, UTC; null when no sighting had one.</summary>
    public DateTimeOffset? ConfidenceSeenAt { get; set; }

    /// <summary>Whether a sighting created the device; otherwise traffic or an application did.</summary>
    public bool CreatedBySighting { get; set; }

    /// <summary>The device.</summary>
    public Device? Device { get; set; }
}
