using System.Net;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Queries;

/// <summary>A device in a list.</summary>
public sealed class DeviceListItem
{
    /// <summary>The device.</summary>
    public MacAddress MacAddress { get; init; }

    /// <summary>Current primary address.</summary>
    public IPAddress? IpAddress { get; init; }

    /// <summary>Manufacturer from the OUI registry.</summary>
    public string? Vendor { get; init; }

    /// <summary>router, desktop, mobile, iot, server, … or unknown.</summary>
    public string? DeviceType { get; init; }

    /// <summary>Host name as the device gave it.</summary>
    public string? Hostname { get; init; }

    /// <summary>Presence on the network.</summary>
    public DeviceStatus Status { get; init; }

    /// <summary>First time the device was seen, UTC.</summary>
    public DateTimeOffset FirstSeen { get; init; }

    /// <summary>Last time the device was seen, UTC.</summary>
    public DateTimeOffset LastSeen { get; init; }

    /// <summary>Last time the device sent traffic, UTC.</summary>
    public DateTimeOffset LastActivity { get; init; }

    /// <summary>Connections ever stored for the device.</summary>
    public long ConnectionCount { get; init; }

    /// <summary>Threats ever stored for the device.</summary>
    public long ThreatCount { get; init; }

    /// <summary>The device's threat score, see <see cref="DeviceThreatScale"/>; 0 or more.</summary>
    public long ThreatScore { get; init; }

    /// <summary>Band of <see cref="ThreatScore"/>.</summary>
    public DeviceThreatLevel ThreatLevel => DeviceThreatScale.LevelOf(ThreatScore);

    /// <summary>Highest threat score of a single connection, 0 to 10.</summary>
    public float MaxThreatScore { get; init; }

    /// <summary>Time of the latest threat, UTC; null without one.</summary>
    public DateTimeOffset? LastThreat { get; init; }

    /// <summary>Whether the MAC address is locally administered, as randomised ones are.</summary>
    public bool IsLocallyAdministered { get; init; }

    /// <summary>How sure the classification (vendor, type) is: 0 (a guess) to 1 (certain).</summary>
    public float ConfidenceScore { get; init; }

    /// <summary>Notes, tags and anything else that is known of the device.</summary>
    public DeviceMetadata Metadata { get; init; } = new();
}
