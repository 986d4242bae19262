using System.CommandLine;
using System.Net;
using CobaltGraph.Cli.Terminal;
using CobaltGraph.Model;

namespace CobaltGraph.Cli.Verbs.Connections;

internal static class ConnectionsVerb
{
    public static VerbCommand Create(CliHost host)
    {
        var device = new Option<MacAddress?>("--device")
        {
            HelpName = "MAC",
            Description = "Only connections of this device.",
            CustomParser = MacArgument.Parse,
        };
        var destination = new Option<IPAddress?>("--destination")
        {
            HelpName = "address",
            Description = "Only connections to this IP address.",
            CustomParser = result =>
            {
                var text = result.Tokens[^1].Value;
                if (IPAddress.TryParse(text, out var address)) return address;
                result.AddError($"--destination: '{text}' is not an IP address.");
                return null;
            },
        };
        var since = CommonOptions.Time(host, "--since", "Only connections from this time on.");
        var until = CommonOptions.Time(host, "--until", "Only connections before this time.");
        var threats = new Option<bool>("--threats")
        {
            Description = $"Only threats: a score of {ThreatScale.ThreatThreshold} or more.",
        };
        var limit = CommonOptions.Limit(50);

        var verb = new VerbCommand(
            "connections",
            "List connections, the latest first.",
            "cobaltgraph connections --threats --since 24h",
            "cobaltgraph connections --device 02:00:5e:10:00:01 --limit 0 > connections.tsv");
        verb.Add(device);
        verb.Add(destination);
        verb.Add(since);
        verb.Add(until);
        verb.Add(threats);
        verb.Add(limit);
        verb.Add(CommonOptions.Json);
        verb.Add(CommonOptions.Connection);
        verb.OnRun(host, async (call, cancellationToken) =>
        {
            await using var database = await call.OpenDatabaseAsync(cancellationToken);
            await using var context = database.NewContext();
            var parse = call.Parse;
            IQueryable<Model.Connection> query = context.Connections;
            if (parse.GetValue(device) is { } mac) query = query.Where(c => c.SrcMac == mac);
            if (parse.GetValue(destination) is { } address) query = query.Where(c => c.DstIp == address);
            if (parse.GetValue(since) is { } from) query = query.Where(c => c.Timestamp >= from);
            if (parse.GetValue(until) is { } to) query = query.Where(c => c.Timestamp < to);
            // A constant, not a parameter: the partial index on scores is used only for a number known beforehand.
            if (parse.GetValue(threats)) query = query.Where(c => c.ThreatScore >= ThreatScale.ThreatThreshold);

            return await Listing.WriteAsync(
                call, "connections", "Connections", Columns.Connections,
                query.OrderByDescending(c => c.Timestamp).ThenByDescending(c => c.Id),
                parse.GetValue(limit), cancellationToken);
        });
        return verb;
    }
}
