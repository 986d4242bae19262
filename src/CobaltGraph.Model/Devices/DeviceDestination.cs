using System.Net;

namespace CobaltGraph.Model;

/// <summary>
/// An edge of the graph: one device and one destination address it ever reached. Kept by the database from the
/// connections, and kept beyond them.
/// </summary>
public class DeviceDestination
{
    /// <summary>The device; part of the key.</summary>
    public MacAddress SrcMac { get; set; }

    /// <summary>The destination address; part of the key.</summary>
    public IPAddress DstIp { get; set; } = IPAddress.None;

    /// <summary>Earliest connection, UTC.</summary>
    public DateTimeOffset FirstSeen { get; set; }

    /// <summary>Latest connection, UTC, never past the database's clock.</summary>
    public DateTimeOffset LastSeen { get; set; }

    /// <summary>Connections ever stored for this pair.</summary>
    public long ConnectionCount { get; set; }

    /// <summary>Threats (<see cref="ThreatScale.IsThreat"/>) ever stored for this pair.</summary>
    public long ThreatCount { get; set; }

    /// <summary>Highest threat score ever stored for this pair, 0 to 10.</summary>
    public float MaxThreatScore { get; set; }

    /// <summary>The device.</summary>
    public Device? Device { get; set; }
}
