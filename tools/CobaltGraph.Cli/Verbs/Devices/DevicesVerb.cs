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
        var fields = new FilterFields<DeviceFilter>(
            (filter, field, value) => filter.With(field, value),
            ("status", "status", "Only devices with this status: discovered, active, idle, offline.", true),
            ("vendor", "text", "Only devices whose vendor contains this text, in any case.", false),
            ("type", "type", "Only devices of this type: router, desktop, mobile, iot, server, ….", false),
            ("address", "network", "Only devices whose primary address is this, or in this network: 10.0.0.5, 10.0.0.0/8.", false),
            ("mac", "MAC", "Only devices whose MAC address begins so: b8:27:eb is an OUI.", false),
            ("hostname", "text", "Only devices whose host name contains this text, in any case.", false),
            ("tag", "tag", "Only devices with these tags.", true),
            ("metadata", "json", "Only devices whose metadata contains this JSON object.", false),
            ("level", "level", "Only devices of this threat level: low, medium, high.", true),
            ("locally-administered", "yes|no", "Only devices whose MAC address is, or is not, locally administered, as randomised ones are.", false));
        var seenSince = CommonOptions.Time(host, "--seen-since", "Only devices seen at this time or later.");
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
        var paging = new PageOptions(seenSince);

        var verb = new VerbCommand(
            "devices",
            "List devices, and say how many there are.",
            "cobaltgraph devices --status active --vendor apple",
            "cobaltgraph devices --address 10.0.0.0/8 --level high --seen-since 7d",
            "cobaltgraph devices --sort threats --limit 10 --json");
        foreach (var option in fields.Options) verb.Add(option);
        verb.Add(seenSince);
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
            var filter = fields.AddTo(new DeviceFilter { SeenSince = page.Time(seenSince) }, parse);
            filter.Check();
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
