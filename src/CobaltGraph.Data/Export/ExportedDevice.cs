using System.Net;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Export;

/// <summary>What an export takes of a device, and the sightings that make it again.</summary>
internal sealed class ExportedDevice
{
    public MacAddress MacAddress { get; init; }

    public IPAddress? IpAddress { get; init; }

    public string? Hostname { get; init; }

    public string? Vendor { get; init; }

    public string? DeviceType { get; init; }

    public DateTimeOffset FirstSeen { get; init; }

    public DateTimeOffset LastSeen { get; init; }

    public string? Source { get; init; }

    public float ConfidenceScore { get; init; }

    public required DeviceMetadata Metadata { get; init; }

    // An address of the other family is left out: a new device takes the family of the address that it had earliest, which
    // need not be the one that it has as its primary now.
    public IEnumerable<DeviceSighting> Sightings()
    {
        if (FirstSeen < LastSeen)
            yield return new DeviceSighting { MacAddress = MacAddress, SeenAt = FirstSeen };
        yield return new DeviceSighting
        {
            MacAddress = MacAddress,
            IpAddress = IpAddress,
            Hostname = Hostname,
            Vendor = Vendor,
            DeviceType = DeviceType,
            SeenAt = LastSeen,
            Source = Source,
            ConfidenceScore = ConfidenceScore == 0 ? null : ConfidenceScore,
            Metadata = Metadata,
        };
    }
}
