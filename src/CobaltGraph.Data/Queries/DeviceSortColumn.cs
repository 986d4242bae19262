namespace CobaltGraph.Data.Queries;

/// <summary>What a list of devices is sorted by.</summary>
public enum DeviceSortColumn
{
    /// <summary>MAC address: <c>mac</c>.</summary>
    MacAddress = 0,

    /// <summary>Primary address, IPv4 before IPv6: <c>address</c>.</summary>
    IpAddress = 1,

    /// <summary>Vendor: <c>vendor</c>.</summary>
    Vendor = 2,

    /// <summary>Type: <c>type</c>.</summary>
    DeviceType = 3,

    /// <summary>Host name: <c>hostname</c>.</summary>
    Hostname = 4,

    /// <summary>Presence, in the order discovered, active, idle, offline: <c>status</c>.</summary>
    Status = 5,

    /// <summary>First time seen: <c>first-seen</c>.</summary>
    FirstSeen = 6,

    /// <summary>Last time seen: <c>last-seen</c>.</summary>
    LastSeen = 7,

    /// <summary>Connections ever stored: <c>connections</c>.</summary>
    ConnectionCount = 8,

    /// <summary>Threats ever stored: <c>threats</c>.</summary>
    ThreatCount = 9,

    /// <summary>The device's threat score: <c>threat-score</c>.</summary>
    ThreatScore = 10,

    /// <summary>Highest threat score of a single connection: <c>max-score</c>.</summary>
    MaxThreatScore = 11,

    /// <summary>Latest threat: <c>last-threat</c>.</summary>
    LastThreat = 12,

    /// <summary>Latest traffic: <c>last-activity</c>.</summary>
    LastActivity = 13,

    /// <summary>Confidence of the device's type, 0 to 1: <c>confidence</c>.</summary>
    ConfidenceScore = 14,
}
