using System.Net;
using System.Net.NetworkInformation;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;

namespace CobaltGraph.Data.Queries;

internal sealed class AddressQueries(IDbContextFactory<CobaltGraphContext> contexts, QueryOptions options) : IAddressQueries
{
    private readonly CursorCodec _cursors = new(options.CursorKey);

    public async Task<IReadOnlyList<AddressHolder>> WhoHadAsync(
        IPAddress address, DateTimeOffset at, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(address);
        address = address.Unmapped();
        var lapsed = at.UtcTicks < DeviceAddress.Lapse.Ticks ? DateTimeOffset.MinValue : at - DeviceAddress.Lapse;
        return await contexts.AskAsync<IReadOnlyList<AddressHolder>>(
            async (context, cancel) =>
            {
                var bindings = await context.DeviceAddresses.AsNoTracking()
                    .Where(b => b.IpAddress == address && b.FirstSeen <= at && b.LastSeen >= lapsed)
                    .ReadAsync(context, cancel).ConfigureAwait(false);
                var sighted = bindings.Exists(b => b.LastSeen >= at && b.Source == AddressSource.Sighting);
                var holders = bindings.Where(b => b.LastSeen >= at).Select(b => b.MacAddress).ToHashSet();
                return
                [
                    .. bindings.Where(b => b.LastSeen >= at || (!sighted && !holders.Contains(b.MacAddress)))
                        .OrderBy(b => b.Source == AddressSource.Traffic)
                        .ThenByDescending(b => b.FirstSeen).ThenBy(b => b.MacAddress).ThenBy(b => b.Source)
                        .Select(b => new AddressHolder
                        {
                            MacAddress = b.MacAddress,
                            IpAddress = b.IpAddress,
                            Source = b.Source,
                            FirstSeen = b.FirstSeen,
                            LastSeen = b.LastSeen,
                            Covers = b.LastSeen >= at,
                        }),
                ];
            },
            cancellationToken).ConfigureAwait(false);
    }

    public async Task<Page<AddressConflict>> GetConflictsAsync(
        DateTimeOffset? from = null,
        DateTimeOffset? until = null,
        PageRequest? page = null,
        CancellationToken cancellationToken = default)
    {
        FilterInput.CheckRange(from, until);
        var pager = new Pager(_cursors, new QueryShape("conflicts").Add("from", from).Add("until", until), page);
        return await contexts.AskAsync(
            async (context, cancel) =>
            {
                var conflicts = Conflicts(
                    context, (from ?? DateTimeOffset.MinValue).ToUniversalTime(), (until ?? DateTimeOffset.MaxValue).ToUniversalTime());
                if (pager.Position is { } position)
                {
                    var time = (DateTimeOffset)position.Key[0]!;
                    var address = (IPAddress)position.Key[1]!;
                    var first = ((MacAddress)position.Key[2]!).ToPhysicalAddress();
                    var second = ((MacAddress)position.Key[3]!).ToPhysicalAddress();
                    conflicts = (pager.Backward, position.Inclusive) switch
                    {
                        (false, false) => conflicts.Where(c => EF.Functions.LessThan(
                            ValueTuple.Create(c.From, c.IpAddress, c.First, c.Second), ValueTuple.Create(time, address, first, second))),
                        (false, true) => conflicts.Where(c => EF.Functions.LessThanOrEqual(
                            ValueTuple.Create(c.From, c.IpAddress, c.First, c.Second), ValueTuple.Create(time, address, first, second))),
                        (true, false) => conflicts.Where(c => EF.Functions.GreaterThan(
                            ValueTuple.Create(c.From, c.IpAddress, c.First, c.Second), ValueTuple.Create(time, address, first, second))),
                        (true, true) => conflicts.Where(c => EF.Functions.GreaterThanOrEqual(
                            ValueTuple.Create(c.From, c.IpAddress, c.First, c.Second), ValueTuple.Create(time, address, first, second))),
                    };
                }

                var ordered = pager.Backward
                    ? conflicts.OrderBy(c => c.From).ThenBy(c => c.IpAddress).ThenBy(c => c.First).ThenBy(c => c.Second)
                    : conflicts.OrderByDescending(c => c.From).ThenByDescending(c => c.IpAddress).ThenByDescending(c => c.First).ThenByDescending(c => c.Second);
                var rows = await ordered.Take(pager.Take).ToListAsync(cancel).ConfigureAwait(false);
                var items = rows.ConvertAll(c => new AddressConflict
                {
                    IpAddress = c.IpAddress,
                    First = MacAddress.FromPhysicalAddress(c.First),
                    Second = MacAddress.FromPhysicalAddress(c.Second),
                    From = c.From,
                    To = c.To,
                });
                return pager.Cut(items, c => [c.From, c.IpAddress, c.First, c.Second]);
            },
            cancellationToken).ConfigureAwait(false);
    }

    // As the view address_conflicts has them, but of the claims that reach into a range: no condition on times gets below the view's
    // merging, and it would join all claims there ever were. A device may claim an address by a sighting and by an update at once: what overlaps of a
    // pair is one conflict.
    private static IQueryable<Conflict> Conflicts(CobaltGraphContext context, DateTimeOffset from, DateTimeOffset until)
        => context.Database.SqlQuery<Conflict>(
            $"""
            WITH claims AS (
                SELECT ip_address, mac_address, first_seen, last_seen
                FROM device_addresses
                WHERE source::text IN ('sighting', 'update') AND last_seen >= {from} AND first_seen < {until}
            ), common AS (
                SELECT a.ip_address, a.mac_address AS first, b.mac_address AS second,
                       greatest(a.first_seen, b.first_seen) AS begins, least(a.last_seen, b.last_seen) AS ends
                FROM claims AS a
                JOIN claims AS b
                    ON b.ip_address = a.ip_address AND b.mac_address > a.mac_address
                    AND b.first_seen <= a.last_seen AND b.last_seen >= a.first_seen
            ), apart AS (
                SELECT o.*, begins > max(ends) OVER (
                           PARTITION BY ip_address, first, second ORDER BY begins ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS is_apart
                FROM common AS o
            ), runs AS (
                SELECT a.*, count(*) FILTER (WHERE is_apart) OVER (
                           PARTITION BY ip_address, first, second ORDER BY begins ROWS UNBOUNDED PRECEDING) AS run
                FROM apart AS a
            )
            SELECT ip_address, first, second, min(begins) AS "from", max(ends) AS "to"
            FROM runs
            GROUP BY ip_address, first, second, run
            """);

    // In the driver's types: outside of the model there are no conversions.
    private sealed class Conflict
    {
        public IPAddress IpAddress { get; init; } = IPAddress.None;

        public PhysicalAddress First { get; init; } = PhysicalAddress.None;

        public PhysicalAddress Second { get; init; } = PhysicalAddress.None;

        public DateTimeOffset From { get; init; }

        public DateTimeOffset To { get; init; }
    }
}
