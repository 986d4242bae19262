using System.Net;

namespace CobaltGraph.Model;

/// <summary>
/// One observed connection. Append-only: a stored connection is never edited, only dropped by retention.
/// </summary>
public class Connection
{
    /// <summary>From a sequence; left at 0, the database assigns it. Gaps carry no meaning.</summary>
    public long Id { get; set; }

    /// <summary>
    /// Event time, UTC, finite; left at its default, the database sets its own time. Part of the key, because the
    /// table is partitioned by it.
    /// </summary>
    public DateTimeOffset Timestamp { get; set; }

    /// <summary>
    /// The device that opened the connection, or null when it is not known. A device that is not stored yet is created
    /// with the connection. Must be able to be a device (<see cref="MacAddress.IsDevice"/>).
    /// </summary>
    public MacAddress? SrcMac { get; set; }

    /// <summary>Source address.</summary>
    public IPAddress? SrcIp { get; set; }

    /// <summary>Source port, 0 to 65535.</summary>
    public int? SrcPort { get; set; }

    /// <summary>Destination address.</summary>
    public IPAddress DstIp { get; set; } = IPAddress.None;

    /// <summary>Destination port, 0 to 65535; for ICMP its code.</summary>
    public int DstPort { get; set; }

    /// <summary>TCP, UDP, ICMP, …; at most 10 characters. Left null, the database stores TCP.</summary>
    public string? Protocol { get; set; }

    /// <summary>ISO 3166-1 alpha-2 code of the destination's country.</summary>
    public string? DstCountry { get; set; }

    /// <summary>Latitude of the destination in degrees, −90 to 90.</summary>
    public float? DstLat { get; set; }

    /// <summary>Longitude of the destination in degrees, −180 to 180.</summary>
    public float? DstLon { get; set; }

    /// <summary>Organisation that owns the destination address, at most 255 characters.</summary>
    public string? DstOrg { get; set; }

    /// <summary>Host name of the destination, at most 255 characters.</summary>
    public string? DstHostname { get; set; }

    /// <summary>0 (harmless) to 10 (certain threat); see <see cref="ThreatScale"/>.</summary>
    public float ThreatScore { get; set; }

    /// <summary>malware, c2, proxy, suspicious_geo, …; at most 50 characters.</summary>
    public string? ThreatCategory { get; set; }

    /// <summary>Payload bytes from source to destination; null when unknown.</summary>
    public long? BytesSent { get; set; }

    /// <summary>Payload bytes from destination to source; null when unknown.</summary>
    public long? BytesReceived { get; set; }

    /// <summary>How long the connection lasted; null when unknown.</summary>
    public TimeSpan? Duration { get; set; }

    /// <summary>DNS, threat source, service, state and anything else. Keys this library does not know are kept.</summary>
    public ConnectionMetadata Metadata { get; set; } = new();

    /// <summary>The device that opened the connection.</summary>
    public Device? Device { get; set; }
}
