using System.CommandLine;
using System.Net;
using CobaltGraph.Cli.Terminal;
using CobaltGraph.Cli.Verbs.Paging;
using CobaltGraph.Data.Queries;
using CobaltGraph.Model;

namespace CobaltGraph.Cli.Verbs.Destinations;

internal static class DestinationsVerb
{
    private const string Example = "Examples: cobaltgraph destinations 203.0.113.9, cobaltgraph destinations --new-since 24h";

    public static VerbCommand Create(CliHost host)
    {
        var address = AddressArgument.Create("Show the devices that talk to this address, the first contact first.");
        var newSince = CommonOptions.Time(host, "--new-since", "Show first contacts since this time, the latest first.");
        var newToAll = new Option<bool>("--new-to-all")
        {
            Description = "With --new-since: leave out destinations that any device had reached before.",
        };
        var device = new Option<MacAddress?>("--device")
        {
            HelpName = "MAC",
            Description = "With --new-since: only first contacts of this device.",
            CustomParser = MacArgument.Parse,
        };
        var top = Choice("--top", "connections|bytes", $"Show who has the most traffic, by this. Then --limit is from 1 to {PageRequest.MaxLimit}.", "connections", "bytes");
        var of = Choice(
            "--of", "devices|destinations", "With --top: what is ranked; devices unless said otherwise.", "devices", "destinations");
        var from = CommonOptions.Time(host, "--from", "With --top: only traffic from this time on.");
        var until = CommonOptions.Time(host, "--until", "With --top: only traffic before this time.");
        var paging = new PageOptions(newSince);

        var verb = new VerbCommand(
            "destinations",
            "Show who talks to a destination, which destinations are new, or who has the most traffic.",
            "cobaltgraph destinations 203.0.113.9",
            "cobaltgraph destinations --new-since 24h --new-to-all",
            "cobaltgraph destinations --top bytes --from 7d --limit 10");
        verb.Add(address);
        verb.Add(newSince);
        verb.Add(newToAll);
        verb.Add(device);
        verb.Add(top);
        verb.Add(of);
        verb.Add(from);
        verb.Add(until);
        paging.AddTo(verb);
        verb.Add(CommonOptions.Json);
        verb.Add(CommonOptions.Connection);
        verb.OnRun(host, async (call, cancellationToken) =>
        {
            var parse = call.Parse;
            var wanted = parse.GetValue(address);
            var isNew = parse.IsGiven(newSince);
            var isTop = parse.IsGiven(top);
            if ((wanted is not null ? 1 : 0) + (isNew ? 1 : 0) + (isTop ? 1 : 0) != 1)
                throw CliException.Usage("Give one of an address, --new-since and --top.", Example);
            if (!isNew && parse.FirstGiven(newToAll, device) is { } onlyNew)
                throw CliException.Usage($"{onlyNew} goes with --new-since.");
            if (!isTop && parse.FirstGiven(of, from, until) is { } onlyTop)
                throw CliException.Usage($"{onlyTop} goes with --top.");
            if (isTop && parse.IsGiven(paging.Cursor))
                throw CliException.Usage("--cursor does not go with --top: a ranking has no pages.");

            var page = paging.Begin(call);
            await using var database = await call.OpenDatabaseAsync(cancellationToken);
            await using var source = await page.OpenAsync(database, cancellationToken);
            var queries = new DestinationQueries(source, page.QueryOptions);
            if (wanted is not null) return await WriteContactsAsync(call, queries, wanted, page, cancellationToken);
            if (isNew)
            {
                var since = page.Time(newSince)!.Value;
                var rows = page.Rows<NewDestination>(request => queries.GetNewAsync(
                    since, parse.GetValue(newToAll), parse.GetValue(device), request, cancellationToken));
                using var answer = call.BeginAnswer();
                await page.WriteAsync(
                    answer, "new_destinations", "First contacts", DestinationColumns.New, rows, total: null, cancellationToken);
                return ExitCode.Done;
            }

            var measure = parse.GetValue(top) == "bytes" ? TrafficMeasure.Bytes : TrafficMeasure.Connections;
            var (begin, end, limit) = (parse.GetValue(from), parse.GetValue(until), parse.GetValue(paging.Limit));
            if (parse.GetValue(of) == "destinations")
            {
                var destinations = await queries.GetTopDestinationsAsync(begin, end, measure, limit, cancellationToken);
                WriteRanking(call, "top_destinations", "Top destinations", DestinationColumns.TopDestinations, destinations);
            }
            else
            {
                var talkers = await queries.GetTopTalkersAsync(begin, end, measure, limit, cancellationToken);
                WriteRanking(call, "top_talkers", "Top talkers", DestinationColumns.TopTalkers, talkers);
            }

            return ExitCode.Done;
        });
        return verb;
    }

    private static Option<string?> Choice(string name, string helpName, string description, params string[] choices)
    {
        var option = new Option<string?>(name) { HelpName = helpName, Description = description };
        option.AcceptOnlyFromAmong(choices);
        return option;
    }

    private static async Task<int> WriteContactsAsync(
        VerbCall call, DestinationQueries queries, IPAddress destination, PageCall page, CancellationToken cancellationToken)
    {
        var prevalence = (await queries.GetPrevalenceAsync([destination], cancellationToken))[0];
        var rows = page.Rows<DestinationContact>(
            request => queries.GetContactsAsync(destination, request, cancellationToken));
        using var answer = call.BeginAnswer();
        answer.Group("destination", "Destination", () =>
        {
            answer.Value("dst_ip", "Destination", prevalence.DstIp);
            answer.Value("device_count", "Devices", prevalence.DeviceCount);
            answer.Value("connection_count", "Connections", prevalence.ConnectionCount);
            answer.Value("threat_count", "Threats", prevalence.ThreatCount);
            answer.Value("first_seen", "First seen (UTC)", prevalence.FirstSeen);
            answer.Value("last_seen", "Last seen (UTC)", prevalence.LastSeen);
        });
        await page.WriteAsync(
            answer, "contacts", "Devices that talk to it", DestinationColumns.Contacts, rows,
            () => new RowCount(prevalence.DeviceCount, IsExact: true), cancellationToken);
        return ExitCode.Done;
    }

    private static void WriteRanking<T>(
        VerbCall call, string key, string title, IReadOnlyList<Column<T>> columns, TrafficRanking<T> ranking)
    {
        using var answer = call.BeginAnswer();
        answer.Value("tier", "Made from", ranking.Tier, ranking.Tier switch
        {
            QueryTier.Raw => "the connections that are stored",
            QueryTier.Hour => "what is kept for each device and hour",
            QueryTier.Device => "what is kept for each device",
            _ => "what is kept for each device and destination",
        });
        answer.Table(key, title, columns, ranking.Items);
        answer.End();
    }
}
