using CobaltGraph.Cli.Database;
using CobaltGraph.Cli.Terminal;
using CobaltGraph.Cli.Verbs.Migrate;
using CobaltGraph.Cli.Verbs.Seed;
using CobaltGraph.Cli.Verbs.Up;
using CobaltGraph.Data;
using CobaltGraph.Data.Schema;
using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;

namespace CobaltGraph.Cli.Verbs.Demo;

internal static class DemoVerb
{
    private const int Rows = 8;

    private static readonly IReadOnlyList<Column<(string Status, long Devices)>> StatusColumns =
    [
        new("status", "Status", s => s.Status),
        new("devices", "Devices", s => s.Devices) { Right = true },
    ];

    private static readonly IReadOnlyList<Column<DeviceSummary>> SummaryColumns =
    [
        new("mac_address", "MAC", d => d.MacAddress),
        new("ip_address", "IP", d => d.IpAddress),
        new("vendor", "Vendor", d => d.Vendor) { Spare = 1 },
        new("device_type", "Type", d => d.DeviceType) { Spare = 2 },
        new("status", "Status", d => d.Status, d => Columns.StyleOf(d.Status)),
        new("last_seen", "Last seen (UTC)", d => d.LastSeen) { Spare = 3 },
        new("connection_count", "Connections", d => d.ConnectionCount) { Right = true },
        new("threat_count", "Threats", d => d.ThreatCount, d => d.ThreatCount > 0 ? "red" : null) { Right = true },
        new("unique_destinations", "Destinations", d => d.UniqueDestinations) { Right = true },
    ];

    private static readonly IReadOnlyList<Column<TimedQuery>> QueryColumns =
    [
        new("query", "Query", q => q.Name),
        new("rows", "Rows", q => q.Rows) { Right = true },
        new("seconds", "Time", q => q.Elapsed, q => q.Elapsed <= q.Target ? "green" : "red") { Right = true },
        new("target_seconds", "May take", q => q.Target) { Right = true },
    ];

    public static VerbCommand Create(CliHost host)
    {
        var verb = new VerbCommand(
            "demo",
            "Show everything once: start a server of your own, migrate, seed 1,000 devices and 10,000 connections, and query them.",
            "cobaltgraph demo");
        verb.Add(CommonOptions.Yes);
        verb.Add(CommonOptions.Json);
        verb.Add(CommonOptions.Connection);
        verb.OnRun(host, async (call, cancellationToken) =>
        {
            var started = host.Clock.GetTimestamp();
            var settings = await FindDatabaseAsync(call, cancellationToken);
            await using var database = await call.OpenDatabaseAsync(settings, cancellationToken);
            var isOwn = settings.Source == DatabaseSettingsSource.LocalServer;
            if (!isOwn && !call.Parse.GetValue(CommonOptions.Yes))
            {
                await host.ConfirmAsync(
                    $"The demo would migrate, and fill with invented data if it is empty: {settings.Describe()}.",
                    "--yes", settings.Database, cancellationToken);
            }

            var migrator = new SchemaMigrator(database.DataSource, host.Clock);
            await MigrateVerb.RunAsync(call, migrator, null, mayRevert: [], TimeSpan.FromMinutes(5), cancellationToken);
            var seeded = await SeedIfEmptyAsync(call, database, cancellationToken);
            if (!seeded) host.Notice("There is data already; nothing was added.");

            using var answer = call.BeginAnswer();
            await WriteAsync(call, database, answer, seeded, cancellationToken);
            WriteConnection(call, settings, isOwn, answer);
            answer.Value("seconds", "The demo took", host.Clock.GetElapsedTime(started));
            var program = Tool.Command(host);
            answer.Table(
                "next", "Try next",
                [new Column<string>("command", "Command", command => $"{program} {command}")],
                [
                    "devices --status active --limit 10",
                    "connections --threats --since 7d",
                    "events --type threat_detected",
                    "status",
                    "down",
                ]);
            answer.End();
            return ExitCode.Done;
        });
        return verb;
    }

    /// <summary>The database that every other verb would use; one's own server is started for it, and made if need be.</summary>
    private static async Task<DatabaseSettings> FindDatabaseAsync(VerbCall call, CancellationToken cancellationToken)
    {
        try
        {
            var settings = call.ResolveSettings();
            if (settings.Source != DatabaseSettingsSource.LocalServer) return settings;
        }
        catch (DatabaseSettingsException e) when (e.Problem == DatabaseSettingsProblem.NotConfigured)
        {
            call.Host.Notice("No database is configured: starting a PostgreSQL server of your own.");
        }

        await LocalServer.StartAsync(call, port: null, cancellationToken);
        return call.ResolveSettings();
    }

    private static async Task<bool> SeedIfEmptyAsync(
        VerbCall call, DatabaseSession database, CancellationToken cancellationToken)
    {
        await using var context = database.NewContext();
        if (await context.Devices.AnyAsync(cancellationToken) || await context.Connections.AnyAsync(cancellationToken))
            return false;

        call.Host.Notice("Seeding 1,000 devices and 10,000 connections of 7 days.");
        await SeedVerb.RunAsync(call, database, SeedVerb.Default, cancellationToken);
        return true;
    }

    private static async Task WriteAsync(
        VerbCall call, DatabaseSession database, Answer answer, bool seeded, CancellationToken cancellationToken)
    {
        await using var context = database.NewContext();
        var byStatus = await context.Devices.GroupBy(device => device.Status)
            .Select(group => new { Status = group.Key, Devices = group.LongCount() })
            .ToListAsync(cancellationToken);
        if (call.Json) answer.Value("seeded", "", seeded);
        answer.Table(
            "statuses", "Devices by status", StatusColumns,
            byStatus.OrderBy(s => s.Status).Select(s => (Cell.Name(s.Status), s.Devices)));
        await answer.TableAsync(
            "devices", "Devices with the most connections", SummaryColumns,
            context.DeviceSummaries.OrderByDescending(d => d.ConnectionCount).ThenBy(d => d.MacAddress)
                .Take(Rows).AsAsyncEnumerable(),
            cancellationToken);
        await answer.TableAsync(
            "threats", "Top threats", Columns.Connections,
            context.Connections.Where(c => c.ThreatScore >= ThreatScale.ThreatThreshold)
                .OrderByDescending(c => c.ThreatScore).ThenByDescending(c => c.Timestamp).ThenByDescending(c => c.Id)
                .Take(Rows).AsAsyncEnumerable(),
            cancellationToken);
        answer.Table("queries", "Queries, when run again", QueryColumns, await DemoQueries.RunAsync(database, cancellationToken));
    }

    private static void WriteConnection(VerbCall call, DatabaseSettings settings, bool isOwn, Answer answer)
    {
        if (!isOwn)
        {
            answer.Value("connection", "Connection", settings.Describe());
            return;
        }

        var passfile = LocalServer.PassfileIn(call.Home);
        answer.Value(
            "connection_string", "For .NET",
            LocalServer.ConnectionString(passfile, settings.Port, settings.Database!, settings.User!));
        answer.Value(
            "psql", "For psql", LocalServer.PsqlCommand(passfile, settings.Port, settings.Database!, settings.User!));
    }
}
