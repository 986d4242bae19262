using System.CommandLine;
using System.Globalization;
using CobaltGraph.Cli.Database;
using CobaltGraph.Cli.Terminal;
using CobaltGraph.Cli.Verbs.Paging;
using CobaltGraph.Data.Queries;
using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;

namespace CobaltGraph.Cli.Verbs.Device;

internal static class DeviceVerb
{
    public static VerbCommand Create(CliHost host)
    {
        var macArgument = new Argument<MacAddress?>("mac")
        {
            HelpName = "MAC",
            Description = "The device's MAC address, in any common notation.",
            Arity = ArgumentArity.ExactlyOne,
            CustomParser = MacArgument.Parse,
        };
        var limit = CommonOptions.Number(
            "--limit", "rows", 20, 1, DeviceDetailRequest.MaxEntries,
            $"Show at most this many of each list, 1 to {DeviceDetailRequest.MaxEntries}.");

        var from = CommonOptions.Time(host, "--from", "Show activity by hour from this time on; 7 days before its end unless given.");
        var until = CommonOptions.Time(host, "--until", "Show activity by hour before this time; until now unless given.");

        var verb = new VerbCommand(
            "device",
            "Show one device: its details, threats, addresses, destinations, events and latest connections. Exit code 2 if there is none.",
            "cobaltgraph device 02:00:5e:10:00:01",
            "cobaltgraph device 0200.5e10.0001 --limit 100 --json");
        verb.Add(macArgument);
        verb.Add(limit);
        verb.Add(from);
        verb.Add(until);
        verb.Add(CommonOptions.Json);
        verb.Add(CommonOptions.Connection);
        verb.OnRun(host, async (call, cancellationToken) =>
        {
            var mac = call.Parse.GetValue(macArgument)!.Value;
            var most = call.Parse.GetValue(limit);
            var cursors = new CursorSigner(call);
            await using var database = await call.OpenDatabaseAsync(cancellationToken);
            var queries = new DeviceDetailQueries(database, cursors.QueryOptions, host.Clock);
            var request = new DeviceDetailRequest
            {
                From = call.Parse.GetValue(from),
                Until = call.Parse.GetValue(until),
                Top = most,
                Addresses = most,
                Events = most,
                Connections = most,
            };
            var detail = await queries.FindAsync(mac, request, cancellationToken)
                ?? throw await NotThereAsync(database, mac, cancellationToken);

            using var answer = call.BeginAnswer();
            Write(answer, detail, request.CountedDestinations, activity: host.OutputIsTerminal && !call.Json ? most : int.MaxValue);
            var next = cursors.Sign(detail.Connections.Next);
            if (call.Json) answer.Value("connections_next", "", next);
            answer.End();
            if (detail.Connections.Next is not null)
            {
                host.Notice(next is null
                    ? $"There are more connections: cobaltgraph connections --device {mac}"
                    : $"There are more connections: cobaltgraph connections --device {mac} --cursor {next}");
            }

            return ExitCode.Done;
        });
        return verb;
    }

    private static async Task<CliException> NotThereAsync(
        DatabaseSession database, MacAddress mac, CancellationToken cancellationToken)
    {
        // The trail outlives its device.
        await using var context = database.NewContext();
        var trail = await context.DeviceEvents.AnyAsync(e => e.DeviceMac == mac, cancellationToken);
        return new CliException(
            ExitCode.NotAsWanted,
            $"There is no device {mac}.",
            trail ? $"There was one; its trail is kept: cobaltgraph events --device {mac}" : null);
    }

    private static void Write(Answer answer, DeviceDetail detail, int counted, int activity)
    {
        answer.Group("device", "Device", () =>
        {
            foreach (var column in Columns.Devices) answer.Value(column.Key, column.Title, column.Value(detail.Device));
            answer.Value("metadata", "Metadata", Metadata.ToJson(detail.Device.Metadata));
        });
        answer.Group("summary", "Summary", () =>
        {
            answer.Value("unique_destinations", "Destinations", detail.Summary.UniqueDestinations);
            answer.Value("last_connection", "Last connection (UTC)", detail.Summary.LastConnection);
        });
        answer.Group("threats", "Threats", () =>
        {
            var threats = detail.Threats;
            answer.Value("threat_score", "Threat score", threats.ThreatScore);
            answer.Value("threat_level", "Threat level", threats.ThreatLevel);
            answer.Value("malware_count", "Malware", threats.MalwareCount);
            answer.Value("c2_count", "C2", threats.C2Count);
            answer.Value("suspicious_geo_count", "Suspicious geography", threats.SuspiciousGeoCount);
            answer.Value("proxy_count", "Proxy", threats.ProxyCount);
            answer.Value("other_count", "Other categories", threats.OtherCount);
            answer.Value("max_threat_score", "Highest score", threats.MaxThreatScore);
            answer.Value("last_threat", "Last threat (UTC)", threats.LastThreat);
        });
        answer.Table("addresses", "Addresses", DeviceColumns.Addresses, detail.Addresses);
        answer.Table("events", "Events", Columns.Events, detail.Events);
        answer.Table("activity", "Latest hours", DeviceColumns.Activity, detail.Activity.OrderBy(a => a.Hour).TakeLast(activity));
        answer.Table("destinations", "Destinations", DeviceColumns.Destinations, detail.Destinations);
        var most = detail.Summary.UniqueDestinations > counted
            ? string.Create(CultureInfo.InvariantCulture, $" of the {counted:N0} most used destinations") : " of its destinations";
        answer.Table("ports", "Ports" + most, DeviceColumns.Ports, detail.Ports);
        answer.Table("countries", "Countries" + most, DeviceColumns.Countries, detail.Countries);
        answer.Table("connections", "Latest connections", Columns.Connections, detail.Connections.Items);
    }
}
