using CobaltGraph.Cli.Terminal;
using CobaltGraph.Data.Queries;

namespace CobaltGraph.Cli.Verbs.Destinations;

/// <summary>The columns of what is told of destinations.</summary>
internal static class DestinationColumns
{
    public static readonly IReadOnlyList<Column<DestinationContact>> Contacts =
    [
        new("mac_address", "Device", c => c.MacAddress),
        new("hostname", "Host name", c => c.Hostname) { Spare = 1 },
        new("vendor", "Vendor", c => c.Vendor) { Spare = 2 },
        new("first_seen", "First seen (UTC)", c => c.FirstSeen),
        new("last_seen", "Last seen (UTC)", c => c.LastSeen) { Spare = 3 },
        new("connection_count", "Connections", c => c.ConnectionCount) { Right = true },
        new("threat_count", "Threats", c => c.ThreatCount, c => c.ThreatCount > 0 ? "red" : null) { Right = true },
        new("max_threat_score", "Highest score", c => c.MaxThreatScore, c => Columns.StyleOf(c.MaxThreatScore)) { Right = true, Spare = 4 },
    ];

    public static readonly IReadOnlyList<Column<NewDestination>> New =
    [
        new("first_seen", "First seen (UTC)", n => n.FirstSeen),
        new("src_mac", "Device", n => n.SrcMac),
        new("dst_ip", "Destination", n => n.DstIp),
        new("last_seen", "Last seen (UTC)", n => n.LastSeen) { Spare = 2 },
        new("connection_count", "Connections", n => n.ConnectionCount) { Right = true },
        new("threat_count", "Threats", n => n.ThreatCount, n => n.ThreatCount > 0 ? "red" : null) { Right = true },
        new("max_threat_score", "Highest score", n => n.MaxThreatScore, n => Columns.StyleOf(n.MaxThreatScore)) { Right = true, Spare = 1 },
        new("is_new_to_all", "New to all", n => n.IsNewToAll),
    ];

    public static readonly IReadOnlyList<Column<TopTalker>> TopTalkers =
    [
        new("mac_address", "Device", t => t.MacAddress),
        new("hostname", "Host name", t => t.Hostname) { Spare = 1 },
        new("vendor", "Vendor", t => t.Vendor) { Spare = 2 },
        new("connection_count", "Connections", t => t.ConnectionCount) { Right = true },
        new("threat_count", "Threats", t => t.ThreatCount, t => t.ThreatCount > 0 ? "red" : null) { Right = true },
        new("bytes_sent", "Sent", t => t.BytesSent) { Right = true },
        new("bytes_received", "Received", t => t.BytesReceived) { Right = true },
    ];

    public static readonly IReadOnlyList<Column<TopDestination>> TopDestinations =
    [
        new("dst_ip", "Destination", t => t.DstIp),
        new("connection_count", "Connections", t => t.ConnectionCount) { Right = true },
        new("threat_count", "Threats", t => t.ThreatCount, t => t.ThreatCount > 0 ? "red" : null) { Right = true },
        new("bytes", "Bytes", t => t.Bytes) { Right = true },
    ];
}
