using System.Net;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Queries;

/// <summary>A destination and the traffic of known devices to it in a range of time.</summary>
public sealed record TopDestination
{
    /// <summary>The address.</summary>
    public IPAddress DstIp { get; init; } = IPAddress.None;

    /// <summary>Connections.</summary>
    public long ConnectionCount { get; init; }

    /// <summary>Threats (<see cref="ThreatScale.IsThreat"/>) among them.</summary>
    public long ThreatCount { get; init; }

    /// <summary>
    /// Bytes in both directions, connections of unknown size counting as 0; null where the tier does not know
    /// (<see cref="QueryTier.Edge"/>).
    /// </summary>
    public decimal? Bytes { get; init; }
}
