using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;

namespace CobaltGraph.Data.Queries;

internal sealed class DeviceQueries(IDbContextFactory<CobaltGraphContext> contexts, QueryOptions options) : IDeviceQueries
{
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

        var context = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        await using (context.ConfigureAwait(false))
        {
            var rows = Rows(context, filter);
            var wanted = pager.Position is null ? rows : key.Beyond(rows, sort.Descending, pager.Position);
            var found = await key.Order(wanted, sort.Descending, pager.Backward).Take(pager.Take)
                .ToListAsync(cancellationToken).ConfigureAwait(false);
            var cut = pager.Cut(found, key.Of);
            return new DevicePage
            {
                Items = cut.Items,
                Next = cut.Next,
                Previous = cut.Previous,
                Total = await CountAsync(context, filter, IDeviceQueries.CountCap, cancellationToken).ConfigureAwait(false),
            };
        }
    }

    internal static async Task<RowCount> CountAsync(
        CobaltGraphContext context, DeviceFilter filter, int cap, CancellationToken cancellationToken)
    {
        var count = filter.Levels is null
            ? await context.Devices.MatchingAllButLevel(filter).Take(cap + 1).LongCountAsync(cancellationToken).ConfigureAwait(false)
            : await Rows(context, filter).Take(cap + 1).LongCountAsync(cancellationToken).ConfigureAwait(false);
        if (count <= cap)
            return new RowCount(count, IsExact: true);
        var estimate = await PlanEstimate.RowsAsync(context, Rows(context, filter), cancellationToken).ConfigureAwait(false);
        return new RowCount(Math.Max(estimate, count), IsExact: false);
    }

    private static IQueryable<DeviceListItem> Rows(CobaltGraphContext context, DeviceFilter filter)
    {
        var rows = context.Devices.AsNoTracking().MatchingAllButLevel(filter)
            .Join(context.DeviceThreats, d => d.MacAddress, t => t.MacAddress, (d, t) => new DeviceListItem
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
                ThreatScore = t.ThreatScore,
                ThreatLevel = t.ThreatLevel,
                MaxThreatScore = d.MaxThreatScore,
                LastThreat = d.LastThreat,
                IsLocallyAdministered = d.IsLocallyAdministered,
                ConfidenceScore = d.ConfidenceScore,
                Metadata = d.Metadata,
            });
        if (filter.Levels is null)
            return rows;
        DeviceThreatLevel[] levels = [.. filter.Levels.Distinct()];
        return rows.Where(row => levels.Contains(row.ThreatLevel));
    }
}
