using CobaltGraph.Cli.Terminal;
using CobaltGraph.Cli.Verbs.Paging;
using CobaltGraph.Data.Queries;
using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;

namespace CobaltGraph.Cli.Verbs.Threats;

internal static class ThreatsVerb
{
    private static readonly DeviceSort ByScore = new(DeviceSortColumn.ThreatScore, Descending: true);

    private static readonly IReadOnlyList<Column<(DeviceListItem Device, DeviceThreats? Threats)>> ThreatColumns =
    [
        new("mac_address", "MAC", d => d.Device.MacAddress),
        new("ip_address", "IP", d => d.Device.IpAddress) { Spare = 2 },
        new("hostname", "Host name", d => d.Device.Hostname) { Spare = 1 },
        new("threat_score", "Score", d => d.Device.ThreatScore) { Right = true },
        new("threat_level", "Level", d => d.Device.ThreatLevel, d => Columns.StyleOf(d.Device.ThreatLevel)),
        new("malware_count", "Malware", d => d.Threats?.MalwareCount) { Right = true },
        new("c2_count", "C2", d => d.Threats?.C2Count) { Right = true },
        new("suspicious_geo_count", "Geography", d => d.Threats?.SuspiciousGeoCount) { Right = true },
        new("proxy_count", "Proxy", d => d.Threats?.ProxyCount) { Right = true },
        new("other_count", "Other", d => d.Threats?.OtherCount) { Right = true, Spare = 4 },
        new("threat_count", "Threats", d => d.Device.ThreatCount) { Right = true, Spare = 3 },
        new("max_threat_score", "Highest", d => d.Device.MaxThreatScore, d => Columns.StyleOf(d.Device.MaxThreatScore)) { Right = true, Spare = 5 },
        new("last_threat", "Last threat (UTC)", d => d.Device.LastThreat) { Spare = 6 },
    ];

    public static VerbCommand Create(CliHost host)
    {
        var filters = new DeviceFilterOptions(host);
        var paging = new PageOptions(filters.Times);

        var verb = new VerbCommand(
            "threats",
            "List devices by threat score, the highest first, with their connections by threat category.",
            "cobaltgraph threats --level medium,high",
            "cobaltgraph threats --type iot --seen-since 7d",
            "cobaltgraph threats --limit 10 --json");
        filters.AddTo(verb);
        paging.AddTo(verb);
        verb.Add(CommonOptions.Json);
        verb.Add(CommonOptions.Connection);
        verb.OnRun(host, async (call, cancellationToken) =>
        {
            var page = paging.Begin(call);
            var filter = filters.Read(call.Parse, page.Time);
            await using var database = await call.OpenDatabaseAsync(cancellationToken);
            await using var source = await page.OpenAsync(database, cancellationToken);
            var queries = new DeviceQueries(source, page.QueryOptions);
            RowCount? total = null;
            var rows = page.Rows<(DeviceListItem, DeviceThreats?)>(async request =>
            {
                var devices = await queries.ListAsync(filter, ByScore, request, cancellationToken);
                total = devices.Total;
                var shown = devices.Items.Select(device => device.MacAddress).ToArray();
                await using var context = source.CreateDbContext();
                var threats = await context.DeviceThreats.Where(t => shown.Contains(t.MacAddress))
                    .ToDictionaryAsync(t => t.MacAddress, cancellationToken);
                return new Page<(DeviceListItem, DeviceThreats?)>
                {
                    // Null for a device that was removed in between.
                    Items = [.. devices.Items.Select(device => (device, threats.GetValueOrDefault(device.MacAddress)))],
                    Next = devices.Next,
                    Previous = devices.Previous,
                };
            });
            using var answer = call.BeginAnswer();
            await page.WriteAsync(answer, "threats", "Devices by threat score", ThreatColumns, rows, () => total, cancellationToken);
            return ExitCode.Done;
        });
        return verb;
    }
}
