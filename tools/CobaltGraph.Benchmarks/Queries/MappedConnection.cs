using System.Net;
using System.Net.NetworkInformation;

namespace CobaltGraph.Benchmarks.Queries;

// What Dapper makes of a row, in the types of the driver.
#pragma warning disable CA1812 // Made by Dapper.

/// <summary>A connection.</summary>
internal sealed class MappedConnection
{
    public long Id { get; set; }

    public DateTime Timestamp { get; set; }

    public PhysicalAddress? SrcMac { get; set; }

    public IPAddress? SrcIp { get; set; }

    public int? SrcPort { get; set; }

    public IPAddress? DstIp { get; set; }

    public int DstPort { get; set; }

    public string? Protocol { get; set; }

    public string? DstCountry { get; set; }

    public float? DstLat { get; set; }

    public float? DstLon { get; set; }

    public string? DstOrg { get; set; }

    public string? DstHostname { get; set; }

    public float ThreatScore { get; set; }

    public string? ThreatCategory { get; set; }

    public long? BytesSent { get; set; }

    public long? BytesReceived { get; set; }

    public TimeSpan? Duration { get; set; }

    public string? Metadata { get; set; }
}
