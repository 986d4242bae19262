using System.Net;

namespace CobaltGraph.Model;

/// <summary>
/// A binding: one device, one address, from when to when. Observations of a pair that are no more than
/// <see cref="Lapse"/> apart are one binding, in whatever order they are stored. Kept by the database, and kept when the
/// device is removed.
/// </summary>
public class DeviceAddress
{
    /// <summary>
    /// How long an address counts as held after it was last seen. The database holds the same in its function
    /// <c>address_lapse()</c>.
    /// </summary>
    public static TimeSpan Lapse { get; } = TimeSpan.FromHours(24);

    /// <summary>The device; part of the key.</summary>
    public MacAddress MacAddress { get; set; }

    /// <summary>The address; part of the key.</summary>
    public IPAddress IpAddress { get; set; } = IPAddress.None;

    /// <summary>What says so; part of the key.</summary>
    public AddressSource Source { get; set; }

    /// <summary>First observation of this binding, UTC; part of the key.</summary>
    public DateTimeOffset FirstSeen { get; set; }

    /// <summary>
    /// Last observation of this binding, UTC; <see cref="DateTimeOffset.MaxValue"/> while an <see cref="AddressSource.Update"/>
    /// still stands.
    /// </summary>
    public DateTimeOffset LastSeen { get; set; }

    /// <summary>
    /// Event time of the latest connection of this binding, UTC: no earlier than <see cref="LastSeen"/>, and later where the
    /// clock of a sensor was ahead of the server's; at most the end of the year 9999. Null unless <see cref="Source"/> is <see cref="AddressSource.Traffic"/>.
    /// </summary>
    public DateTimeOffset? LatestConnection { get; set; }
}
