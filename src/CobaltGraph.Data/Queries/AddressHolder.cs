using System.Net;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Queries;

/// <summary>A device that held an address at a time.</summary>
public sealed record AddressHolder
{
    /// <summary>The device. It may no longer exist: what addresses it held outlives it.</summary>
    public MacAddress MacAddress { get; init; }

    /// <summary>The address.</summary>
    public IPAddress IpAddress { get; init; } = IPAddress.None;

    /// <summary>What says so. <see cref="AddressSource.Traffic"/> is no claim: a router forwards for others.</summary>
    public AddressSource Source { get; init; }

    /// <summary>First observation of the binding, UTC.</summary>
    public DateTimeOffset FirstSeen { get; init; }

    /// <summary>
    /// Last observation of the binding, UTC; <see cref="DateTimeOffset.MaxValue"/> while an <see cref="AddressSource.Update"/>
    /// still stands.
    /// </summary>
    public DateTimeOffset LastSeen { get; init; }

    /// <summary>
    /// Whether the binding was observed before or at, and at or after the time. Otherwise it ended before the time by no more than
    /// <see cref="DeviceAddress.Lapse"/>, and nothing else is known of it.
    /// </summary>
    public bool Covers { get; init; }
}
