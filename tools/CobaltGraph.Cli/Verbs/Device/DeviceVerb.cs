using System.CommandLine;
using CobaltGraph.Cli.Database;
using CobaltGraph.Cli.Terminal;
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
            "--limit", "rows", 20, 0, int.MaxValue, "Show at most this many events, destinations and connections; 0 shows all.");

        var verb = new VerbCommand(
            "device",
            "Show one device: its details, events, destinations and latest connections. Exit code 2 if there is none.",
            "cobaltgraph device 02:00:5e:10:00:01",
            "cobaltgraph device 0200.5e10.0001 --limit 100 --json");
        verb.Add(macArgument);
        verb.Add(limit);
        verb.Add(CommonOptions.Json);
        verb.Add(CommonOptions.Connection);
        verb.OnRun(host, async (call, cancellationToken) =>
        {
            var mac = call.Parse.GetValue(macArgument)!.Value;
            var rows = call.Parse.GetValue(limit);
            await using var database = await call.OpenDatabaseAsync(cancellationToken);
            await using var context = database.NewContext();
            var device = await context.Devices.SingleOrDefaultAsync(d => d.MacAddress == mac, cancellationToken);

            // The trail outlives its device.
            var events = context.DeviceEvents.Where(e => e.DeviceMac == mac)
                .OrderByDescending(e => e.Timestamp).ThenByDescending(e => e.Id);
            if (device is null)
            {
                var trail = await events.AnyAsync(cancellationToken);
                throw new CliException(
                    ExitCode.NotAsWanted,
                    $"There is no device {mac}.",
                    trail ? $"There was one; its trail is kept: cobaltgraph events --device {mac}" : null);
            }

            using var answer = call.BeginAnswer();
            answer.Group("device", "Device", () =>
            {
                foreach (var column in Columns.Devices) answer.Value(column.Key, column.Title, column.Value(device));
                answer.Value("metadata", "Metadata", Metadata.ToJson(device.Metadata));
            });
            await answer.TableAsync(
                "events", "Events", Columns.Events, new Limited<DeviceEvent>(events, rows).ReadAsync(cancellationToken),
                cancellationToken);
            var destinations = context.DeviceDestinations.Where(d => d.SrcMac == mac)
                .OrderByDescending(d => d.ThreatCount).ThenByDescending(d => d.ConnectionCount).ThenBy(d => d.DstIp);
            await answer.TableAsync(
                "destinations", "Destinations", Columns.Destinations,
                new Limited<DeviceDestination>(destinations, rows).ReadAsync(cancellationToken), cancellationToken);
            var connections = context.Connections.Where(c => c.SrcMac == mac)
                .OrderByDescending(c => c.Timestamp).ThenByDescending(c => c.Id);
            await answer.TableAsync(
                "connections", "Latest connections", Columns.Connections,
                new Limited<Model.Connection>(connections, rows).ReadAsync(cancellationToken), cancellationToken);
            answer.End();
            return ExitCode.Done;
        });
        return verb;
    }
}
