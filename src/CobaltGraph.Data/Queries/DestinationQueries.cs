using System.Net;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;

namespace CobaltGraph.Data.Queries;

internal sealed class DestinationQueries(IDbContextFactory<CobaltGraphContext> contexts, QueryOptions options) : IDestinationQueries
{
    // A day in any time zone. Of a table that holds little more, reading it as a whole would take less time.
    private static readonly TimeSpan ShortRange = TimeSpan.FromHours(26);

    private readonly CursorCodec _cursors = new(options.CursorKey);

    public async Task<Page<DestinationContact>> GetContactsAsync(
        IPAddress destination, PageRequest? page = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(destination);
        destination = destination.Unmapped();
        var pager = new Pager(_cursors, new QueryShape("contacts").Add("destination", destination), page);
        return await contexts.AskAsync(
            async (context, cancel) =>
            {
                var edges = context.DeviceDestinations.AsNoTracking().Where(e => e.DstIp == destination);
                if (pager.Position is { } position)
                {
                    var time = (DateTimeOffset)position.Key[0]!;
                    var source = (MacAddress)position.Key[1]!;
                    edges = (pager.Backward, position.Inclusive) switch
                    {
                        (false, false) => edges.Where(e => EF.Functions.GreaterThan(
                            ValueTuple.Create(e.FirstSeen, e.SrcMac), ValueTuple.Create(time, source))),
                        (false, true) => edges.Where(e => EF.Functions.GreaterThanOrEqual(
                            ValueTuple.Create(e.FirstSeen, e.SrcMac), ValueTuple.Create(time, source))),
                        (true, false) => edges.Where(e => EF.Functions.LessThan(
                            ValueTuple.Create(e.FirstSeen, e.SrcMac), ValueTuple.Create(time, source))),
                        (true, true) => edges.Where(e => EF.Functions.LessThanOrEqual(
                            ValueTuple.Create(e.FirstSeen, e.SrcMac), ValueTuple.Create(time, source))),
                    };
                }

                var ordered = pager.Backward
                    ? edges.OrderByDescending(e => e.FirstSeen).ThenByDescending(e => e.SrcMac)
                    : edges.OrderBy(e => e.FirstSeen).ThenBy(e => e.SrcMac);
                var rows = await ordered.Take(pager.Take).Select(e => new DestinationContact
                {
                    MacAddress = e.SrcMac,
                    Hostname = e.Device!.Hostname,
                    Vendor = e.Device.Vendor,
                    FirstSeen = e.FirstSeen,
                    LastSeen = e.LastSeen,
                    ConnectionCount = e.ConnectionCount,
                    ThreatCount = e.ThreatCount,
                    MaxThreatScore = e.MaxThreatScore,
                }).ReadAsync(context, cancel).ConfigureAwait(false);
                return pager.Cut(rows, contact => [contact.FirstSeen, contact.MacAddress]);
            },
            cancellationToken).ConfigureAwait(false);
    }

    public async Task<IReadOnlyList<DestinationPrevalence>> GetPrevalenceAsync(
        IReadOnlyCollection<IPAddress> destinations, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(destinations);
        FilterInput.CheckCount("destination", destinations, IDestinationQueries.MaxDestinations);
        IPAddress[] wanted = [.. destinations.Select(address => address.Unmapped()).Distinct()];
        var context = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        await using (context.ConfigureAwait(false))
        {
            var known = await context.DeviceDestinations
                .Where(e => wanted.Contains(e.DstIp))
                .GroupBy(e => e.DstIp)
                .Select(edges => new DestinationPrevalence
                {
                    DstIp = edges.Key,
                    DeviceCount = edges.LongCount(),
                    ConnectionCount = edges.Sum(e => e.ConnectionCount),
                    ThreatCount = edges.Sum(e => e.ThreatCount),
                    FirstSeen = edges.Min(e => e.FirstSeen),
                    LastSeen = edges.Max(e => e.LastSeen),
                })
                .ToDictionaryAsync(d => d.DstIp, cancellationToken).ConfigureAwait(false);
            return [.. wanted.Select(address => known.GetValueOrDefault(address) ?? new DestinationPrevalence { DstIp = address })];
        }
    }

    public async Task<Page<NewDestination>> GetNewAsync(
        DateTimeOffset since,
        bool newToAll = false,
        MacAddress? device = null,
        PageRequest? page = null,
        CancellationToken cancellationToken = default)
    {
        var shape = new QueryShape("new destinations").Add("since", since).Add("new-to-all", newToAll).Add("device", device);
        var pager = new Pager(_cursors, shape, page);
        return await contexts.AskAsync(
            async (context, cancel) =>
            {
                var edges = context.DeviceDestinations.AsNoTracking().Where(e => e.FirstSeen >= since);
                if (device is { } mac)
                    edges = edges.Where(e => e.SrcMac == mac);
                if (newToAll)
                    edges = edges.Where(e => !context.DeviceDestinations.Any(o => o.DstIp == e.DstIp && o.FirstSeen < since));
                if (pager.Position is { } position)
                {
                    var time = (DateTimeOffset)position.Key[0]!;
                    var source = (MacAddress)position.Key[1]!;
                    var address = (IPAddress)position.Key[2]!;
                    edges = (pager.Backward, position.Inclusive) switch
                    {
                        (false, false) => edges.Where(e => EF.Functions.LessThan(
                            ValueTuple.Create(e.FirstSeen, e.SrcMac, e.DstIp), ValueTuple.Create(time, source, address))),
                        (false, true) => edges.Where(e => EF.Functions.LessThanOrEqual(
                            ValueTuple.Create(e.FirstSeen, e.SrcMac, e.DstIp), ValueTuple.Create(time, source, address))),
                        (true, false) => edges.Where(e => EF.Functions.GreaterThan(
                            ValueTuple.Create(e.FirstSeen, e.SrcMac, e.DstIp), ValueTuple.Create(time, source, address))),
                        (true, true) => edges.Where(e => EF.Functions.GreaterThanOrEqual(
                            ValueTuple.Create(e.FirstSeen, e.SrcMac, e.DstIp), ValueTuple.Create(time, source, address))),
                    };
                }

                var ordered = pager.Backward
                    ? edges.OrderBy(e => e.FirstSeen).ThenBy(e => e.SrcMac).ThenBy(e => e.DstIp)
                    : edges.OrderByDescending(e => e.FirstSeen).ThenByDescending(e => e.SrcMac).ThenByDescending(e => e.DstIp);
                var rows = await ordered.Take(pager.Take).Select(e => new NewDestination
                {
                    SrcMac = e.SrcMac,
                    DstIp = e.DstIp,
                    FirstSeen = e.FirstSeen,
                    LastSeen = e.LastSeen,
                    ConnectionCount = e.ConnectionCount,
                    ThreatCount = e.ThreatCount,
                    MaxThreatScore = e.MaxThreatScore,
                    IsNewToAll = newToAll || !context.DeviceDestinations.Any(o => o.DstIp == e.DstIp && o.FirstSeen < since),
                }).ReadAsync(context, cancel).ConfigureAwait(false);
                return pager.Cut(rows, edge => [edge.FirstSeen, edge.SrcMac, edge.DstIp]);
            },
            cancellationToken).ConfigureAwait(false);
    }

    public async Task<TrafficRanking<TopTalker>> GetTopTalkersAsync(
        DateTimeOffset? from,
        DateTimeOffset? until,
        TrafficMeasure measure = TrafficMeasure.Connections,
        int limit = 10,
        CancellationToken cancellationToken = default)
    {
        Check(from, until, measure, limit);
        var context = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        await using (context.ConfigureAwait(false))
        {
            if (from is null && until is null && measure == TrafficMeasure.Connections)
            {
                var devices = await TopDevices(context, limit).ToListAsync(cancellationToken).ConfigureAwait(false);
                return Ranking(devices, measure, QueryTier.Device);
            }

            var hours = WholeHours.Of(from, until);
            var parts = hours is { } whole ? Parts(context, whole, from, until) : OfConnections(context, from, until);
            var totals = parts.GroupBy(part => part.SrcMac).Select(device => new Traffic
            {
                SrcMac = device.Key,
                Connections = device.Sum(part => part.Connections),
                Threats = device.Sum(part => part.Threats),
                Sent = device.Sum(part => part.Sent),
                Received = device.Sum(part => part.Received),
            });
            var first = measure == TrafficMeasure.Bytes
                ? totals.OrderByDescending(t => t.Sent + t.Received).ThenBy(t => t.SrcMac)
                : totals.OrderByDescending(t => t.Connections).ThenBy(t => t.SrcMac);
            var talkers = await first.Take(limit)
                .Join(context.Devices, t => t.SrcMac, d => d.MacAddress, (t, d) => new TopTalker
                {
                    MacAddress = t.SrcMac,
                    Hostname = d.Hostname,
                    Vendor = d.Vendor,
                    ConnectionCount = t.Connections,
                    ThreatCount = t.Threats,
                    BytesSent = t.Sent,
                    BytesReceived = t.Received,
                })
                .ToListAsync(cancellationToken).ConfigureAwait(false);
            return Ranking(talkers, measure, hours is null ? QueryTier.Raw : QueryTier.Hour);
        }
    }

    public async Task<TrafficRanking<TopDestination>> GetTopDestinationsAsync(
        DateTimeOffset? from,
        DateTimeOffset? until,
        TrafficMeasure measure = TrafficMeasure.Connections,
        int limit = 10,
        CancellationToken cancellationToken = default)
    {
        Check(from, until, measure, limit);
        var context = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        await using (context.ConfigureAwait(false))
        {
            if (from is null && until is null && measure == TrafficMeasure.Connections)
            {
                var edges = context.DeviceDestinations.GroupBy(e => e.DstIp).Select(destination => new TopDestination
                {
                    DstIp = destination.Key,
                    ConnectionCount = destination.Sum(e => e.ConnectionCount),
                    ThreatCount = destination.Sum(e => e.ThreatCount),
                });
                return await RankAsync(
                    edges.OrderByDescending(d => d.ConnectionCount), QueryTier.Edge, limit, cancellationToken).ConfigureAwait(false);
            }

            var raw = InRange(context, from, until).Where(c => c.SrcMac != null)
                .GroupBy(c => c.DstIp).Select(destination => new TopDestination
                {
                    DstIp = destination.Key,
                    ConnectionCount = destination.LongCount(),
                    ThreatCount = destination.LongCount(c => c.ThreatScore >= ThreatScale.ThreatThreshold),
                    Bytes = destination.Sum(c => (decimal)(c.BytesSent ?? 0) + (decimal)(c.BytesReceived ?? 0)),
                });
            return await RankAsync(
                measure == TrafficMeasure.Bytes ? raw.OrderByDescending(d => d.Bytes) : raw.OrderByDescending(d => d.ConnectionCount),
                QueryTier.Raw, limit, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<TrafficRanking<TopDestination>> RankAsync(
        IOrderedQueryable<TopDestination> destinations, QueryTier tier, int limit, CancellationToken cancellationToken)
        => new()
        {
            Items = await destinations.ThenBy(d => d.DstIp).Take(limit).ToListAsync(cancellationToken).ConfigureAwait(false),
            Tier = tier,
        };

    private static void Check(DateTimeOffset? from, DateTimeOffset? until, TrafficMeasure measure, int limit)
    {
        FilterInput.CheckRange(from, until);
        if (!Enum.IsDefined(measure))
            throw new QueryFilterException("measure", measure.ToString(), "is not a measure", "Connections, Bytes");
        new PageRequest { Limit = limit }.Check();
    }

    // A join keeps no order.
    private static TrafficRanking<TopTalker> Ranking(IEnumerable<TopTalker> talkers, TrafficMeasure measure, QueryTier tier) => new()
    {
        Items = [.. talkers
            .OrderByDescending(t => measure == TrafficMeasure.Bytes ? t.BytesSent + t.BytesReceived : t.ConnectionCount)
            .ThenBy(t => t.MacAddress)],
        Tier = tier,
    };

    private static IQueryable<TopTalker> TopDevices(CobaltGraphContext context, int limit)
        => context.Devices.Where(d => d.ConnectionCount > 0)
            .OrderByDescending(d => d.ConnectionCount).ThenBy(d => d.MacAddress)
            .Take(limit)
            .SelectMany(
                d => context.DeviceActivityHours.Where(h => h.SrcMac == d.MacAddress).GroupBy(h => h.SrcMac)
                    .Select(hours => new { Sent = hours.Sum(h => h.BytesSent), Received = hours.Sum(h => h.BytesReceived) })
                    .DefaultIfEmpty(),
                (d, hours) => new TopTalker
                {
                    MacAddress = d.MacAddress,
                    Hostname = d.Hostname,
                    Vendor = d.Vendor,
                    ConnectionCount = d.ConnectionCount,
                    ThreatCount = d.ThreatCount,
                    BytesSent = hours == null ? 0 : hours.Sent,
                    BytesReceived = hours == null ? 0 : hours.Received,
                });

    /// <summary>
    /// The connections of a range. The planner reckons reading a range by its index, which has a second column, to be dearer than
    /// it is, and for a day of a month it would read the month. Of bounds that it does not know it expects a range to be small.
    /// </summary>
    private static IQueryable<Connection> InRange(CobaltGraphContext context, DateTimeOffset? from, DateTimeOffset? until)
    {
        if (from is not { } first || until is not { } end || end - first > ShortRange)
            return context.Connections.Between(from, until);
        (first, end) = (first.ToUniversalTime(), end.ToUniversalTime());
        var begin = context.Database.SqlQuery<DateTimeOffset>($"""SELECT {first} AS "Value" """);
        var stop = context.Database.SqlQuery<DateTimeOffset>($"""SELECT {end} AS "Value" """);
        return context.Connections.Where(c => c.Timestamp >= begin.Single() && c.Timestamp < stop.Single());
    }

    /// <summary>Whole hours of each device, and the connections of the parts of hours before and behind them.</summary>
    private static IQueryable<Traffic> Parts(
        CobaltGraphContext context, WholeHours hours, DateTimeOffset? from, DateTimeOffset? until)
    {
        IQueryable<DeviceActivityHour> whole = context.DeviceActivityHours;
        if (hours.First is { } first)
            whole = whole.Where(h => h.Hour >= first);
        if (hours.End is { } end)
            whole = whole.Where(h => h.Hour < end);
        var parts = whole.Select(h => new Traffic
        {
            SrcMac = h.SrcMac,
            Connections = h.ConnectionCount,
            Threats = h.ThreatCount,
            Sent = h.BytesSent,
            Received = h.BytesReceived,
        });
        if (from < hours.First)
            parts = parts.Concat(OfConnections(context, from, hours.First));
        if (hours.End < until)
            parts = parts.Concat(OfConnections(context, hours.End, until));
        return parts;
    }

    private static IQueryable<Traffic> OfConnections(CobaltGraphContext context, DateTimeOffset? from, DateTimeOffset? until)
        => context.Connections.Between(from, until).Where(c => c.SrcMac != null).Select(c => new Traffic
        {
            SrcMac = c.SrcMac!.Value,
            Connections = 1,
            Threats = c.ThreatScore >= ThreatScale.ThreatThreshold ? 1 : 0,
            Sent = c.BytesSent ?? 0,
            Received = c.BytesReceived ?? 0,
        });

    private sealed class Traffic
    {
        public MacAddress SrcMac { get; init; }

        public long Connections { get; init; }

        public long Threats { get; init; }

        public decimal Sent { get; init; }

        public decimal Received { get; init; }
    }
}
