using CobaltGraph.Model;

namespace CobaltGraph.Data.Queries;

/// <summary>A device that talks to a destination.</summary>
public sealed record DestinationContact
{
    /// <summary>The device.</summary>
    public MacAddress MacAddress { get; init; }

    /// <summary>Its host name.</summary>
    public string? Hostname { get; init; }

    /// <summary>Its manufacturer.</summary>
    public string? Vendor { get; init; }

    /// <summary>First contact, UTC.</summary>
    public DateTimeOffset FirstSeen { get; init; }

    /// <summary>Latest contact, UTC.</summary>
    public DateTimeOffset LastSeen { get; init; }

    /// <summary>Connections ever stored from the device to the destination.</summary>
    public long ConnectionCount { get; init; }

    /// <summary>Threats (<see cref="ThreatScale.IsThreat"/>) among them.</summary>
    public long ThreatCount { get; init; }

    /// <summary>Highest threat score among them, 0 to 10.</summary>
    public float MaxThreatScore { get; init; }
}
