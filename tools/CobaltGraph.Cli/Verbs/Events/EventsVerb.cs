using CobaltGraph.Cli.Terminal;
using CobaltGraph.Cli.Verbs.Paging;
using CobaltGraph.Data.Queries;
using CobaltGraph.Model;

namespace CobaltGraph.Cli.Verbs.Events;

internal static class EventsVerb
{
    public static VerbCommand Create(CliHost host)
    {
        var types = string.Join(", ", Enum.GetValues<DeviceEventType>().Select(type => Cell.Name(type)));
        var fields = new FilterFields<EventFilter>(
            (filter, field, value) => filter.With(field, value),
            ("device", "MAC", "Only events of this device, which may have been removed since.", false),
            ("type", "type", $"Only events of these types: {types}.", true));
        var since = CommonOptions.Time(host, "--since", "Only events from this time on.");
        var until = CommonOptions.Time(host, "--until", "Only events before this time.");
        var paging = new PageOptions(since, until);

        var verb = new VerbCommand(
            "events",
            "List device events, the latest first.",
            "cobaltgraph events --type threat_detected,ip_changed --since 7d",
            "cobaltgraph events --device 02:00:5e:10:00:01 --json");
        foreach (var option in fields.Options) verb.Add(option);
        verb.Add(since);
        verb.Add(until);
        paging.AddTo(verb);
        verb.Add(CommonOptions.Json);
        verb.Add(CommonOptions.Connection);
        verb.OnRun(host, async (call, cancellationToken) =>
        {
            var page = paging.Begin(call);
            var filter = fields.AddTo(new EventFilter { From = page.Time(since), Until = page.Time(until) }, call.Parse);
            filter.Check();

            await using var database = await call.OpenDatabaseAsync(cancellationToken);
            await using var source = await page.OpenAsync(database, cancellationToken);
            var queries = new EventQueries(source, page.QueryOptions);
            var rows = page.Rows<DeviceEvent>(request => queries.GetEventsAsync(filter, request, cancellationToken));
            using var answer = call.BeginAnswer();
            await page.WriteAsync(answer, "events", "Events", Columns.Events, rows, total: null, cancellationToken);
            return ExitCode.Done;
        });
        return verb;
    }
}
