using System.Net;
using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;

namespace CobaltGraph.Data.Queries.Catalogue;

/// <summary>
/// Every query of the layer, asked with values of one database: what is measured, and whose plans are shown and tested. A
/// member of a service that is missing here fails a test.
/// </summary>
internal static class QueryCatalogue
{
    private static readonly QueryValues[] AllValues = [QueryValues.Common, QueryValues.Rare, QueryValues.Absent];

    public static IEnumerable<QueryCall> Calls(QuerySamples samples) =>
    [
        .. Devices(samples),
        .. Searches(samples),
        .. Pairs(samples),
        .. Counts(samples),
        .. Details(samples),
        .. Views(),
        .. Destinations(samples),
        .. Addresses(samples),
        .. Events(samples),
    ];

    /// <summary>Every pair of two conditions on connections, over everything and within a day: both common, one or both rare, one that is nowhere.</summary>
    public static IEnumerable<QueryCall> AllPairs(QuerySamples samples)
    {
        (QueryValues First, QueryValues Second)[] values =
        [
            (QueryValues.Common, QueryValues.Common), (QueryValues.Common, QueryValues.Rare), (QueryValues.Rare, QueryValues.Common),
            (QueryValues.Rare, QueryValues.Rare), (QueryValues.Absent, QueryValues.Common), (QueryValues.Common, QueryValues.Absent),
        ];
        var conditions = Conditions(samples);
        for (var first = 0; first < conditions.Count; first++)
        {
            foreach (var second in conditions.Skip(first + 1))
            {
                // Both are what the filter says of one address.
                if ((conditions[first].Name, second.Name) is ("source", "source network") or ("destination", "network"))
                    continue;
                var query = $"connections by {conditions[first].Name} and {second.Name}";
                foreach (var pair in values)
                {
                    for (var i = 0; i < samples.Count; i++)
                    {
                        if (conditions[first].Filter(pair.First, i) is not { } one || second.Filter(pair.Second, i) is not { } other)
                            break;
                        var both = Both(one, other);
                        var rarer = (QueryValues)Math.Max((int)pair.First, (int)pair.Second);
                        yield return Search(query, QueryKind.Pair, rarer, both);
                        yield return Search(
                            $"{query} within a day", QueryKind.PairOfDay, rarer, WithinDay(both, samples.Days[i % samples.Days.Count]));
                    }
                }
            }
        }

        static ConnectionFilter Both(ConnectionFilter one, ConnectionFilter other) => one with
        {
            Devices = one.Devices ?? other.Devices,
            Source = one.Source ?? other.Source,
            Destination = one.Destination ?? other.Destination,
            Ports = one.Ports ?? other.Ports,
            Protocol = one.Protocol ?? other.Protocol,
            Country = one.Country ?? other.Country,
            Organization = one.Organization ?? other.Organization,
            Hostname = one.Hostname ?? other.Hostname,
            Levels = one.Levels ?? other.Levels,
            MinScore = one.MinScore ?? other.MinScore,
            Category = one.Category ?? other.Category,
            Metadata = one.Metadata ?? other.Metadata,
        };
    }

    private static IEnumerable<QueryCall> Devices(QuerySamples samples)
    {
        yield return List("devices", QueryValues.Common, new DeviceFilter());
        foreach (var column in Enum.GetValues<DeviceSortColumn>().Where(column => column != DeviceSortColumn.MacAddress))
            yield return List($"devices sorted by {Name(column)}", QueryValues.Common, new DeviceFilter(), new DeviceSort(column, Descending: true));
        foreach (var (name, filter) in DeviceConditions(samples))
        {
            foreach (var values in AllValues)
            {
                for (var i = 0; i < samples.Count && filter(values, i) is { } condition; i++)
                    yield return List($"devices by {name}", values, condition);
            }
        }

        static string Name(DeviceSortColumn column) => column switch
        {
            DeviceSortColumn.ThreatScore => "threat score",
            DeviceSortColumn.MaxThreatScore => "highest score",
            DeviceSortColumn.ConnectionCount => "connections",
            DeviceSortColumn.ThreatCount => "threats",
            DeviceSortColumn.IpAddress => "address",
            DeviceSortColumn.DeviceType => "type",
            DeviceSortColumn.FirstSeen => "first seen",
            DeviceSortColumn.LastSeen => "last seen",
            DeviceSortColumn.LastThreat => "last threat",
            DeviceSortColumn.LastActivity => "last activity",
            DeviceSortColumn.ConfidenceScore => "confidence",
            _ => column.ToString().ToLowerInvariant(),
        };
    }

    private static List<(string Name, Func<QueryValues, int, DeviceFilter?> Filter)> DeviceConditions(QuerySamples samples) =>
    [
        ("status", (values, i) => i > 0 ? null : new DeviceFilter
        {
            Statuses = [values == QueryValues.Common ? DeviceStatus.Offline : values == QueryValues.Rare ? DeviceStatus.Idle : DeviceStatus.Discovered],
        }),
        ("vendor", (values, i) => samples.Vendors.TryGet(values, i, out var text) ? new DeviceFilter { Vendor = text } : null),
        ("type", (values, i) => samples.DeviceTypes.TryGet(values, i, out var text) ? new DeviceFilter { DeviceType = text } : null),
        ("address", (values, i) => samples.Sources.TryGet(values, i, out var address) ? new DeviceFilter { Address = Whole(address) } : null),
        ("mac", (values, i) => samples.Devices.TryGet(values, i, out var mac)
            ? new DeviceFilter { MacPrefix = values == QueryValues.Rare ? mac.ToString() : mac.Oui } : null),
        ("hostname", (values, i) => values == QueryValues.Common && i == 0 ? new DeviceFilter { Hostname = "a" }
            : values == QueryValues.Absent && i == 0 ? new DeviceFilter { Hostname = "no such host" } : null),
        ("tag", (values, i) => values == QueryValues.Absent && i == 0 ? new DeviceFilter { Tags = ["no such tag"] } : null),
        ("metadata", (values, i) => values == QueryValues.Absent && i == 0 ? new DeviceFilter { Metadata = """{"notes": "none"}""" } : null),
        ("level", (values, i) => values == QueryValues.Absent || i > 0 ? null
            : new DeviceFilter { Levels = [values == QueryValues.Common ? DeviceThreatLevel.Low : DeviceThreatLevel.High] }),
        ("seen since", (values, i) => i > 0 ? null
            : new DeviceFilter { SeenSince = values == QueryValues.Common ? samples.From : samples.Until.AddHours(values == QueryValues.Rare ? -1 : 1) }),
        ("local address", (values, i) => i > 0 || values == QueryValues.Absent ? null : new DeviceFilter { IsLocallyAdministered = values == QueryValues.Rare }),
    ];

    private static IEnumerable<QueryCall> Searches(QuerySamples samples)
    {
        yield return Search("connections", QueryKind.Search, QueryValues.Common, new ConnectionFilter());
        foreach (var day in samples.Days)
            yield return Search("connections within a day", QueryKind.Search, QueryValues.Common, WithinDay(new ConnectionFilter(), day));
        foreach (var (name, filter) in Conditions(samples))
        {
            foreach (var values in AllValues)
            {
                for (var i = 0; i < samples.Count && filter(values, i) is { } condition; i++)
                {
                    var isText = condition.Organization is not null || condition.Hostname is not null || condition.Metadata is not null;
                    yield return Search($"connections by {name}", isText ? QueryKind.Text : QueryKind.Search, values, condition);
                    yield return Search(
                        $"connections by {name} within a day", isText ? QueryKind.TextOfDay : QueryKind.Search, values,
                        WithinDay(condition, samples.Days[i % samples.Days.Count]));
                }
            }
        }
    }

    private static List<(string Name, Func<QueryValues, int, ConnectionFilter?> Filter)> Conditions(QuerySamples samples) =>
    [
        ("device", (values, i) => samples.Devices.TryGet(values, i, out var mac) ? new ConnectionFilter { Devices = [mac] } : null),
        ("source", (values, i) => samples.Sources.TryGet(values, i, out var address) ? new ConnectionFilter { Source = Whole(address) } : null),
        ("source network", (values, i) => samples.Sources.TryGet(values, i, out var address) ? new ConnectionFilter { Source = QuerySamples.Network(address, 24) } : null),
        ("destination", (values, i) => samples.Destinations.TryGet(values, i, out var address) ? new ConnectionFilter { Destination = Whole(address) } : null),
        ("network", (values, i) => samples.Networks.TryGet(values, i, out var network) ? new ConnectionFilter { Destination = network } : null),
        ("level", (values, i) => values == QueryValues.Absent || i > 0 ? null
            : new ConnectionFilter { Levels = [values == QueryValues.Common ? ThreatLevel.Low : ThreatLevel.Critical] }),
        ("score", (values, i) => i > 0 ? null
            : new ConnectionFilter { MinScore = values == QueryValues.Common ? 0.5f : values == QueryValues.Rare ? 8.5f : 9.99f }),
        ("category", (values, i) => samples.Categories.TryGet(values, i, out var text) ? new ConnectionFilter { Category = text } : null),
        ("country", (values, i) => samples.Countries.TryGet(values, i, out var text) ? new ConnectionFilter { Country = text } : null),
        ("port", (values, i) => samples.Ports.TryGet(values, i, out var port) ? new ConnectionFilter { Ports = [new PortRange(port)] } : null),
        ("protocol", (values, i) => samples.Protocols.TryGet(values, i, out var text) ? new ConnectionFilter { Protocol = text } : null),
        ("organisation", (values, i) => samples.Organizations.TryGet(values, i, out var text) ? new ConnectionFilter { Organization = text } : null),
        ("hostname", (values, i) => samples.Hostnames.TryGet(values, i, out var text) ? new ConnectionFilter { Hostname = text } : null),
        ("metadata", (values, i) => samples.Metadata.TryGet(values, i, out var json) ? new ConnectionFilter { Metadata = json } : null),
    ];

    private static IEnumerable<QueryCall> Pairs(QuerySamples samples)
    {
        (string Name, Func<QueryValues, int, ConnectionFilter?> Filter)[] pairs =
        [
            ("device and port", (values, i) => Both(samples.Devices, samples.Ports, values, i, (mac, port) => new() { Devices = [mac], Ports = [new(port)] })),
            ("country and port", (values, i) => Both(samples.Countries, samples.Ports, values, i, (text, port) => new() { Country = text, Ports = [new(port)] })),
            ("organisation and category", (values, i) => Both(
                samples.Organizations, samples.Categories, values, i, (text, category) => new() { Organization = text, Category = category })),
            ("hostname and category", (values, i) => Both(
                samples.Hostnames, samples.Categories, values, i, (text, category) => new() { Hostname = text, Category = category })),
            ("device and level", (values, i) => samples.Devices.TryGet(values, i, out var mac)
                ? new() { Devices = [mac], Levels = [values == QueryValues.Common ? ThreatLevel.Low : ThreatLevel.Critical] } : null),
            ("hostname and country", (values, i) => Both(
                samples.Hostnames, samples.Countries, values, i, (text, country) => new() { Hostname = text, Country = country })),
            ("source and destination", (values, i) => Both(
                samples.Sources, samples.Destinations, values, i, (source, to) => new() { Source = Whole(source), Destination = Whole(to) })),
            ("level and port", (values, i) => samples.Ports.TryGet(values, i, out var port)
                ? new() { Levels = [values == QueryValues.Common ? ThreatLevel.Medium : ThreatLevel.Critical], Ports = [new(port)] } : null),
            ("device and organisation", (values, i) => Both(
                samples.Devices, samples.Organizations, values, i, (mac, text) => new() { Devices = [mac], Organization = text })),
            ("category and country", (values, i) => Both(
                samples.Categories, samples.Countries, values, i, (category, country) => new() { Category = category, Country = country })),
        ];
        foreach (var (name, filter) in pairs)
        {
            foreach (var values in AllValues)
            {
                for (var i = 0; i < samples.Count && filter(values, i) is { } condition; i++)
                {
                    yield return Search($"connections by {name}", QueryKind.Pair, values, condition);
                    yield return Search(
                        $"connections by {name} within a day", QueryKind.PairOfDay, values, WithinDay(condition, samples.Days[i % samples.Days.Count]));
                }
            }
        }

        static ConnectionFilter? Both<T1, T2>(
            SampleValues<T1> first, SampleValues<T2> second, QueryValues values, int number, Func<T1, T2, ConnectionFilter> make)
        {
            // Of what is nowhere one half is enough, and the other makes it hard.
            return first.TryGet(values, number, out var one)
                && second.TryGet(values == QueryValues.Absent ? QueryValues.Common : values, number, out var other)
                ? make(one, other) : null;
        }
    }

    private static IEnumerable<QueryCall> Counts(QuerySamples samples)
    {
        yield return Count(QueryValues.Common, new ConnectionFilter());
        if (samples.Devices.TryGet(QueryValues.Rare, 0, out var mac))
            yield return Count(QueryValues.Rare, new ConnectionFilter { Devices = [mac] });
        if (samples.Countries.TryGet(QueryValues.Common, 0, out var country))
            yield return Count(QueryValues.Common, new ConnectionFilter { Country = country });
        if (samples.Hostnames.TryGet(QueryValues.Rare, 0, out var text))
            yield return Count(QueryValues.Rare, new ConnectionFilter { Hostname = text });

        static QueryCall Count(QueryValues values, ConnectionFilter filter) => new(
            "connections counted", QueryKind.Other, values, $"{nameof(IConnectionQueries)}.{nameof(IConnectionQueries.CountAsync)}", filter,
            async (layer, cancel) => await layer.Connections.CountAsync(filter, cancellationToken: cancel).ConfigureAwait(false))
        { RowsOf = result => Math.Min(((RowCount)result).Value, 10_000) };
    }

    private static IEnumerable<QueryCall> Details(QuerySamples samples)
        => Each(samples.Devices, samples.Count, (values, mac) =>
        {
            var request = new DeviceDetailRequest { Until = samples.Until };
            return new QueryCall(
                "device detail", QueryKind.Detail, values, $"{nameof(IDeviceDetailQueries)}.{nameof(IDeviceDetailQueries.FindAsync)}", (mac, request),
                async (layer, cancel) => (object?)await layer.Details.FindAsync(mac, request, cancel).ConfigureAwait(false) ?? mac)
            {
                RowsOf = result => result is not DeviceDetail d ? 0
                    : 1 + d.Activity.Count + d.Destinations.Count + d.Ports.Count + d.Countries.Count + d.Addresses.Count + d.Events.Count + d.Connections.Items.Count,
            };
        });

    private static IEnumerable<QueryCall> Views()
    {
        yield return View("device summary of all", QueryKind.Summary, nameof(CobaltGraphContext.DeviceSummaries), context => context.DeviceSummaries);
        yield return View("device threats of all", QueryKind.Other, nameof(CobaltGraphContext.DeviceThreats), context => context.DeviceThreats);
        yield return View("active devices", QueryKind.Other, nameof(CobaltGraphContext.ActiveDevices), context => context.ActiveDevices);

        static QueryCall View<T>(string query, QueryKind kind, string set, Func<CobaltGraphContext, IQueryable<T>> rows)
            where T : class
            => new(query, kind, QueryValues.Common, $"{nameof(CobaltGraphContext)}.{set}", set, async (layer, cancel) =>
            {
                var context = await layer.Contexts.CreateDbContextAsync(cancel).ConfigureAwait(false);
                await using (context.ConfigureAwait(false))
                    return await rows(context).AsNoTracking().ToListAsync(cancel).ConfigureAwait(false);
            })
            { RowsOf = result => ((List<T>)result).Count };
    }

    private static IEnumerable<QueryCall> Destinations(QuerySamples samples)
    {
        foreach (var call in Each(samples.Destinations, samples.Count, (values, address) => Page<DestinationContact>(
            "talkers of an address", values, nameof(IDestinationQueries.GetContactsAsync), address,
            (layer, cancel) => layer.Destinations.GetContactsAsync(address, cancellationToken: cancel))))
        {
            yield return call;
        }

        IPAddress[] shown = [.. samples.Destinations.Common, .. samples.Destinations.Rare, .. samples.Destinations.Absent];
        yield return new(
            "prevalence of some destinations", QueryKind.Other, QueryValues.Common,
            $"{nameof(IDestinationQueries)}.{nameof(IDestinationQueries.GetPrevalenceAsync)}", shown,
            async (layer, cancel) => await layer.Destinations.GetPrevalenceAsync(shown, cancel).ConfigureAwait(false))
        { RowsOf = result => ((IReadOnlyList<DestinationPrevalence>)result).Count };

        foreach (var (values, since) in ((QueryValues, DateTimeOffset)[])[
            (QueryValues.Common, samples.From), (QueryValues.Rare, samples.Until.AddDays(-1)), (QueryValues.Absent, samples.Until.AddDays(1))])
        {
            yield return Page<NewDestination>(
                "new destinations", values, nameof(IDestinationQueries.GetNewAsync), since,
                (layer, cancel) => layer.Destinations.GetNewAsync(since, cancellationToken: cancel));
            yield return Page<NewDestination>(
                "destinations new to all", values, nameof(IDestinationQueries.GetNewAsync), (since, true),
                (layer, cancel) => layer.Destinations.GetNewAsync(since, newToAll: true, cancellationToken: cancel));
        }

        (QueryValues, DateTimeOffset?, DateTimeOffset?)[] ranges =
        [
            (QueryValues.Common, null, null), (QueryValues.Rare, samples.Days[0].AddMinutes(10), samples.Days[0].AddDays(1).AddMinutes(-10)),
            (QueryValues.Absent, samples.Until.AddDays(1), samples.Until.AddDays(2)),
        ];
        foreach (var (values, from, until) in ranges)
        {
            foreach (var measure in Enum.GetValues<TrafficMeasure>())
            {
                yield return new(
                    measure == TrafficMeasure.Bytes ? "top talkers by bytes" : "top talkers", QueryKind.Other, values,
                    $"{nameof(IDestinationQueries)}.{nameof(IDestinationQueries.GetTopTalkersAsync)}", (from, until, measure),
                    async (layer, cancel) => await layer.Destinations.GetTopTalkersAsync(
                        from, until, measure, cancellationToken: cancel).ConfigureAwait(false))
                { RowsOf = result => ((TrafficRanking<TopTalker>)result).Items.Count };
            }

            yield return new(
                from is null ? "top destinations" : "top destinations of a day", QueryKind.Other, values,
                $"{nameof(IDestinationQueries)}.{nameof(IDestinationQueries.GetTopDestinationsAsync)}", (from, until, TrafficMeasure.Connections),
                async (layer, cancel) => await layer.Destinations.GetTopDestinationsAsync(from, until, cancellationToken: cancel).ConfigureAwait(false))
            { RowsOf = result => ((TrafficRanking<TopDestination>)result).Items.Count };
            if (from is { } begin && until is { } end)
            {
                yield return new(
                    "top destinations of a day by bytes", QueryKind.Other, values,
                    $"{nameof(IDestinationQueries)}.{nameof(IDestinationQueries.GetTopDestinationsAsync)}", (from, until, TrafficMeasure.Bytes),
                    async (layer, cancel) => await layer.Destinations.GetTopDestinationsAsync(
                        begin, end, TrafficMeasure.Bytes, cancellationToken: cancel).ConfigureAwait(false))
                { RowsOf = result => ((TrafficRanking<TopDestination>)result).Items.Count };
            }
        }

        static QueryCall Page<T>(
            string query, QueryValues values, string method, object arguments, Func<QueryLayer, CancellationToken, Task<Page<T>>> run)
            => new(query, QueryKind.Other, values, $"{nameof(IDestinationQueries)}.{method}", arguments,
                async (layer, cancel) => await run(layer, cancel).ConfigureAwait(false))
            { RowsOf = result => ((Page<T>)result).Items.Count };
    }

    private static IEnumerable<QueryCall> Addresses(QuerySamples samples)
    {
        var number = 0;
        foreach (var call in Each(samples.Sources, samples.Count, (values, address) =>
        {
            var at = samples.Days[number++ % samples.Days.Count].AddHours(14.5);
            return new QueryCall(
                "who had an address", QueryKind.Holder, values, $"{nameof(IAddressQueries)}.{nameof(IAddressQueries.WhoHadAsync)}", (address, at),
                async (layer, cancel) => await layer.Addresses.WhoHadAsync(address, at, cancel).ConfigureAwait(false))
            { RowsOf = result => ((IReadOnlyList<AddressHolder>)result).Count };
        }))
        {
            yield return call;
        }

        yield return new(
            "address conflicts", QueryKind.Other, QueryValues.Common, $"{nameof(IAddressQueries)}.{nameof(IAddressQueries.GetConflictsAsync)}", samples,
            async (layer, cancel) => await layer.Addresses.GetConflictsAsync(samples.From, samples.Until, cancellationToken: cancel).ConfigureAwait(false))
        { RowsOf = result => ((Page<AddressConflict>)result).Items.Count };
    }

    private static IEnumerable<QueryCall> Events(QuerySamples samples)
    {
        yield return Trail("events", QueryValues.Common, new EventFilter());
        yield return Trail("events within a day", QueryValues.Common, OfLastDay(new EventFilter()));
        foreach (var values in AllValues)
        {
            for (var i = 0; i < samples.Count; i++)
            {
                if (samples.EventDevices.TryGet(values, i, out var mac))
                {
                    var filter = new EventFilter { Device = mac };
                    yield return Trail("events by device", values, filter);
                    yield return Trail("events by device within a day", values, OfLastDay(filter));
                }

                if (samples.EventTypes.TryGet(values, i, out var type))
                {
                    var filter = new EventFilter { Types = [type] };
                    yield return Trail("events by type", values, filter);
                    yield return Trail("events by type within a day", values, OfLastDay(filter));
                }
            }
        }

        EventFilter OfLastDay(EventFilter filter) => filter with { From = samples.EventsUntil.AddDays(-1), Until = samples.EventsUntil };
    }

    private static QueryCall List(
        string query, QueryValues values, DeviceFilter filter, DeviceSort sort = default, string? cursor = null, DeviceListItem? after = null)
        => new(
            query, QueryKind.DeviceList, values, $"{nameof(IDeviceQueries)}.{nameof(IDeviceQueries.ListAsync)}", new ListArguments(filter, sort, cursor, after),
            async (layer, cancel) => await layer.Devices.ListAsync(filter, sort, new() { Cursor = cursor }, cancel).ConfigureAwait(false))
        {
            RowsOf = result => ((DevicePage)result).Items.Count,
            Following = cursor is not null ? null
                : result => ((DevicePage)result) is { Next: { } next, Items: var items } ? List($"{query}, next page", values, filter, sort, next, items[^1]) : null,
        };

    private static QueryCall Search(
        string query, QueryKind kind, QueryValues values, ConnectionFilter filter, string? cursor = null, Connection? after = null)
        => new(
            query, kind, values, $"{nameof(IConnectionQueries)}.{nameof(IConnectionQueries.SearchAsync)}", new SearchArguments(filter, cursor, after),
            async (layer, cancel) => await layer.Connections.SearchAsync(filter, new() { Cursor = cursor }, cancellationToken: cancel).ConfigureAwait(false))
        {
            RowsOf = result => ((ConnectionPage)result).Items.Count,
            Following = cursor is not null ? null
                : result => ((ConnectionPage)result) is { Next: { } next, Items: var items } ? Search($"{query}, next page", kind, values, filter, next, items[^1]) : null,
        };

    private static QueryCall Trail(string query, QueryValues values, EventFilter filter, string? cursor = null, DeviceEvent? after = null)
        => new(
            query, QueryKind.Other, values, $"{nameof(IEventQueries)}.{nameof(IEventQueries.GetEventsAsync)}", new EventArguments(filter, cursor, after),
            async (layer, cancel) => await layer.Events.GetEventsAsync(filter, new() { Cursor = cursor }, cancel).ConfigureAwait(false))
        {
            RowsOf = result => ((Page<DeviceEvent>)result).Items.Count,
            Following = cursor is not null ? null
                : result => ((Page<DeviceEvent>)result) is { Next: { } next, Items: var items } ? Trail($"{query}, next page", values, filter, next, items[^1]) : null,
        };

    private static IEnumerable<QueryCall> Each<T>(SampleValues<T> samples, int count, Func<QueryValues, T, QueryCall> call)
    {
        foreach (var values in AllValues)
        {
            for (var i = 0; i < Math.Min(count, samples.Of(values).Count); i++)
                yield return call(values, samples.Of(values)[i]);
        }
    }

    private static ConnectionFilter WithinDay(ConnectionFilter filter, DateTimeOffset day) => filter with { From = day, Until = day.AddDays(1) };

    private static IPNetwork Whole(IPAddress address) => new(address, address.GetAddressBytes().Length * 8);
}
