using System.Net;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Queries;

/// <summary>How common a destination is among the devices.</summary>
public sealed record DestinationPrevalence
{
    /// <summary>The address.</summary>
    public IPAddress DstIp { get; init; } = IPAddress.None;

    /// <summary>Devices that ever reached it.</summary>
    public long DeviceCount { get; init; }

    /// <summary>Connections ever stored to it from known devices.</summary>
    public long ConnectionCount { get; init; }

    /// <summary>Threats (<see cref="ThreatScale.IsThreat"/>) among them.</summary>
    public long ThreatCount { get; init; }

    /// <summary>First contact of any device, UTC; null when no device ever reached it.</summary>
    public DateTimeOffset? FirstSeen { get; init; }

    /// <summary>Latest contact of any device, UTC; null when no device ever reached it.</summary>
    public DateTimeOffset? LastSeen { get; init; }
}
