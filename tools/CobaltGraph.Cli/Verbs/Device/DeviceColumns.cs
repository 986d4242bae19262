using System.Globalization;
using CobaltGraph.Cli.Terminal;
using CobaltGraph.Data.Queries;
using CobaltGraph.Model;

namespace CobaltGraph.Cli.Verbs.Device;

/// <summary>The columns of what belongs to one device.</summary>
internal static class DeviceColumns
{
    public static readonly IReadOnlyList<Column<DeviceActivityHour>> Activity =
    [
        new("hour", "Hour (UTC)", a => a.Hour),
        new("connection_count", "Connections", a => a.ConnectionCount) { Right = true },
        new("threat_count", "Threats", a => a.ThreatCount, a => a.ThreatCount > 0 ? "red" : null) { Right = true },
        new("max_threat_score", "Highest score", a => a.MaxThreatScore, a => Columns.StyleOf(a.MaxThreatScore)) { Right = true },
        new("bytes_sent", "Sent", a => a.BytesSent) { Right = true },
        new("bytes_received", "Received", a => a.BytesReceived) { Right = true },
        new("destination_estimate", "Destinations, about", a => a.DestinationEstimate) { Right = true },
    ];

    public static readonly IReadOnlyList<Column<DeviceDestinationName>> Destinations =
    [
        new("dst_ip", "Destination", d => d.Contact.DstIp),
        new("first_seen", "First seen (UTC)", d => d.Contact.FirstSeen) { Spare = 2 },
        new("last_seen", "Last seen (UTC)", d => d.Contact.LastSeen),
        new("connection_count", "Connections", d => d.Contact.ConnectionCount) { Right = true },
        new("threat_count", "Threats", d => d.Contact.ThreatCount, d => d.Contact.ThreatCount > 0 ? "red" : null) { Right = true },
        new("max_threat_score", "Highest score", d => d.Contact.MaxThreatScore, d => Columns.StyleOf(d.Contact.MaxThreatScore)) { Right = true },
        new("country", "Country", d => d.Country),
        new("organization", "Organisation", d => d.Organization) { Spare = 3 },
        new("hostname", "Host name", d => d.Hostname) { Spare = 1 },
    ];

    public static readonly IReadOnlyList<Column<DeviceDestinationPort>> Ports =
    [
        new("port", "Port", p => p.Port) { Right = true, Display = p => p.Port.ToString(CultureInfo.InvariantCulture) },
        new("protocol", "Protocol", p => p.Protocol),
        new("destination_count", "Destinations", p => p.DestinationCount) { Right = true },
    ];

    public static readonly IReadOnlyList<Column<DeviceDestinationCountry>> Countries =
    [
        new("country", "Country", c => c.Country),
        new("destination_count", "Destinations", c => c.DestinationCount) { Right = true },
        new("connection_count", "Connections", c => c.ConnectionCount) { Right = true },
        new("threat_count", "Threats", c => c.ThreatCount, c => c.ThreatCount > 0 ? "red" : null) { Right = true },
    ];

    public static readonly IReadOnlyList<Column<DeviceAddress>> Addresses =
    [
        new("ip_address", "Address", a => a.IpAddress),
        new("source", "Source", a => a.Source),
        new("first_seen", "First seen (UTC)", a => a.FirstSeen),
        new("last_seen", "Last seen (UTC)", a => Columns.EndOf(a.LastSeen)) { Display = a => Columns.ShowEnd(a.LastSeen) },
    ];
}
