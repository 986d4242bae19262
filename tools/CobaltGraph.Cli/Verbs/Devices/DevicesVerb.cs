using System.CommandLine;
using CobaltGraph.Cli.Terminal;
using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;

namespace CobaltGraph.Cli.Verbs.Devices;

internal static class DevicesVerb
{
    private static readonly Dictionary<string, DeviceStatus> Statuses =
        Enum.GetValues<DeviceStatus>().ToDictionary(status => Cell.Name(status));

    private static readonly string[] Orders = ["last-seen", "first-seen", "connections", "threats", "mac"];

    public static VerbCommand Create(CliHost host)
    {
        var status = new Option<string[]>("--status")
        {
            HelpName = "status",
            Description = $"Only devices with this status: {string.Join(", ", Statuses.Keys)}; may be given more than once.",
        };
        status.AcceptOnlyFromAmong([.. Statuses.Keys]);
        var vendor = new Option<string?>("--vendor")
        {
            HelpName = "text",
            Description = "Only devices whose vendor contains this text, in any case.",
        };
        var type = new Option<string?>("--type")
        {
            HelpName = "type",
            Description = "Only devices of this type: router, desktop, mobile, iot, server, ….",
        };
        var sort = new Option<string>("--sort")
        {
            HelpName = "order",
            Description = $"What comes first, the latest or the most of: {string.Join(", ", Orders)}.",
            DefaultValueFactory = _ => Orders[0],
        };
        sort.AcceptOnlyFromAmong(Orders);
        var limit = CommonOptions.Limit(50);

        var verb = new VerbCommand(
            "devices",
            "List devices.",
            "cobaltgraph devices --status active --vendor apple",
            "cobaltgraph devices --sort threats --limit 10 --json");
        verb.Add(status);
        verb.Add(vendor);
        verb.Add(type);
        verb.Add(sort);
        verb.Add(limit);
        verb.Add(CommonOptions.Json);
        verb.Add(CommonOptions.Connection);
        verb.OnRun(host, async (call, cancellationToken) =>
        {
            await using var database = await call.OpenDatabaseAsync(cancellationToken);
            await using var context = database.NewContext();
            var parse = call.Parse;
            IQueryable<Model.Device> query = context.Devices;
            if (parse.GetValue(status) is { Length: > 0 } names)
            {
                var statuses = names.Select(name => Statuses[name]).ToArray();
                query = query.Where(device => statuses.Contains(device.Status));
            }

            if (parse.GetValue(vendor) is { } text)
            {
                var pattern = Pattern.Containing(text);
                query = query.Where(device => EF.Functions.ILike(device.Vendor!, pattern, Pattern.Escape));
            }

            if (parse.GetValue(type) is { } wantedType)
                query = query.Where(device => device.DeviceType == wantedType);

            // The key makes the order of equals the same every time.
            query = parse.GetValue(sort) switch
            {
                "first-seen" => query.OrderByDescending(device => device.FirstSeen).ThenBy(device => device.MacAddress),
                "connections" => query.OrderByDescending(device => device.ConnectionCount).ThenBy(device => device.MacAddress),
                "threats" => query.OrderByDescending(device => device.ThreatCount).ThenBy(device => device.MacAddress),
                "mac" => query.OrderBy(device => device.MacAddress),
                _ => query.OrderByDescending(device => device.LastSeen).ThenBy(device => device.MacAddress),
            };
            return await Listing.WriteAsync(
                call, "devices", "Devices", Columns.Devices, query, parse.GetValue(limit), cancellationToken);
        });
        return verb;
    }
}
