using System.Net;
using CobaltGraph.Model;

namespace CobaltGraph.Reliability.Audit;

/// <summary>
/// What the contract says must follow from connections, in memory and without SQL: a second opinion on the triggers.
/// For rows whose times are past by more than an hour, and devices that nothing but connections made known.
/// </summary>
public sealed class NetworkModel
{
    // CONTRACT.md §2, rule 4, once more on purpose.
    private const float Threat = 7.0f;

    private readonly List<Connection> _rows = [];
    private readonly Dictionary<MacAddress, Totals> _devices = [];
    private readonly Dictionary<(MacAddress Mac, IPAddress Ip), Totals> _destinations = [];

    /// <summary>Rows so far.</summary>
    public int Rows => _rows.Count;

    /// <summary>Adds rows that are stored once.</summary>
    /// <param name="rows">The rows.</param>
    public void Add(IEnumerable<Connection> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        foreach (var row in rows)
        {
            _rows.Add(row);
            if (row.SrcMac is not { } mac)
                continue;
            _devices[mac] = _devices.GetValueOrDefault(mac).With(row);
            _destinations[(mac, row.DstIp)] = _destinations.GetValueOrDefault((mac, row.DstIp)).With(row);
        }
    }

    /// <summary>What the database must hold.</summary>
    public ContentLines Contents()
    {
        var lines = new ContentLines();
        foreach (var row in _rows)
        {
            lines.Add(
                "connection", row.Metadata.Uid, row.Timestamp, row.SrcMac, row.SrcIp, row.SrcPort, row.DstIp, row.DstPort,
                row.Protocol ?? "TCP", row.DstCountry, row.DstLat, row.DstLon, row.DstOrg, row.DstHostname, row.ThreatScore,
                row.ThreatCategory, row.BytesSent, row.BytesReceived, row.Duration, row.Metadata.Service, "{}");
        }

        foreach (var (mac, all) in _devices)
        {
            lines.Add(
                "device", mac, null, null, null, null, all.First, all.Last, all.Last, "discovered", 0f, "{}", all.Connections,
                all.Threats);
            lines.Add("event", mac, "discovered", null, "discovered", "{}");
        }

        foreach (var ((mac, ip), all) in _destinations)
        {
            lines.Add("destination", mac, ip, all.First, all.Last, all.Connections, all.Threats, all.MaxScore);
            if (all.Threats > 0)
                lines.Add("event", mac, "threat_detected", null, ip, "{}");
        }

        return lines;
    }

    private readonly record struct Totals(DateTimeOffset First, DateTimeOffset Last, long Connections, long Threats, float MaxScore)
    {
        public Totals With(Connection row) => new(
            Connections == 0 || row.Timestamp < First ? row.Timestamp : First,
            row.Timestamp > Last ? row.Timestamp : Last,
            Connections + 1,
            Threats + (row.ThreatScore >= Threat ? 1 : 0),
            Math.Max(MaxScore, row.ThreatScore));
    }
}
