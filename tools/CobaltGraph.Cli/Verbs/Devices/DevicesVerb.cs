using System.CommandLine;
using CobaltGraph.Cli.Terminal;
using CobaltGraph.Cli.Verbs.Paging;
using CobaltGraph.Data.Queries;

namespace CobaltGraph.Cli.Verbs.Devices;

internal static class DevicesVerb
{
    private static readonly string[] GreatestFirst =
        ["last-seen", "first-seen", "last-activity", "connections", "threats", "threat-score", "max-score", "last-threat", "confidence"];

    private static readonly string[] SmallestFirst = ["mac", "address", "vendor", "type", "hostname", "status"];

    public static VerbCommand Create(CliHost host)
    {
        var filters = new DeviceFilterOptions(host);
        var sort = new Option<string>("--sort")
        {
            HelpName = "column",
            Description = $"The order, the latest or the most first: {string.Join(", ", GreatestFirst)}; " +
                $"or the first of the alphabet: {string.Join(", ", SmallestFirst)}.",
            DefaultValueFactory = _ => GreatestFirst[0],
        };
        sort.AcceptOnlyFromAmong([.. GreatestFirst, .. SmallestFirst]);
        var descending = new Option<bool>("--descending") { Description = "The greatest first, whatever the column." };
        var ascending = new Option<bool>("--ascending") { Description = "The smallest first, whatever the column." };
        var paging = new PageOptions(filters.Times);

        var verb = new VerbCommand(
            "devices",
            "List devices, and say how many there are.",
            "cobaltgraph devices --status active --vendor apple",
            "cobaltgraph devices --address 10.0.0.0/8 --level high --seen-since 7d",
            "cobaltgraph devices --sort threats --limit 10 --json");
        filters.AddTo(verb);
        verb.Add(sort);
        verb.Add(descending);
        verb.Add(ascending);
        paging.AddTo(verb);
        verb.Add(CommonOptions.Json);
        verb.Add(CommonOptions.Connection);
        verb.OnRun(host, async (call, cancellationToken) =>
        {
            var parse = call.Parse;
            if (parse.GetValue(descending) && parse.GetValue(ascending))
                throw CliException.Usage("--descending and --ascending are each other's opposite.", "Give one of them, or none.");
            var page = paging.Begin(call);
            var filter = filters.Read(parse, page.Time);
            var column = parse.GetValue(sort)!;
            var order = DeviceSort.Parse(column) with
            {
                Descending = parse.GetValue(descending) || (GreatestFirst.Contains(column) && !parse.GetValue(ascending)),
            };

            await using var database = await call.OpenDatabaseAsync(cancellationToken);
            await using var source = await page.OpenAsync(database, cancellationToken);
            var queries = new DeviceQueries(source, page.QueryOptions);
            RowCount? total = null;
            var rows = page.Rows<DeviceListItem>(async request =>
            {
                var devices = await queries.ListAsync(filter, order, request, cancellationToken);
                total = devices.Total;
                return devices;
            });
            using var answer = call.BeginAnswer();
            await page.WriteAsync(answer, "devices", "Devices", Columns.DeviceList, rows, () => total, cancellationToken);
            return ExitCode.Done;
        });
        return verb;
    }
}
