using CobaltGraph.Model;

namespace CobaltGraph.Data.Queries;

/// <summary>A device and its traffic in a range of time.</summary>
public sealed record TopTalker
{
    /// <summary>The device.</summary>
    public MacAddress MacAddress { get; init; }

    /// <summary>Its host name.</summary>
    public string? Hostname { get; init; }

    /// <summary>Its manufacturer.</summary>
    public string? Vendor { get; init; }

    /// <summary>Connections.</summary>
    public long ConnectionCount { get; init; }

    /// <summary>Threats (<see cref="ThreatScale.IsThreat"/>) among them.</summary>
    public long ThreatCount { get; init; }

    /// <summary>Bytes from the device; connections of unknown size count as 0.</summary>
    public decimal BytesSent { get; init; }

    /// <summary>Bytes to the device; connections of unknown size count as 0.</summary>
    public decimal BytesReceived { get; init; }
}
