using System.Diagnostics;
using CobaltGraph.Cli.Database;
using CobaltGraph.Data;
using Microsoft.EntityFrameworkCore;

namespace CobaltGraph.Cli.Verbs.Demo;

/// <summary>A query, how long it took, and how long it may take.</summary>
internal sealed record TimedQuery(string Name, int Rows, TimeSpan Elapsed, TimeSpan Target);

/// <summary>The three queries for which the original description gives times.</summary>
internal static class DemoQueries
{
    public static async Task<IReadOnlyList<TimedQuery>> RunAsync(
        DatabaseSession database, CancellationToken cancellationToken)
    {
        await using var context = database.NewContext();
        var busiest = await context.Devices.OrderByDescending(device => device.ConnectionCount)
            .Select(device => device.MacAddress).FirstOrDefaultAsync(cancellationToken);

        return
        [
            await TimeAsync("device list", 100, async db =>
                (await db.Devices.OrderByDescending(device => device.LastSeen).ToListAsync(cancellationToken)).Count),
            await TimeAsync("connections of one device", 200, async db =>
                (await db.Connections.Where(connection => connection.SrcMac == busiest)
                    .OrderByDescending(connection => connection.Timestamp).Take(100).ToListAsync(cancellationToken)).Count),
            await TimeAsync("device with full history", 500, async db =>
            {
                var device = await db.Devices.Include(d => d.Destinations)
                    .SingleOrDefaultAsync(d => d.MacAddress == busiest, cancellationToken);
                var events = await db.DeviceEvents.Where(e => e.DeviceMac == busiest)
                    .OrderByDescending(e => e.Timestamp).ToListAsync(cancellationToken);
                var connections = await db.Connections.Where(c => c.SrcMac == busiest)
                    .OrderByDescending(c => c.Timestamp).ToListAsync(cancellationToken);
                return (device is null ? 0 : 1 + device.Destinations.Count) + events.Count + connections.Count;
            }),
        ];

        async Task<TimedQuery> TimeAsync(string name, int targetMilliseconds, Func<CobaltGraphContext, Task<int>> query)
        {
            // Once before it counts: EF Core compiles a query when it first sees it.
            await using (var warm = database.NewContext()) await query(warm);
            await using var db = database.NewContext();
            var started = Stopwatch.GetTimestamp();
            var rows = await query(db);
            return new(name, rows, Stopwatch.GetElapsedTime(started), TimeSpan.FromMilliseconds(targetMilliseconds));
        }
    }
}
