using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;

namespace CobaltGraph.Data.Queries;

internal sealed class EventQueries(IDbContextFactory<CobaltGraphContext> contexts, QueryOptions options) : IEventQueries
{
    private readonly CursorCodec _cursors = new(options.CursorKey);

    public async Task<Page<DeviceEvent>> GetEventsAsync(
        EventFilter? filter = null, PageRequest? page = null, CancellationToken cancellationToken = default)
    {
        filter ??= new EventFilter();
        filter.Check();
        var pager = new Pager(_cursors, filter.Shape("events"), page);
        return await contexts.AskAsync(
            async (context, cancel) =>
            {
                var rows = await FirstAsync(context, filter, pager, cancel).ConfigureAwait(false);
                return pager.Cut(rows, e => [e.Timestamp, e.Id]);
            },
            cancellationToken).ConfigureAwait(false);
    }

    // The indexes end with the time. In order of time alone every version of the server reads the first rows from them; in order of
    // time and id, PostgreSQL 12 sorts all there are. What is left open is which events of the last time belong to the page.
    private static async Task<List<DeviceEvent>> FirstAsync(
        CobaltGraphContext context, EventFilter filter, Pager pager, CancellationToken cancellationToken)
    {
        var found = await ByTimeAsync(context, filter, pager, cancellationToken).ConfigureAwait(false);
        if (found.Count == pager.Take && found[^1].Timestamp == found[^2].Timestamp)
        {
            var time = found[^1].Timestamp;
            found.RemoveAll(e => e.Timestamp == time);
            // Not by equality, after which id alone would be the order, and the primary key be read from its end.
            var last = BehindPosition(context.DeviceEvents.AsNoTracking(), pager).Matching(filter)
                .Where(e => e.Timestamp >= time && e.Timestamp <= time);
            var ordered = pager.Backward
                ? last.OrderBy(e => e.Timestamp).ThenBy(e => e.Id)
                : last.OrderByDescending(e => e.Timestamp).ThenByDescending(e => e.Id);
            found.AddRange(await ordered.Take(pager.Take - found.Count).ReadAsync(context, cancellationToken).ConfigureAwait(false));
        }

        return pager.Backward
            ? [.. found.OrderBy(e => e.Timestamp).ThenBy(e => e.Id)]
            : [.. found.OrderByDescending(e => e.Timestamp).ThenByDescending(e => e.Id)];
    }

    /// <summary>The first events in order of time; of those of the last time there may be others.</summary>
    private static async Task<List<DeviceEvent>> ByTimeAsync(
        CobaltGraphContext context, EventFilter filter, Pager pager, CancellationToken cancellationToken)
    {
        if (filter.Device is not null || filter.Types is not { Count: > 1 } types)
            return await ByTime(context, filter, pager).Take(pager.Take).ReadAsync(context, cancellationToken).ConfigureAwait(false);

        // An index gives the events of one type in order of time.
        var found = new List<DeviceEvent>();
        foreach (var type in types.Distinct())
        {
            found.AddRange(await ByTime(context, filter with { Types = [type] }, pager).Take(pager.Take)
                .ReadAsync(context, cancellationToken).ConfigureAwait(false));
        }

        return [.. (pager.Backward ? found.OrderBy(e => e.Timestamp) : found.OrderByDescending(e => e.Timestamp)).Take(pager.Take)];
    }

    private static IQueryable<DeviceEvent> ByTime(CobaltGraphContext context, EventFilter filter, Pager pager)
    {
        // The first and the last time of .NET are infinity to the server, which has times before and after them too.
        var position = (DateTimeOffset?)pager.Position?.Key[0];
        var lowest = (pager.Backward ? position : null)
            ?? (filter.From > DateTimeOffset.MinValue ? filter.From.Value.ToUniversalTime() : ConnectionQueryExtensions.Earliest);
        var highest = (pager.Backward ? null : position)
            ?? (filter.Until < DateTimeOffset.MaxValue ? filter.Until.Value.ToUniversalTime() : ConnectionQueryExtensions.Latest);
        var rows = BehindPosition(context.DeviceEvents.AsNoTracking(), pager);
        // By the device or the type, and in the order of its index. Of an equality the time alone would be the order, and for a device of
        // many events that has had none for long, the planner reads the newer ones of all others.
        if (filter.Device is null && filter.Types is [var type])
        {
            rows = rows
                .Where(e => EF.Functions.GreaterThanOrEqual(ValueTuple.Create(e.EventType, e.Timestamp), ValueTuple.Create(type, lowest))
                    && EF.Functions.LessThanOrEqual(ValueTuple.Create(e.EventType, e.Timestamp), ValueTuple.Create(type, highest)))
                .Matching(filter with { Types = null });
            return pager.Backward
                ? rows.OrderBy(e => e.EventType).ThenBy(e => e.Timestamp)
                : rows.OrderByDescending(e => e.EventType).ThenByDescending(e => e.Timestamp);
        }

        if (filter.Device is not { } device)
        {
            rows = rows.Where(e => e.Timestamp >= lowest && e.Timestamp <= highest).Matching(filter);
            return pager.Backward ? rows.OrderBy(e => e.Timestamp) : rows.OrderByDescending(e => e.Timestamp);
        }

        rows = rows
            .Where(e => EF.Functions.GreaterThanOrEqual(ValueTuple.Create(e.DeviceMac, e.Timestamp), ValueTuple.Create(device, lowest))
                && EF.Functions.LessThanOrEqual(ValueTuple.Create(e.DeviceMac, e.Timestamp), ValueTuple.Create(device, highest)))
            .Matching(filter with { Device = null });
        return pager.Backward
            ? rows.OrderBy(e => e.DeviceMac).ThenBy(e => e.Timestamp)
            : rows.OrderByDescending(e => e.DeviceMac).ThenByDescending(e => e.Timestamp);
    }

    // The bound on the time alone bounds the index; the rest tells rows of one instant apart.
    private static IQueryable<DeviceEvent> BehindPosition(IQueryable<DeviceEvent> rows, Pager pager)
    {
        if (pager.Position is not { } position)
            return rows;
        var time = (DateTimeOffset)position.Key[0]!;
        var id = (long)position.Key[1]!;
        if (position.Inclusive)
            id += pager.Backward ? -1 : 1;
        return pager.Backward
            ? rows.Where(e => e.Timestamp >= time).Where(e => e.Timestamp > time || e.Id > id)
            : rows.Where(e => e.Timestamp <= time).Where(e => e.Timestamp < time || e.Id < id);
    }
}
