using System.Net;

namespace CobaltGraph.Model;

/// <summary>
/// What a sensor saw of a device at one moment, by ARP, DHCP or another protocol. Storing it creates the device or adds
/// to what is known of it: a member that is null erases nothing, and of several values the one seen last holds, whatever
/// the order in which they are stored. Only the family of a primary address is that of the address stored first.
/// </summary>
public sealed record DeviceSighting
{
    /// <summary>The device: a unicast address that is not all-zero (<see cref="Model.MacAddress.IsDevice"/>).</summary>
    public required MacAddress MacAddress { get; init; }

    /// <summary>
    /// The address that the device had, IPv4 or IPv6; null, 0.0.0.0 or :: when it had none or it is not known. No address
    /// of the other family replaces the device's primary address, whenever it was seen. A device without one gets one
    /// of the family that was seen first among the sightings stored together, IPv4 when both were seen at once.
    /// </summary>
    public IPAddress? IpAddress { get; init; }

    /// <summary>Host name as the device gave it, at most 255 characters; null when it gave none.</summary>
    public string? Hostname { get; init; }

    /// <summary>Manufacturer from the OUI registry, at most 255 characters; null when not known.</summary>
    public string? Vendor { get; init; }

    /// <summary>router, desktop, mobile, iot, server, …; at most 50 characters; null when not known.</summary>
    public string? DeviceType { get; init; }

    /// <summary>When it was seen, UTC, finite; left at its default, the time at which it is stored.</summary>
    public DateTimeOffset SeenAt { get; init; }

    /// <summary>What saw it: arp, dhcp, mdns, …; at most 50 characters; null when not known.</summary>
    public string? Source { get; init; }

    /// <summary>How sure vendor and type are, 0 to 1; null when nothing is said of it.</summary>
    public float? ConfidenceScore { get; init; }

    /// <summary>
    /// What is known of the device beyond its columns; null or without a key when nothing is. Each key is a value of its own:
    /// those that are missing, or a JSON null, erase nothing. What an application set counts as older than anything seen.
    /// </summary>
    public DeviceMetadata? Metadata { get; init; }
}
