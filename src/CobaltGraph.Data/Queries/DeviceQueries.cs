using System.Linq.Expressions;
using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;

namespace CobaltGraph.Data.Queries;

internal sealed class DeviceQueries(IDbContextFactory<CobaltGraphContext> contexts, QueryOptions options) : IDeviceQueries
{
    // Made once: it would be 10 of the 78 kB that a page allocates.
    private static readonly Expression<Func<Device, DeviceListItem>> Item = d => new DeviceListItem
    {
        MacAddress = d.MacAddress,
        IpAddress = d.IpAddress,
        Vendor = d.Vendor,
        DeviceType = d.DeviceType,
        Hostname = d.Hostname,
        Status = d.Status,
        FirstSeen = d.FirstSeen,
        LastSeen = d.LastSeen,
        LastActivity = d.LastActivity,
        ConnectionCount = d.ConnectionCount,
        ThreatCount = d.ThreatCount,
        ThreatScore = d.ThreatScore,
        MaxThreatScore = d.MaxThreatScore,
        LastThreat = d.LastThreat,
        IsLocallyAdministered = d.IsLocallyAdministered,
        ConfidenceScore = d.ConfidenceScore,
        Metadata = d.Metadata,
    };

    private readonly CursorCodec _cursors = new(options.CursorKey);

    public async Task<DevicePage> ListAsync(
        DeviceFilter? filter = null,
        DeviceSort sort = default,
        PageRequest? page = null,
        CancellationToken cancellationToken = default)
    {
        filter ??= new DeviceFilter();
        filter.Check();
        var key = DeviceSortKey.Of(sort.Column);
        var pager = new Pager(_cursors, filter.Shape($"devices {sort.Column} {sort.Descending}"), page);

        return await contexts.AskAsync(
            async (context, cancel) =>
            {
                var rows = Rows(context, filter);
                var wanted = pager.Position is null ? rows : key.Beyond(rows, sort.Descending, pager.Position);
                var counted = context.Devices.Matching(filter).Take(IDeviceQueries.CountCap + 1);
                // The total comes along with the page: the database counts once, and is asked once.
                var found = await key.Order(wanted, sort.Descending, pager.Backward).Take(pager.Take)
                    .Select(row => new { Row = row, Total = counted.LongCount() })
                    .ReadAsync(context, cancel).ConfigureAwait(false);
                var total = found is [var first, ..] ? await TotalAsync(context, filter, first.Total, IDeviceQueries.CountCap, cancel).ConfigureAwait(false)
                    : pager.Position is null ? new RowCount(0, IsExact: true)
                    : await CountAsync(context, filter, IDeviceQueries.CountCap, cancel).ConfigureAwait(false);
                var cut = pager.Cut(found.ConvertAll(row => row.Row), key.Of);
                return new DevicePage
                {
                    Items = cut.Items,
                    Next = cut.Next,
                    Previous = cut.Previous,
                    Total = total,
                };
            },
            cancellationToken).ConfigureAwait(false);
    }

    internal static async Task<RowCount> CountAsync(
        CobaltGraphContext context, DeviceFilter filter, int cap, CancellationToken cancellationToken)
    {
        var count = await context.Devices.Matching(filter).Take(cap + 1).LongCountAsync(cancellationToken).ConfigureAwait(false);
        return await TotalAsync(context, filter, count, cap, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<RowCount> TotalAsync(
        CobaltGraphContext context, DeviceFilter filter, long count, int cap, CancellationToken cancellationToken)
    {
        if (count <= cap)
            return new RowCount(count, IsExact: true);
        var estimate = await PlanEstimate.RowsAsync(context, Rows(context, filter), cancellationToken).ConfigureAwait(false);
        return new RowCount(Math.Max(estimate, count), IsExact: false);
    }

    private static IQueryable<DeviceListItem> Rows(CobaltGraphContext context, DeviceFilter filter)
        => context.Devices.AsNoTracking().Matching(filter).Select(Item);
}
