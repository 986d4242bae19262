using System.Net;
using System.Net.NetworkInformation;

namespace CobaltGraph.Benchmarks.Queries;

// What Dapper makes of a row, in the types of the driver.
#pragma warning disable CA1812 // Made by Dapper.

/// <summary>A device with what lists and rankings add to it.</summary>
internal sealed class MappedDevice
{
    public PhysicalAddress? MacAddress { get; set; }

    public IPAddress? IpAddress { get; set; }

    public string? Vendor { get; set; }

    public string? DeviceType { get; set; }

    public string? Hostname { get; set; }

    public string? Status { get; set; }

    public DateTime FirstSeen { get; set; }

    public DateTime LastSeen { get; set; }

    public DateTime LastActivity { get; set; }

    public float ConfidenceScore { get; set; }

    public long ConnectionCount { get; set; }

    public long ThreatCount { get; set; }

    public long ThreatScore { get; set; }

    public float MaxThreatScore { get; set; }

    public DateTime? LastThreat { get; set; }

    public bool IsLocallyAdministered { get; set; }

    public string? Metadata { get; set; }

    public long Total { get; set; }

    public long UniqueDestinations { get; set; }

    public DateTime? LastConnection { get; set; }

    public string? Source { get; set; }

    public IPAddress? DstIp { get; set; }

    public bool IsNewToAll { get; set; }

    public decimal BytesSent { get; set; }

    public decimal BytesReceived { get; set; }

    public long MalwareCount { get; set; }

    public long C2Count { get; set; }

    public long SuspiciousGeoCount { get; set; }

    public long ProxyCount { get; set; }

    public long OtherCount { get; set; }

    public string? ThreatLevel { get; set; }

    public long DeviceCount { get; set; }

    public decimal? Bytes { get; set; }
}
