using System.CommandLine;
using CobaltGraph.Cli.Terminal;
using CobaltGraph.Cli.Verbs.Paging;
using CobaltGraph.Data.Queries;
using CobaltGraph.Model;

namespace CobaltGraph.Cli.Verbs.Connections;

internal static class ConnectionsVerb
{
    public static VerbCommand Create(CliHost host)
    {
        var filters = new ConnectionFilterOptions(host);
        var threats = new Option<bool>("--threats")
        {
            Description = $"Only threats: a score of {ThreatScale.ThreatThreshold} or more.",
        };
        var oldestFirst = new Option<bool>("--oldest-first")
        {
            Description = "The earliest first instead of the latest.",
        };
        var paging = new PageOptions(filters.Times);

        var verb = new VerbCommand(
            "connections",
            "List connections, the latest first.",
            "cobaltgraph connections --threats --since 24h",
            "cobaltgraph connections --destination 203.0.113.0/24 --port 443,8000-8999 --oldest-first",
            "cobaltgraph connections --device 02:00:5e:10:00:01 --limit 0 > connections.tsv");
        filters.AddTo(verb);
        verb.Add(threats);
        verb.Add(oldestFirst);
        paging.AddTo(verb);
        verb.Add(CommonOptions.Json);
        verb.Add(CommonOptions.Connection);
        verb.OnRun(host, async (call, cancellationToken) =>
        {
            var parse = call.Parse;
            var page = paging.Begin(call);
            var filter = filters.Read(parse, page.Time);
            if (parse.GetValue(threats) && filter.MaxScore < ThreatScale.ThreatThreshold)
            {
                throw CliException.Usage(
                    $"--threats are connections with a score of {ThreatScale.ThreatThreshold} or more, and --max-score {filter.MaxScore} leaves none of them.");
            }

            if (parse.GetValue(threats))
                filter = filter with { MinScore = Math.Max(filter.MinScore ?? 0, ThreatScale.ThreatThreshold) };
            var order = parse.GetValue(oldestFirst) ? ConnectionOrder.OldestFirst : ConnectionOrder.NewestFirst;

            await using var database = await call.OpenDatabaseAsync(cancellationToken);
            await using var source = await page.OpenAsync(database, cancellationToken);
            var queries = new ConnectionQueries(source, page.QueryOptions);
            var rows = page.Rows<Model.Connection>(
                async request => await queries.SearchAsync(filter, request, order, cancellationToken));
            using var answer = call.BeginAnswer();
            await page.WriteAsync(
                answer, "connections", "Connections", Columns.Connections, rows, total: null, cancellationToken);
            return ExitCode.Done;
        });
        return verb;
    }
}
