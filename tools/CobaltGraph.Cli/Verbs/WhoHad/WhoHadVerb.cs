using System.CommandLine;
using CobaltGraph.Cli.Terminal;
using CobaltGraph.Cli.Verbs.Paging;
using CobaltGraph.Data.Queries;

namespace CobaltGraph.Cli.Verbs.WhoHad;

internal static class WhoHadVerb
{
    private static readonly IReadOnlyList<Column<AddressHolder>> HolderColumns =
    [
        new("mac_address", "Device", h => h.MacAddress),
        new("ip_address", "Address", h => h.IpAddress),
        new("source", "Source", h => h.Source),
        new("first_seen", "First seen (UTC)", h => h.FirstSeen),
        new("last_seen", "Last seen (UTC)", h => Columns.EndOf(h.LastSeen)) { Display = h => Columns.ShowEnd(h.LastSeen) },
        new("covers", "Held it then", h => h.Covers),
    ];

    private static readonly IReadOnlyList<Column<AddressConflict>> ConflictColumns =
    [
        new("ip_address", "Address", c => c.IpAddress),
        new("first_mac", "Device", c => c.First),
        new("second_mac", "And device", c => c.Second),
        new("from", "From (UTC)", c => c.From),
        new("to", "To (UTC)", c => Columns.EndOf(c.To)) { Display = c => Columns.ShowEnd(c.To) },
    ];

    public static VerbCommand Create(CliHost host)
    {
        var address = AddressArgument.Create("The address that was held, IPv4 or IPv6.");
        var at = CommonOptions.Time(host, "--at", "When it was held; without it, now.");
        var conflicts = new Option<bool>("--conflicts")
        {
            Description = "Instead of holders, addresses that two devices claimed at once, the latest first.",
        };
        var from = CommonOptions.Time(host, "--from", "Only conflicts that last to this time or longer.");
        var until = CommonOptions.Time(host, "--until", "Only conflicts that began before this time.");
        var paging = new PageOptions(from, until);

        var verb = new VerbCommand(
            "who-had",
            "Tell which device held an address at a time, or which devices claimed one at once. Exit code 2 if nobody is known to have held it.",
            "cobaltgraph who-had 10.0.0.5 --at 2026-03-03T14:32Z",
            "cobaltgraph who-had --conflicts --from 7d");
        verb.Add(address);
        verb.Add(at);
        verb.Add(conflicts);
        verb.Add(from);
        verb.Add(until);
        paging.AddTo(verb);
        verb.Add(CommonOptions.Json);
        verb.Add(CommonOptions.Connection);
        verb.OnRun(host, async (call, cancellationToken) =>
        {
            var parse = call.Parse;
            var wanted = parse.GetValue(address);
            if (parse.GetValue(conflicts))
            {
                if (wanted is not null || parse.IsGiven(at))
                    throw CliException.Usage("--conflicts goes with --from, --until, --limit and --cursor, and with no address and no --at.");
            }
            else if (wanted is null)
            {
                throw CliException.Usage("Say which address, or ask for --conflicts.", "Example: cobaltgraph who-had 10.0.0.5 --at 24h");
            }
            else if (parse.FirstGiven(from, until, paging.Limit, paging.Cursor) is { } option)
            {
                throw CliException.Usage($"{option} goes with --conflicts; the time of an address is --at.");
            }

            var page = wanted is null ? paging.Begin(call) : null;
            await using var database = await call.OpenDatabaseAsync(cancellationToken);
            if (page is not null)
            {
                await using var source = await page.OpenAsync(database, cancellationToken);
                var queries = new AddressQueries(source, page.QueryOptions);
                var rows = page.Rows<AddressConflict>(
                    request => queries.GetConflictsAsync(page.Time(from), page.Time(until), request, cancellationToken));
                using var list = call.BeginAnswer();
                await page.WriteAsync(list, "conflicts", "Conflicts", ConflictColumns, rows, total: null, cancellationToken);
                return ExitCode.Done;
            }

            var when = parse.GetValue(at) ?? host.Clock.GetUtcNow();
            var holders = await new AddressQueries(database, new QueryOptions()).WhoHadAsync(wanted!, when, cancellationToken);
            using var answer = call.BeginAnswer();
            answer.Value("address", "Address", wanted);
            answer.Value("at", "At (UTC)", when);
            answer.Table("holders", "Holders", HolderColumns, holders);
            answer.End();
            return holders.Count > 0 ? ExitCode.Done : ExitCode.NotAsWanted;
        });
        return verb;
    }
}
