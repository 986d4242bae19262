using System.Net;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Queries;

/// <summary>A first contact of a device with a destination.</summary>
public sealed record NewDestination
{
    /// <summary>The device.</summary>
    public MacAddress SrcMac { get; init; }

    /// <summary>The destination.</summary>
    public IPAddress DstIp { get; init; } = IPAddress.None;

    /// <summary>First contact, UTC.</summary>
    public DateTimeOffset FirstSeen { get; init; }

    /// <summary>Latest contact, UTC.</summary>
    public DateTimeOffset LastSeen { get; init; }

    /// <summary>Connections stored since.</summary>
    public long ConnectionCount { get; init; }

    /// <summary>Threats (<see cref="ThreatScale.IsThreat"/>) among them.</summary>
    public long ThreatCount { get; init; }

    /// <summary>Highest threat score among them, 0 to 10.</summary>
    public float MaxThreatScore { get; init; }

    /// <summary>Whether no other device had reached the destination before the time that was asked for.</summary>
    public bool IsNewToAll { get; init; }
}
