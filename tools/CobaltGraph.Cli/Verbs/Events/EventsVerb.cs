using System.CommandLine;
using CobaltGraph.Cli.Terminal;
using CobaltGraph.Model;

namespace CobaltGraph.Cli.Verbs.Events;

internal static class EventsVerb
{
    private static readonly Dictionary<string, DeviceEventType> Types =
        Enum.GetValues<DeviceEventType>().ToDictionary(type => Cell.Name(type));

    public static VerbCommand Create(CliHost host)
    {
        var device = new Option<MacAddress?>("--device")
        {
            HelpName = "MAC",
            Description = "Only events of this device, which may have been removed since.",
            CustomParser = MacArgument.Parse,
        };
        var type = new Option<string[]>("--type")
        {
            HelpName = "type",
            Description = $"Only events of this type: {string.Join(", ", Types.Keys)}; may be given more than once.",
        };
        type.AcceptOnlyFromAmong([.. Types.Keys]);
        var since = CommonOptions.Time(host, "--since", "Only events from this time on.");
        var limit = CommonOptions.Limit(50);

        var verb = new VerbCommand(
            "events",
            "List device events, the latest first.",
            "cobaltgraph events --type threat_detected --type ip_changed --since 7d",
            "cobaltgraph events --device 02:00:5e:10:00:01 --json");
        verb.Add(device);
        verb.Add(type);
        verb.Add(since);
        verb.Add(limit);
        verb.Add(CommonOptions.Json);
        verb.Add(CommonOptions.Connection);
        verb.OnRun(host, async (call, cancellationToken) =>
        {
            await using var database = await call.OpenDatabaseAsync(cancellationToken);
            await using var context = database.NewContext();
            var parse = call.Parse;
            IQueryable<DeviceEvent> query = context.DeviceEvents;
            if (parse.GetValue(device) is { } mac) query = query.Where(e => e.DeviceMac == mac);
            if (parse.GetValue(type) is { Length: > 0 } names)
            {
                var types = names.Select(name => Types[name]).ToArray();
                query = query.Where(e => types.Contains(e.EventType));
            }

            if (parse.GetValue(since) is { } from) query = query.Where(e => e.Timestamp >= from);

            return await Listing.WriteAsync(
                call, "events", "Events", Columns.Events,
                query.OrderByDescending(e => e.Timestamp).ThenByDescending(e => e.Id),
                parse.GetValue(limit), cancellationToken);
        });
        return verb;
    }
}
