using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace CobaltGraph.Data.Queries;

internal sealed class DeviceDetailQueries(
    IDbContextFactory<CobaltGraphContext> contexts, QueryOptions options, TimeProvider clock) : IDeviceDetailQueries
{
    private readonly CursorCodec _cursors = new(options.CursorKey);

    public async Task<DeviceDetail?> FindAsync(
        MacAddress device, DeviceDetailRequest? request = null, CancellationToken cancellationToken = default)
    {
        request ??= new DeviceDetailRequest();
        var (from, until) = request.Check(clock.GetUtcNow());
        var connections = new Pager(
            _cursors,
            new ConnectionFilter { Devices = [device] }.Shape($"connections {ConnectionOrder.NewestFirst}"),
            new PageRequest { Limit = request.Connections });
        return await contexts.AskAsync(
            async (context, cancel) =>
            {
                // One connection for both round trips.
                await context.Database.OpenConnectionAsync(cancel).ConfigureAwait(false);
                try
                {
                    var head = await HeadAsync(context, device, cancel).ConfigureAwait(false);
                    if (head is null)
                        return null;
                    var lists = new DeviceDetailLists(
                        (NpgsqlConnection)context.Database.GetDbConnection(), device, request, connections.Take);
                    await lists.ReadAsync(WholeHours.Begin(from), until, cancel).ConfigureAwait(false);
                    return new DeviceDetail
                    {
                        Device = head.Device,
                        Summary = head.Summary,
                        Threats = head.Threats,
                        Activity = lists.Activity,
                        Destinations = lists.Destinations,
                        Ports = lists.Ports,
                        Countries = lists.Countries,
                        Addresses = lists.Addresses,
                        Events = lists.Events,
                        Connections = connections.Cut(lists.Connections, c => [c.Timestamp, c.Id]),
                    };
                }
                finally
                {
                    await context.Database.CloseConnectionAsync().ConfigureAwait(false);
                }
            },
            cancellationToken).ConfigureAwait(false);
    }

    private static Task<Head?> HeadAsync(CobaltGraphContext context, MacAddress mac, CancellationToken cancellationToken)
        => (from device in context.Devices.AsNoTracking()
            join summary in context.DeviceSummaries on device.MacAddress equals summary.MacAddress
            join threats in context.DeviceThreats on device.MacAddress equals threats.MacAddress
            where device.MacAddress == mac
            select new Head { Device = device, Summary = summary, Threats = threats }).SingleOrDefaultAsync(cancellationToken);

    private sealed class Head
    {
        public required Device Device { get; init; }

        public required DeviceSummary Summary { get; init; }

        public required DeviceThreats Threats { get; init; }
    }
}
