using System.Net;
using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;

namespace CobaltGraph.Data.Queries;

/// <summary>
/// One search. First it is narrowed: what the filter says of destinations is looked up in <c>destinations</c>, a low score of
/// theirs in the edges, and its source addresses in <c>device_addresses</c>; the triggers write all with every connection and nothing but a removed
/// device takes a row away, so that what is not there has no connections. Then the first rows of each candidate are
/// fetched and merged, which costs by candidate and not by what is stored. Every row is checked against the whole filter,
/// so that a candidate too many costs time and never gives a wrong row.
/// </summary>
internal sealed class ConnectionSearch(CobaltGraphContext context, ConnectionFilter filter)
{
    // Of so few devices the edges are read instead of all that is said of destinations.
    private const int FewDevices = 16;

    private const int SampledCandidates = 25;

    // Rows in order of time lie side by side, those of an index here and there: so many times fewer of them are looked through.
    private const int Scattered = 5;

    // Metadata that fewer of the rows at hand have is looked up by its index.
    private const int FewWithMetadata = 5;

    private readonly bool _oneAddress = filter.Destination is { } network && ConnectionQueryExtensions.IsOneAddress(network);

    private readonly bool _portsIndexed = filter.Ports is { } ports && ConnectionQueryExtensions.AreIndexed(ports);

    // Known once the source addresses have been looked up, and used by not too many devices.
    private List<Use>? _uses;

    // The index of metadata is in no order: beside another one the server would read a month of it for the day of a device. What
    // many rows have is therefore looked for along the other index, and hidden from the planner.
    private bool _isMetadataCommon;

    // What of all connections was looked through, in order of time.
    private Glance? _looked;

    /// <summary>Whether the latest are read first.</summary>
    public bool Descending { get; init; } = true;

    /// <summary>Where to begin; null for the very first row.</summary>
    public CursorPosition? Position { get; init; }

    /// <summary>Rows wanted.</summary>
    public int Take { get; init; }

    /// <summary>More candidates than this are no help.</summary>
    public int MaxCandidates { get; init; } = 2000;

    /// <summary>So many candidates are probed in all partitions at once.</summary>
    public int FewCandidates { get; init; } = 64;

    /// <summary>So many bindings of source addresses are read, with their times.</summary>
    public int MaxUses { get; init; } = 256;

    /// <summary>
    /// Rows that are looked through before anything is narrowed: what is common is found there, and everything, when a
    /// condition with an index leaves fewer.
    /// </summary>
    public int GlanceRows { get; init; } = 5000;

    /// <summary>At most so many times as many are looked through when they probably hold the page.</summary>
    public int GlanceGrowth { get; init; } = 8;

    /// <summary>
    /// The same within a range: where that has fewer rows than are to be looked through, the server reads and sorts all of
    /// them instead of the first in order, and the candidates have few rows there.
    /// </summary>
    public int GlanceGrowthInRange { get; init; } = 4;

    /// <summary>
    /// Where there are fewer rows than this, one statement reads all of them: that costs less than asking which of them can match.
    /// </summary>
    public int FewRows { get; init; } = 15_000;

    /// <summary>Rows of a score that are looked through: few connections have one, and their index is in order of time.</summary>
    public int ScoredRows { get; init; } = 200_000;

    /// <summary>
    /// Connections of devices, or of a category, that are looked through without asking whether their destinations have fewer.
    /// </summary>
    public long ManyConnections { get; init; } = 50_000;

    /// <summary>How the rows were found.</summary>
    public SearchStrategy Strategy { get; private set; }

    private bool IsImpossible
        => filter.Devices is { Count: 0 } || filter.Ports is { Count: 0 } || filter.Levels is { Count: 0 };

    /// <summary>Whether an index of connections leads to the rows of one value, common or rare, in order of time.</summary>
    private bool HasIndex
        => filter.Devices is { Count: <= FewDevices } || _oneAddress || filter.Category is not null || _portsIndexed;

    /// <summary>Whether the index of scores leads to the rows.</summary>
    private bool IsScored
        => filter.MinScore >= ThreatScale.MediumThreshold || (filter.Levels is { } levels && !levels.Contains(ThreatLevel.Low));

    /// <summary>Whether a score is asked for that has no index.</summary>
    private bool IsOfUnindexedScore => !IsScored && filter is not { MinScore: null, MaxScore: null, Levels: null };

    /// <summary>Whether nothing but metadata is asked for, and perhaps a range: the rows looked through tell how common it is.</summary>
    private bool IsOnlyOfMetadata
        => filter is { Metadata: not null, Source: null, Devices: null, MinScore: null, MaxScore: null, Levels: null } && !HasIndex && !AsksDestinations;

    /// <summary>The metadata, where many rows have it.</summary>
    private string? CommonMetadata => _isMetadataCommon ? filter.Metadata : null;

    /// <summary>Whether there is a lowest score, and none with an index.</summary>
    private bool IsOfLowScore => filter.MinScore > ThreatScale.Minimum && !IsScored;

    /// <summary>Whether <c>destinations</c> can tell more than the indexes of connections.</summary>
    private bool AsksDestinations
        => filter.Country is not null || filter.Organization is not null || filter.Hostname is not null || filter.Protocol is not null
           || (filter.Ports is not null && !_portsIndexed) || (filter.Destination is not null && !_oneAddress);

    // 0.0.0.0 and :: are what a device sends from before it has an address: device_addresses has neither, connections have both.
    private IPNetwork? HeldSource
        => filter.Source is { } network && !network.Contains(IPAddress.Any) && !network.Contains(IPAddress.IPv6Any) ? network : null;

    private DateTimeOffset? PositionTime => (DateTimeOffset?)Position?.Key[0];

    /// <summary>The rows, at most <see cref="Take"/>, in the direction of reading.</summary>
    public async Task<List<Connection>> RunAsync(CancellationToken cancellationToken)
    {
        if (IsImpossible)
            return Found(SearchStrategy.Empty, []);
        if (HeldSource is { } source)
        {
            _uses = await UsesAsync(source, cancellationToken).ConfigureAwait(false);
            if (_uses is { Count: 0 })
                return await WithThoseOfNoDeviceAsync(Found(SearchStrategy.Empty, []), cancellationToken).ConfigureAwait(false);
        }

        if (AsksDestinations || filter.Source is not null || (filter.Devices is not null && !HasIndex)
            || (filter.Metadata is not null && !IsOfUnindexedScore))
        {
            // Few rows may have a score that has no index, and edges tell of a low one: of destinations rows of any score are looked through.
            var next = AfterPosition(Indexed(withScores: !(IsOfUnindexedScore && AsksDestinations)));
            // The index alone tells how many rows it leaves; when they are few, they are read and nothing else is asked.
            var few = HasIndex && await HaveFewerAsync(GlanceRows, cancellationToken).ConfigureAwait(false);
            // A source has few devices, which are quickly asked themselves.
            var glance = few || (AsksDestinations && !HasIndex) ? GlanceRows : GlanceRows / Scattered;
            var byScore = IsScored && AsksDestinations && !HasIndex;
            if (byScore)
                glance = Math.Max(glance, ScoredRows);
            var seen = await LookThroughAsync(next, glance, cancellationToken).ConfigureAwait(false);
            if (few || seen.Count >= Take)
                return Found(SearchStrategy.TimeOrder, seen);
            if (!HasIndex && !IsOnlyOfMetadata && FewRows > 0 && filter is { MinScore: null, MaxScore: null, Levels: null })
            {
                // Texts are compared once a destination instead, which costs less than once a row.
                var hasText = filter.Organization is not null || filter.Hostname is not null;
                var ahead = await AheadAsync(hasText ? Math.Min(glance, FewRows) : FewRows, cancellationToken).ConfigureAwait(false);
                if (ahead.Count < Math.Min(glance, FewRows))
                    return Found(SearchStrategy.TimeOrder, seen);
                if (ahead.Count < FewRows && !hasText)
                    return await DirectAsync(new() { Metadata = filter.Metadata }, cancellationToken).ConfigureAwait(false);
                if (ahead.Count > 0)
                    _looked = new(ahead.End, ahead.Count, Math.Max(glance, Take), seen.Count);
            }

            // The page is probably found by reading on, which costs less than finding out which devices and destinations can match.
            var growth = filter.From is null || filter.Until is null ? GlanceGrowth : Math.Min(GlanceGrowth, GlanceGrowthInRange);
            if (HasIndex)
                growth = Math.Min(growth, Scattered);
            if (!byScore && seen.Count * growth >= Take + (Take / 4))
            {
                // Twice as many as hold the page when it goes on like this, and at least a quarter more.
                growth = Math.Min(growth, (2 * Take / seen.Count) + 1);
                seen = await LookThroughAsync(next, glance * growth, cancellationToken).ConfigureAwait(false);
                if (seen.Count >= Take)
                    return Found(SearchStrategy.TimeOrder, seen);
                if (_looked is not null)
                    _looked = _looked with { Looked = _looked.Looked * growth, Found = seen.Count };
            }

            if (byScore && await HaveFewerAsync(glance, cancellationToken).ConfigureAwait(false))
                return Found(SearchStrategy.TimeOrder, seen);
            // Of a rare category all rows are read before all those of the destinations that can match.
            if (AsksDestinations && filter.Category is { } category && await IsRareAsync(category, cancellationToken).ConfigureAwait(false))
                return await DirectAsync(new(), cancellationToken).ConfigureAwait(false);
            // So of rare metadata. What devices rarely have may be common elsewhere: theirs is left to the planner, device by device.
            _isMetadataCommon = IsOnlyOfMetadata
                ? seen.Count > 0
                : filter.Metadata is not null
                  && (seen.Count >= FewWithMetadata || await IsMetadataCommonAsync(cancellationToken).ConfigureAwait(false));
            if (filter is { Metadata: not null, Devices: null } && !_isMetadataCommon)
                return await RareAsync(cancellationToken).ConfigureAwait(false);
        }

        var devices = await DevicesAsync(cancellationToken).ConfigureAwait(false);
        if (AsksDestinations && devices is { Count: > 0 and <= FewDevices })
        {
            var rows = await SentLittleAsync(devices, cancellationToken).ConfigureAwait(false)
                ? Found(SearchStrategy.ByDevice, await FetchOfDevicesAsync(devices, RowsOfEdges, cancellationToken).ConfigureAwait(false))
                : await FromFewDevicesAsync(devices, cancellationToken).ConfigureAwait(false);
            return await WithThoseOfNoDeviceAsync(rows, cancellationToken).ConfigureAwait(false);
        }

        if (AsksDestinations)
        {
            var destinations = await DestinationsAsync(cancellationToken).ConfigureAwait(false);
            if (destinations is { Count: 0 })
                return Found(SearchStrategy.Empty, []);
            if (destinations is not null && IsOfLowScore)
                return await FromScoredAsync(destinations, cancellationToken).ConfigureAwait(false);
            if (destinations is not null)
            {
                return Found(
                    SearchStrategy.ByDestination,
                    await FetchAsync(destinations, PerDestination, RowsOfDestinations, cancellationToken).ConfigureAwait(false));
            }
        }

        // A category or a rare port has an index of its own, which may leave less.
        if (devices is null && _oneAddress && IsOfLowScore && filter.Category is null && filter.Ports is null)
            return await FromScoredAsync([new Candidate<IPAddress>(filter.Destination!.Value.BaseAddress)], cancellationToken).ConfigureAwait(false);

        if (devices is null)
        {
            var isInOrder = HasIndex || (Descending ? filter.From : filter.Until) is not null;
            return await DirectAsync(new() { Metadata = isInOrder ? CommonMetadata : null }, cancellationToken).ConfigureAwait(false);
        }

        // For each of many devices the server may read the other index from its begin.
        if (HasIndex && _uses is null && filter.Devices is null && await IndexHasFewerAsync(devices, cancellationToken).ConfigureAwait(false))
            return await DirectAsync(new() { Source = filter.Source, Metadata = CommonMetadata }, cancellationToken).ConfigureAwait(false);

        var found = Found(
            devices.Count == 0 ? SearchStrategy.Empty : SearchStrategy.ByDevice,
            await FetchOfDevicesAsync(devices, RowsOfDevices, cancellationToken).ConfigureAwait(false));
        return await WithThoseOfNoDeviceAsync(found, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>How many rows there are, up to one more than a cap.</summary>
    public async Task<long> CountAsync(int cap, CancellationToken cancellationToken)
    {
        if (IsImpossible)
            return 0;

        var rows = Rows(null, null);
        if (AsksDestinations)
        {
            var addresses = await AddressesAsync(cancellationToken).ConfigureAwait(false);
            if (addresses is { Count: 0 })
                return 0;
            if (addresses is not null)
                return await rows.Where(c => addresses.Contains(c.DstIp)).Take(cap + 1).LongCountAsync(cancellationToken).ConfigureAwait(false);
        }

        if (HeldSource is { } source)
            _uses = await UsesAsync(source, cancellationToken).ConfigureAwait(false);
        var devices = HeldSource is null ? null : await DevicesAsync(cancellationToken).ConfigureAwait(false);
        if (devices is null)
        {
            // In order of time, as the indexes have them, the cap is soon reached where many match. Of devices and metadata the
            // server knows better what is rare.
            if (filter is { Devices: null, Metadata: null })
                rows = rows.OrderByDescending(c => c.Timestamp);
            return await rows.Take(cap + 1).LongCountAsync(cancellationToken).ConfigureAwait(false);
        }

        MacAddress?[] macs = [.. devices.Select(device => (MacAddress?)device.Key)];
        var ofDevices = rows.Where(c => macs.Contains(c.SrcMac));
        if (_uses is { Count: > 0 })
        {
            var (first, last) = (_uses.Min(use => use.First), _uses.Max(use => use.Last));
            ofDevices = ofDevices.Where(c => c.Timestamp >= first && c.Timestamp <= last);
        }

        var count = macs.Length == 0 ? 0 : await ofDevices.Take(cap + 1).LongCountAsync(cancellationToken).ConfigureAwait(false);
        if (count <= cap && filter.Devices is null)
        {
            count += await rows.Where(c => c.SrcMac == null).Take(cap + 1).LongCountAsync(cancellationToken).ConfigureAwait(false);
        }

        return count;
    }

    /// <summary>Whether the conditions that have an index leave fewer rows, and perhaps some of the position's time.</summary>
    private async Task<bool> HaveFewerAsync(int count, CancellationToken cancellationToken)
        => (await AheadAsync(count, cancellationToken).ConfigureAwait(false)).Count < count;

    // In order of time, as the indexes have them: in none, the server may look up all there are before it counts the first. And
    // by the time alone, which is in the index: for the id it would look at every row.
    private async Task<Ahead> AheadAsync(int most, CancellationToken cancellationToken)
    {
        var rows = Indexed();
        if (PositionTime is { } time)
            rows = Descending ? rows.Where(c => c.Timestamp <= time) : rows.Where(c => c.Timestamp >= time);
        rows = Descending ? rows.OrderByDescending(c => c.Timestamp) : rows.OrderBy(c => c.Timestamp);
        var ahead = rows.Take(most).GroupBy(_ => 1);
        var counted = Descending
            ? ahead.Select(g => new { Count = g.Count(), End = g.Min(c => c.Timestamp) })
            : ahead.Select(g => new { Count = g.Count(), End = g.Max(c => c.Timestamp) });
        return await counted.ReadAsync(context, cancellationToken).ConfigureAwait(false) is [var found]
            ? new(found.Count, found.End)
            : new(0, default);
    }

    /// <summary>The matching ones of the first rows, at most a page of them.</summary>
    private Task<List<Connection>> LookThroughAsync(IQueryable<Connection> rows, int count, CancellationToken cancellationToken)
        => InOrder(InOrder(rows).Take(Math.Max(count, Take)).Matching(filter)).Take(Take).ReadAsync(context, cancellationToken);

    /// <summary>One statement with all conditions, of which the planner is not told some.</summary>
    private async Task<List<Connection>> DirectAsync(ConnectionFilter hidden, CancellationToken cancellationToken)
    {
        var told = filter with
        {
            Source = hidden.Source is null ? filter.Source : null,
            Metadata = hidden.Metadata is null ? filter.Metadata : null,
        };
        var rows = AfterPosition(Readable(null, null).Matching(told).MatchingUnestimated(hidden));
        return Found(SearchStrategy.Direct, await InOrder(rows).Take(Take).ReadAsync(context, cancellationToken).ConfigureAwait(false));
    }

    // The planner takes nothing for rarer than one row of ten thousand, and for a short page it would rather read in order of time.
    private async Task<List<Connection>> RareAsync(CancellationToken cancellationToken)
    {
        var rows = await InOrder(Rows(null, null)).Take(Math.Max(Take, PageRequest.MaxLimit)).ReadAsync(context, cancellationToken).ConfigureAwait(false);
        return Found(SearchStrategy.Direct, rows.Count > Take ? rows.GetRange(0, Take) : rows);
    }

    private List<Connection> Found(SearchStrategy strategy, List<Connection> rows)
    {
        Strategy = strategy;
        return rows;
    }

    /// <summary>The rows that meet those conditions that have an index, and scores, which may have none.</summary>
    private IQueryable<Connection> Indexed(bool withScores = true)
    {
        var indexed = filter with
        {
            Devices = filter.Devices is { Count: <= FewDevices } ? filter.Devices : null,
            Source = null,
            Destination = _oneAddress ? filter.Destination : null,
            Ports = _portsIndexed ? filter.Ports : null,
            Protocol = null,
            Country = null,
            Organization = null,
            Hostname = null,
            Metadata = null,
            MinScore = withScores ? filter.MinScore : null,
            MaxScore = withScores ? filter.MaxScore : null,
            Levels = withScores ? filter.Levels : null,
        };
        return Readable(null, null).Matching(indexed);
    }

    /// <summary>The devices that can match; null when any can, or too many.</summary>
    private async Task<IReadOnlyList<Candidate<MacAddress>>?> DevicesAsync(CancellationToken cancellationToken)
    {
        MacAddress[]? wanted = filter.Devices is null ? null : [.. filter.Devices.Distinct()];
        if (wanted is null && HeldSource is null)
            return null;
        if (wanted is not null && wanted.Length <= FewCandidates && HeldSource is null)
            return [.. wanted.Select(mac => new Candidate<MacAddress>(mac))];

        if (_uses is not null)
        {
            MacAddress[] users = [.. _uses.Select(use => use.Device).Distinct()];
            if (users.Length <= FewCandidates)
                return [.. users.Select(mac => new Candidate<MacAddress>(mac))];
            wanted = users;
        }

        var devices = context.Devices.AsNoTracking();
        if (wanted is not null)
            devices = devices.Where(d => wanted.Contains(d.MacAddress));
        if (_uses is null && HeldSource is { } network)
        {
            var used = Used(network);
            devices = devices.Where(d => used.Any(a => a.MacAddress == d.MacAddress));
        }

        var found = await devices
            .OrderBy(d => d.MacAddress)
            .Take(MaxCandidates + 1)
            .Select(d => new { d.MacAddress, d.FirstSeen, d.LastActivity, d.ConnectionCount })
            .ReadAsync(context, cancellationToken).ConfigureAwait(false);
        return found.Count > MaxCandidates
            ? null
            : found.ConvertAll(d => new Candidate<MacAddress>(d.MacAddress, d.FirstSeen, d.LastActivity, d.ConnectionCount));
    }

    /// <summary>Bindings of the addresses of a network, of the traffic that came from them.</summary>
    private IQueryable<DeviceAddress> Used(IPNetwork network)
    {
        var address = network.BaseAddress;
        var used = context.DeviceAddresses.AsNoTracking().Where(a => a.Source == AddressSource.Traffic);
        return ConnectionQueryExtensions.IsOneAddress(network)
            ? used.Where(a => a.IpAddress == address)
            : used.Where(a => EF.Functions.ContainedByOrEqual(a.IpAddress, network));
    }

    /// <summary>Which devices used the source addresses, and when, as far as the filter and the position leave it; null when too often.</summary>
    private async Task<List<Use>?> UsesAsync(IPNetwork network, CancellationToken cancellationToken)
    {
        // What is earlier than .NET's times cannot be read, and is in no answer.
        var earliest = ConnectionQueryExtensions.Earliest;
        var from = Later(filter.From?.ToUniversalTime(), Descending ? null : PositionTime) is { } begin && begin > earliest ? begin : earliest;
        var until = Earlier(filter.Until?.ToUniversalTime(), Descending ? PositionTime : null);
        var used = Used(network).Where(a => a.LatestConnection == null || a.LatestConnection >= from);
        if (until is { } end)
            used = used.Where(a => a.FirstSeen <= end);
        var uses = await used
            .Take(MaxUses + 1)
            .Select(a => new Use(
                a.MacAddress, a.FirstSeen < earliest ? earliest : a.FirstSeen, a.LatestConnection ?? DateTimeOffset.MaxValue))
            .ReadAsync(context, cancellationToken).ConfigureAwait(false);
        return uses.Count > MaxUses ? null : uses.FindAll(use => filter.Devices?.Contains(use.Device) != false);
    }

    /// <summary>The addresses of destinations that can match; null when too many can.</summary>
    private async Task<List<IPAddress>?> AddressesAsync(CancellationToken cancellationToken)
    {
        var addresses = await context.Destinations.AsNoTracking().Matching(filter)
            .Select(d => d.DstIp).Distinct().OrderBy(ip => ip)
            .Take(MaxCandidates + 1)
            .ReadAsync(context, cancellationToken).ConfigureAwait(false);
        // One with a prefix length, and one without, are two for the server and one here.
        return addresses.Count > MaxCandidates ? null : [.. addresses.Distinct()];
    }

    /// <summary>The destinations that can match; null when too many can.</summary>
    private async Task<IReadOnlyList<Candidate<IPAddress>>?> DestinationsAsync(CancellationToken cancellationToken)
    {
        var addresses = await AddressesAsync(cancellationToken).ConfigureAwait(false);
        if (addresses is null)
            return null;
        // Where some rows match, and in a range, the first rows tell how long to read; else edges tell how far away the rows are.
        var isNear = _looked is not null && (_looked.Found > 0 || (Descending ? filter.From : filter.Until) is not null);
        if (addresses.Count <= FewCandidates || isNear)
            return addresses.ConvertAll(address => new Candidate<IPAddress>(address));

        // How many connections they have is a hint, for which some of them speak for all.
        var step = Math.Max(1, addresses.Count / SampledCandidates);
        IPAddress[] sample = [.. addresses.Where((_, i) => i % step == 0)];
        var edges = await context.DeviceDestinations.AsNoTracking()
            .Where(e => sample.Contains(e.DstIp))
            .GroupBy(e => e.DstIp)
            .Select(g => new { g.Key, Last = g.Max(e => e.LastSeen), Count = g.Sum(e => e.ConnectionCount), First = g.Min(e => e.FirstSeen) })
            .ToDictionaryAsync(edge => edge.Key, cancellationToken).ConfigureAwait(false);
        return addresses.ConvertAll(address => edges.TryGetValue(address, out var edge)
            ? new Candidate<IPAddress>(address, edge.First, edge.Last, edge.Count * addresses.Count / sample.Length)
            : new Candidate<IPAddress>(address));
    }

    private async Task<List<Connection>> FromFewDevicesAsync(
        IReadOnlyList<Candidate<MacAddress>> devices, CancellationToken cancellationToken)
    {
        MacAddress[] macs = [.. devices.Select(device => device.Key)];
        var matching = context.Destinations.Matching(filter);
        var edges = await context.DeviceDestinations.AsNoTracking()
            .Where(e => macs.Contains(e.SrcMac) && matching.Any(d => d.DstIp == e.DstIp))
            .Select(e => new { e.SrcMac, e.DstIp, e.FirstSeen, e.LastSeen, e.ConnectionCount })
            .ReadAsync(context, cancellationToken).ConfigureAwait(false);
        if (edges.Count == 0)
            return Found(SearchStrategy.Empty, []);

        IPAddress[] addresses = [.. edges.Select(edge => edge.DstIp).Distinct()];
        var reached = edges
            .GroupBy(edge => edge.SrcMac)
            .Select(g => new Candidate<MacAddress>(
                g.Key, g.Min(edge => edge.FirstSeen), g.Max(edge => edge.LastSeen), g.Sum(edge => edge.ConnectionCount)))
            .ToList();
        if (addresses.Length <= FewCandidates
            && await DestinationsHaveFewerAsync(macs, addresses, cancellationToken).ConfigureAwait(false))
        {
            return Found(
                SearchStrategy.ByDestination,
                await FetchAsync(
                    [.. addresses.Select(address => new Candidate<IPAddress>(address))],
                    (keys, rows) => PerDestination(keys, rows.MatchingUnestimated(new ConnectionFilter { Devices = macs })), RowsOfDestinations,
                    cancellationToken).ConfigureAwait(false));
        }

        return Found(
            SearchStrategy.ByDevice,
            await FetchOfDevicesAsync(
                reached, (from, until) => RowsOfEdges(from, until).Where(c => Unestimated.Holds(addresses.Contains(c.DstIp))),
                cancellationToken)
                .ConfigureAwait(false));
    }

    /// <summary>Rows of destinations whose edges reach the score; of rows without a device there are no edges.</summary>
    private async Task<List<Connection>> FromScoredAsync(
        IReadOnlyList<Candidate<IPAddress>> destinations, CancellationToken cancellationToken)
    {
        var lowest = filter.MinScore!.Value;
        IPAddress[] addresses = [.. destinations.Select(destination => destination.Key)];
        var reaching = (await context.DeviceDestinations.Where(e => addresses.Contains(e.DstIp) && e.MaxThreatScore >= lowest)
            .Select(e => e.DstIp).Distinct()
            .ReadAsync(context, cancellationToken).ConfigureAwait(false)).ToHashSet();
        var rows = await FetchAsync(
            [.. destinations.Where(destination => reaching.Contains(destination.Key))], PerDestination, RowsOfDestinations, cancellationToken)
            .ConfigureAwait(false);
        var others = await FetchAsync(
            destinations, (keys, connections) => PerDestination(keys, connections.Where(c => c.SrcMac == null)), RowsOfDestinations, cancellationToken)
            .ConfigureAwait(false);
        return Found(SearchStrategy.ByDestination, Merge(rows, others));
    }

    /// <summary>Whether devices that used the source addresses have so few connections in these times that all can be read.</summary>
    private async Task<bool> SentLittleAsync(IReadOnlyList<Candidate<MacAddress>> devices, CancellationToken cancellationToken)
    {
        if (_uses is null)
            return false;
        MacAddress[] macs = [.. devices.Select(device => device.Key)];
        var from = _uses.Min(use => use.First);
        var until = _uses.Max(use => use.Last);
        if (filter.From > from)
            from = filter.From.Value;
        if (filter.Until < until)
            until = filter.Until.Value;
        // The hour of the first one begins before it.
        var hour = from < DateTimeOffset.MinValue.AddHours(1) ? from : from.AddHours(-1);
        return await context.DeviceActivityHours.Where(h => macs.Contains(h.SrcMac) && h.Hour > hour && h.Hour <= until)
            .SumAsync(h => h.ConnectionCount, cancellationToken).ConfigureAwait(false) <= 3 * GlanceRows;
    }

    private async Task<bool> IsRareAsync(string category, CancellationToken cancellationToken)
        => await ConnectionsOfAsync(category, cancellationToken).ConfigureAwait(false) <= ManyConnections;

    private Task<long> ConnectionsOfAsync(string category, CancellationToken cancellationToken)
        => context.DeviceThreatCounts.Where(c => c.ThreatCategory == category).SumAsync(c => c.ConnectionCount, cancellationToken);

    private Task<long> ConnectionsOfAsync(IPAddress[] destinations, CancellationToken cancellationToken)
        => context.DeviceDestinations.Where(e => destinations.Contains(e.DstIp)).SumAsync(e => e.ConnectionCount, cancellationToken);

    /// <summary>Whether some of the first rows have the metadata, whatever score they have.</summary>
    private async Task<bool> IsMetadataCommonAsync(CancellationToken cancellationToken)
    {
        var rows = AfterPosition(Indexed(withScores: !IsOfUnindexedScore));
        return await InOrder(rows).Take(GlanceRows).Matching(new ConnectionFilter { Metadata = filter.Metadata }).Take(FewWithMetadata)
            .CountAsync(cancellationToken).ConfigureAwait(false) == FewWithMetadata;
    }

    /// <summary>Whether the index of an address, a category or a port leaves fewer rows than many devices have.</summary>
    private async Task<bool> IndexHasFewerAsync(IReadOnlyList<Candidate<MacAddress>> devices, CancellationToken cancellationToken)
    {
        var ofDevices = devices.Sum(device => device.Count);
        if (ofDevices <= ManyConnections)
            return false;
        if (_oneAddress)
            return await ConnectionsOfAsync([filter.Destination!.Value.BaseAddress], cancellationToken).ConfigureAwait(false) < ofDevices;
        // Nothing tells how many connections have a port; those that most have are not among the indexed ones.
        return filter.Category is not { } category
            || await ConnectionsOfAsync(category, cancellationToken).ConfigureAwait(false) < ofDevices;
    }

    private async Task<bool> DestinationsHaveFewerAsync(MacAddress[] macs, IPAddress[] addresses, CancellationToken cancellationToken)
    {
        var ofDevices = await context.Devices.Where(d => macs.Contains(d.MacAddress))
            .SumAsync(d => d.ConnectionCount, cancellationToken).ConfigureAwait(false);
        return ofDevices > ManyConnections
            && await ConnectionsOfAsync(addresses, cancellationToken).ConfigureAwait(false) < ofDevices;
    }

    // A device that is removed between two statements has its rows in both.
    private List<Connection> Merge(List<Connection> rows, List<Connection> others)
    {
        if (others.Count == 0)
            return rows;
        var merged = rows.Concat(others).DistinctBy(c => c.Id);
        return [.. (Descending
            ? merged.OrderByDescending(c => c.Timestamp).ThenByDescending(c => c.Id)
            : merged.OrderBy(c => c.Timestamp).ThenBy(c => c.Id)).Take(Take)];
    }

    /// <summary>Adds the rows from a source address that no device is known for.</summary>
    private async Task<List<Connection>> WithThoseOfNoDeviceAsync(List<Connection> rows, CancellationToken cancellationToken)
    {
        if (HeldSource is null || filter.Devices is not null)
            return rows;
        var others = await InOrder(Rows(null, null).Where(c => c.SrcMac == null)).Take(Take)
            .ReadAsync(context, cancellationToken).ConfigureAwait(false);
        if (others.Count == 0)
            return rows;
        if (Strategy == SearchStrategy.Empty)
            Strategy = SearchStrategy.Direct;
        return Merge(rows, others);
    }

    /// <summary>The first rows of devices; with source addresses, of the times in which they used these.</summary>
    private async Task<List<Connection>> FetchOfDevicesAsync(
        IReadOnlyList<Candidate<MacAddress>> devices,
        Func<DateTimeOffset?, DateTimeOffset?, IQueryable<Connection>> within,
        CancellationToken cancellationToken)
    {
        if (_uses is null)
            return await FetchAsync(devices, PerUse, within, cancellationToken).ConfigureAwait(false);
        var found = new List<Connection>();
        var macs = devices.ToDictionary(device => device.Key);
        var times = UsedTime.Join(_uses.Where(use => macs.ContainsKey(use.Device)));
        foreach (var time in Descending ? times.Reverse() : times)
        {
            await FetchAsync(
                found, [.. time.Devices.Select(mac => macs[mac])], PerUse, within, time.From, time.Until, cancellationToken).ConfigureAwait(false);
            if (found.Count >= Take)
                break;
        }

        return found;
    }

    private async Task<List<Connection>> FetchAsync<TKey>(
        IReadOnlyList<Candidate<TKey>> candidates,
        Func<TKey[], IQueryable<Connection>, IQueryable<Connection>> perCandidate,
        Func<DateTimeOffset?, DateTimeOffset?, IQueryable<Connection>> within,
        CancellationToken cancellationToken)
    {
        var found = new List<Connection>();
        await FetchAsync(found, candidates, perCandidate, within, null, null, cancellationToken).ConfigureAwait(false);
        return found;
    }

    /// <summary>Adds rows of a time, until there are as many as are wanted.</summary>
    private async Task FetchAsync<TKey>(
        List<Connection> found,
        IReadOnlyList<Candidate<TKey>> candidates,
        Func<TKey[], IQueryable<Connection>, IQueryable<Connection>> perCandidate,
        Func<DateTimeOffset?, DateTimeOffset?, IQueryable<Connection>> within,
        DateTimeOffset? first,
        DateTimeOffset? last,
        CancellationToken cancellationToken)
    {
        if (candidates.Count == 0)
            return;
        var (begin, end) = (Later(filter.From, first), Earlier(filter.Until, last));
        var before = found.Count;
        var slices = candidates.Count <= FewCandidates
            ? [(null, null)]
            : _looked is not null && candidates.All(candidate => candidate.Count == 0)
            ? await SlicesAsync(_looked, Descending ? begin : end, Take - before, () => found.Count - before, cancellationToken).ConfigureAwait(false)
            : TimeSlices.Cut(
                candidates,
                Descending ? Earlier(PositionTime, end) : Later(PositionTime, begin),
                Descending ? begin : end,
                Descending,
                Take - before,
                () => found.Count - before);
        TKey[] keys = [.. candidates.Select(candidate => candidate.Key)];
        foreach (var (from, until) in slices)
        {
            var rows = perCandidate(keys, within(Later(from, first), Earlier(until, last)));
            found.AddRange(await InOrder(rows).Take(Take - found.Count).ReadAsync(context, cancellationToken).ConfigureAwait(false));
            if (found.Count >= Take)
                break;
        }
    }

    /// <summary>Times to read one after the other, by what was looked through.</summary>
    private async Task<IEnumerable<(DateTimeOffset? From, DateTimeOffset? Until)>> SlicesAsync(
        Glance looked, DateTimeOffset? limit, int wanted, Func<int> found, CancellationToken cancellationToken)
    {
        // The very first rows may be of a sensor whose clock is wrong.
        var skipped = looked.Ahead / 10;
        var origin = await TimeAsync(AfterPosition(Indexed()), Descending, skipped, cancellationToken).ConfigureAwait(false);
        limit ??= await TimeAsync(Indexed(), !Descending, 0, cancellationToken).ConfigureAwait(false);
        if (origin is null || limit is null)
            return [(null, null)];
        var pace = (double)Math.Abs((looked.End - origin.Value).Ticks) / (looked.Ahead - skipped);
        return TimeSlices.Cut(
            origin.Value, limit.Value, Descending, TimeSlices.Again(pace * looked.Looked, Take, looked.Found), wanted, found);
    }

    /// <summary>The time of one of the first rows.</summary>
    private async Task<DateTimeOffset?> TimeAsync(IQueryable<Connection> rows, bool descending, int skipped, CancellationToken cancellationToken)
    {
        rows = descending ? rows.OrderByDescending(c => c.Timestamp) : rows.OrderBy(c => c.Timestamp);
        var times = await rows.Select(c => c.Timestamp).Skip(skipped).Take(1).ReadAsync(context, cancellationToken).ConfigureAwait(false);
        return times is [var time] ? time : null;
    }

    private static DateTimeOffset? Later(DateTimeOffset? one, DateTimeOffset? other) => one is null || other > one ? other : one;

    private static DateTimeOffset? Earlier(DateTimeOffset? one, DateTimeOffset? other) => one is null || other < one ? other : one;

    // "Equal and not greater": of an equality alone EF Core makes a join that numbers all rows of all candidates, where a
    // LATERAL join stops at the first few of each.
    internal IQueryable<Connection> PerDestination(IPAddress[] addresses, IQueryable<Connection> rows)
    {
        var take = Take;
        if (addresses is [var only])
            return rows.Where(c => c.DstIp == only);
        var each = context.Database.SqlQuery<IPAddress>($"SELECT unnest({addresses}) AS \"Value\"");
        return Descending
            ? each.SelectMany(ip => rows.Where(c => c.DstIp == ip && EF.Functions.LessThanOrEqual(c.DstIp, ip))
                .OrderByDescending(c => c.Timestamp).ThenByDescending(c => c.Id).Take(take))
            : each.SelectMany(ip => rows.Where(c => c.DstIp == ip && EF.Functions.LessThanOrEqual(c.DstIp, ip))
                .OrderBy(c => c.Timestamp).ThenBy(c => c.Id).Take(take));
    }

    internal IQueryable<Connection> PerDevice(MacAddress[] macs, IQueryable<Connection> rows)
    {
        var take = Take;
        if (macs is [var only])
            return rows.Where(c => c.SrcMac == only);
        var each = context.Devices.Where(d => macs.Contains(d.MacAddress));
        return Descending
            ? each.SelectMany(d => rows.Where(c => c.SrcMac == d.MacAddress && c.SrcMac <= d.MacAddress)
                .OrderByDescending(c => c.Timestamp).ThenByDescending(c => c.Id).Take(take))
            : each.SelectMany(d => rows.Where(c => c.SrcMac == d.MacAddress && c.SrcMac <= d.MacAddress)
                .OrderBy(c => c.Timestamp).ThenBy(c => c.Id).Take(take));
    }

    /// <summary>As <see cref="PerDevice"/>; of several, each from its first use of a source address to its last.</summary>
    internal IQueryable<Connection> PerUse(MacAddress[] macs, IQueryable<Connection> rows)
    {
        if (macs.Length == 1 || HeldSource is not { } network)
            return PerDevice(macs, rows);
        var take = Take;
        var uses = Used(network).Where(a => macs.Contains(a.MacAddress))
            .GroupBy(a => a.MacAddress)
            .Select(g => new { g.Key, From = g.Min(a => a.FirstSeen), Until = g.Max(a => a.LatestConnection ?? DateTimeOffset.MaxValue) });
        return Descending
            ? uses.SelectMany(u => rows
                .Where(c => c.SrcMac == u.Key && c.SrcMac <= u.Key && c.Timestamp >= u.From && c.Timestamp <= u.Until)
                .OrderByDescending(c => c.Timestamp).ThenByDescending(c => c.Id).Take(take))
            : uses.SelectMany(u => rows
                .Where(c => c.SrcMac == u.Key && c.SrcMac <= u.Key && c.Timestamp >= u.From && c.Timestamp <= u.Until)
                .OrderBy(c => c.Timestamp).ThenBy(c => c.Id).Take(take));
    }

    private IQueryable<Connection> Rows(DateTimeOffset? from, DateTimeOffset? until)
        => AfterPosition(Readable(from, until).Matching(filter));

    /// <summary>Rows of a range whose time .NET has; where the filter or the position bounds it, that is enough.</summary>
    private IQueryable<Connection> Readable(DateTimeOffset? from, DateTimeOffset? until)
    {
        var rows = context.Connections.AsNoTracking();
        if (from is null && !(filter.From > DateTimeOffset.MinValue) && (Position is null || Descending))
            rows = rows.FromEarliest();
        if (until is null && !(filter.Until < DateTimeOffset.MaxValue) && (Position is null || !Descending))
            rows = rows.UntilLatest();
        return rows.Between(from, until);
    }

    /// <summary>Rows of destinations, from which most of the filter follows.</summary>
    private IQueryable<Connection> RowsOfDestinations(DateTimeOffset? from, DateTimeOffset? until)
        => AfterPosition(Readable(from, until).MatchingUnestimated(filter));

    /// <summary>Rows of devices, from which their source addresses follow, and metadata that is not rare; nothing else.</summary>
    internal IQueryable<Connection> RowsOfDevices(DateTimeOffset? from, DateTimeOffset? until)
    {
        var rest = filter with { Devices = null, Source = null, Metadata = _isMetadataCommon ? null : filter.Metadata };
        return AfterPosition(Readable(from, until).Matching(rest)
            .MatchingUnestimated(new ConnectionFilter { Devices = filter.Devices, Source = filter.Source, Metadata = CommonMetadata }));
    }

    /// <summary>Rows of devices with those of their destinations that the filter leaves, and metadata that is not rare.</summary>
    internal IQueryable<Connection> RowsOfEdges(DateTimeOffset? from, DateTimeOffset? until)
    {
        var rest = new ConnectionFilter
        {
            From = filter.From,
            Until = filter.Until,
            Levels = filter.Levels,
            MinScore = filter.MinScore,
            MaxScore = filter.MaxScore,
            Category = filter.Category,
            Metadata = _isMetadataCommon ? null : filter.Metadata,
        };
        var ofEdges = filter with
        {
            From = null, Until = null, Levels = null, MinScore = null, MaxScore = null, Category = null, Metadata = CommonMetadata,
        };
        return AfterPosition(Readable(from, until).Matching(rest).MatchingUnestimated(ofEdges));
    }

    private IQueryable<Connection> InOrder(IQueryable<Connection> rows) => Descending
        ? rows.OrderByDescending(c => c.Timestamp).ThenByDescending(c => c.Id)
        : rows.OrderBy(c => c.Timestamp).ThenBy(c => c.Id);

    // The bound on the time alone prunes partitions and bounds every index; the rest tells rows of one instant apart.
    private IQueryable<Connection> AfterPosition(IQueryable<Connection> rows)
    {
        if (Position is null)
            return rows;
        var time = PositionTime!.Value;
        var id = (long)Position.Key[1]!;
        if (Position.Inclusive)
            id += Descending ? 1 : -1;
        return Descending
            ? rows.Where(c => c.Timestamp <= time).Where(c => c.Timestamp < time || c.Id < id)
            : rows.Where(c => c.Timestamp >= time).Where(c => c.Timestamp > time || c.Id > id);
    }

    /// <summary>So many of the next rows, and the time of the last of them in the direction of reading.</summary>
    private sealed record Ahead(int Count, DateTimeOffset End);

    /// <summary>What was looked through: the end of so many next rows, how many of all were looked at, and how many of these match.</summary>
    private sealed record Glance(DateTimeOffset End, int Ahead, int Looked, int Found);
}
