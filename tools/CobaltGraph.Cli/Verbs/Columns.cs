using System.Globalization;
using CobaltGraph.Cli.Terminal;
using CobaltGraph.Data.Queries;
using CobaltGraph.Model;

namespace CobaltGraph.Cli.Verbs;

/// <summary>The columns of each entity, wherever it is listed.</summary>
internal static class Columns
{
    public static readonly IReadOnlyList<Column<Model.Device>> Devices =
    [
        new("mac_address", "MAC", d => d.MacAddress),
        new("ip_address", "IP", d => d.IpAddress),
        new("vendor", "Vendor", d => d.Vendor) { Spare = 1 },
        new("device_type", "Type", d => d.DeviceType) { Spare = 3 },
        new("hostname", "Host name", d => d.Hostname) { Spare = 2 },
        new("status", "Status", d => d.Status, d => StyleOf(d.Status)),
        new("first_seen", "First seen (UTC)", d => d.FirstSeen) { ProgramsOnly = true },
        new("last_seen", "Last seen (UTC)", d => d.LastSeen),
        new("last_activity", "Last activity (UTC)", d => d.LastActivity) { ProgramsOnly = true },
        new("connection_count", "Connections", d => d.ConnectionCount) { Right = true, Spare = 4 },
        new("threat_count", "Threats", d => d.ThreatCount, d => d.ThreatCount > 0 ? "red" : null) { Right = true },
        new("confidence_score", "Confidence", d => d.ConfidenceScore) { ProgramsOnly = true },
        new("is_locally_administered", "Randomised", d => d.IsLocallyAdministered) { ProgramsOnly = true },
    ];

    public static readonly IReadOnlyList<Column<DeviceListItem>> DeviceList =
    [
        new("mac_address", "MAC", d => d.MacAddress),
        new("ip_address", "IP", d => d.IpAddress),
        new("vendor", "Vendor", d => d.Vendor) { Spare = 1 },
        new("device_type", "Type", d => d.DeviceType) { Spare = 3 },
        new("hostname", "Host name", d => d.Hostname) { Spare = 2 },
        new("status", "Status", d => d.Status, d => StyleOf(d.Status)),
        new("first_seen", "First seen (UTC)", d => d.FirstSeen) { ProgramsOnly = true },
        new("last_seen", "Last seen (UTC)", d => d.LastSeen),
        new("last_activity", "Last activity (UTC)", d => d.LastActivity) { ProgramsOnly = true },
        new("connection_count", "Connections", d => d.ConnectionCount) { Right = true, Spare = 4 },
        new("threat_count", "Threats", d => d.ThreatCount, d => d.ThreatCount > 0 ? "red" : null) { Right = true },
        new("confidence_score", "Confidence", d => d.ConfidenceScore) { ProgramsOnly = true },
        new("is_locally_administered", "Randomised", d => d.IsLocallyAdministered) { ProgramsOnly = true },
        new("threat_score", "Threat score", d => d.ThreatScore) { ProgramsOnly = true },
        new("threat_level", "Level", d => d.ThreatLevel, d => StyleOf(d.ThreatLevel)) { Spare = 5 },
        new("max_threat_score", "Highest score", d => d.MaxThreatScore) { ProgramsOnly = true },
        new("last_threat", "Last threat (UTC)", d => d.LastThreat) { ProgramsOnly = true },
    ];

    public static readonly IReadOnlyList<Column<Model.Connection>> Connections =
    [
        new("id", "Id", c => c.Id) { ProgramsOnly = true },
        new("timestamp", "Time (UTC)", c => c.Timestamp),
        new("src_mac", "Device", c => c.SrcMac),
        new("src_ip", "Source", c => c.SrcIp) { Spare = 5 },
        new("src_port", "Port", c => c.SrcPort) { ProgramsOnly = true },
        new("dst_ip", "Destination", c => c.DstIp),
        new("dst_port", "Port", c => c.DstPort)
        {
            Right = true,
            Display = c => c.DstPort.ToString(CultureInfo.InvariantCulture),
        },
        new("protocol", "Protocol", c => c.Protocol) { Spare = 4 },
        new("dst_country", "Country", c => c.DstCountry) { Spare = 3 },
        new("dst_org", "Organisation", c => c.DstOrg) { ProgramsOnly = true },
        new("dst_hostname", "Host name", c => c.DstHostname) { Spare = 2 },
        new("threat_score", "Score", c => c.ThreatScore, c => StyleOf(c.ThreatScore)) { Right = true },
        new("threat_level", "Level", c => ThreatScale.LevelOf(c.ThreatScore)) { ProgramsOnly = true },
        new("threat_category", "Category", c => c.ThreatCategory) { Spare = 1 },
        new("bytes_sent", "Sent", c => c.BytesSent) { Right = true, Spare = 7 },
        new("bytes_received", "Received", c => c.BytesReceived) { Right = true, Spare = 6 },
        new("duration_seconds", "Duration", c => c.Duration) { Right = true, ProgramsOnly = true },
        new("metadata", "Metadata", c => Metadata.ToJson(c.Metadata)) { ProgramsOnly = true },
    ];

    public static readonly IReadOnlyList<Column<DeviceEvent>> Events =
    [
        new("id", "Id", e => e.Id) { ProgramsOnly = true },
        new("timestamp", "Time (UTC)", e => e.Timestamp),
        new("device_mac", "Device", e => e.DeviceMac),
        new("event_type", "Event", e => e.EventType, e => StyleOf(e.EventType)),
        new("old_value", "Before", e => e.OldValue),
        new("new_value", "After", e => e.NewValue),
        new("metadata", "Metadata", e => Metadata.ToJson(e.Metadata)) { ProgramsOnly = true },
    ];

    /// <summary>The end of what may still last: null while it does.</summary>
    public static DateTimeOffset? EndOf(DateTimeOffset end) => end == DateTimeOffset.MaxValue ? null : end;

    public static string ShowEnd(DateTimeOffset end) => EndOf(end) is { } ended ? Cell.Display(ended) : "still";

    public static string? StyleOf(DeviceStatus status) => status switch
    {
        DeviceStatus.Active => "green",
        DeviceStatus.Idle => "yellow",
        DeviceStatus.Offline => "dim",
        _ => null,
    };

    public static string? StyleOf(DeviceThreatLevel level) => level switch
    {
        DeviceThreatLevel.High => "red",
        DeviceThreatLevel.Medium => "yellow",
        _ => null,
    };

    public static string? StyleOf(float score) => ThreatScale.LevelOf(score) switch
    {
        ThreatLevel.Critical => "red",
        ThreatLevel.High => "yellow",
        _ => null,
    };

    private static string? StyleOf(DeviceEventType type) => type switch
    {
        DeviceEventType.ThreatDetected => "red",
        DeviceEventType.Active => "green",
        DeviceEventType.Offline or DeviceEventType.Removed => "dim",
        _ => null,
    };
}
