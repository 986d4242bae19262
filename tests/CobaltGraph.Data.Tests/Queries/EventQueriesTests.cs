using System.Globalization;
using CobaltGraph.Data.Queries;
using CobaltGraph.Data.Queries.Catalogue;
using CobaltGraph.Model;
using CobaltGraph.Testing;
using Microsoft.EntityFrameworkCore;

namespace CobaltGraph.Data.Tests.Queries;

public class EventQueriesTests(PostgresServerFixture server) : TrafficTest(server)
{
    private EventQueries Queries => new(this, Options);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(59)]
    [InlineData(60)]
    [InlineData(1000)]
    public async Task Pages_over_equal_times_are_the_whole_list_forward_and_back(int limit)
    {
        await FillAsync();
        var expected = await Texts("SELECT id FROM device_events ORDER BY \"timestamp\" DESC, id DESC");

        var (ids, last) = await ForwardAsync(null, limit);

        Assert.Equal(60, expected.Length);
        Assert.Equal(expected, ids.Select(id => id.ToString(CultureInfo.InvariantCulture)));
        Assert.Equal(ids, await BackAsync(null, limit, last));
    }

    [Fact]
    public async Task Filter_gives_the_events_that_meet_all_of_it()
    {
        await FillAsync();
        await using var context = Database.NewContext();
        var all = await context.DeviceEvents.AsNoTracking().ToListAsync(Cancel);
        EventFilter[] filters =
        [
            new(),
            new() { Device = Device(1) },
            new() { Device = Device(99) },
            new() { Types = [DeviceEventType.IpChanged] },
            new() { Types = [DeviceEventType.ThreatDetected, DeviceEventType.Discovered, DeviceEventType.Discovered] },
            new() { Types = [DeviceEventType.Removed] },
            new() { Types = [] },
            new() { From = At("02:00") },
            new() { Until = At("02:00") },
            new() { From = At("01:00").ToOffset(TimeSpan.FromHours(5.5)), Until = At("03:00").ToOffset(TimeSpan.FromHours(-3)) },
            new() { Device = Device(2), Types = [DeviceEventType.IpChanged], From = At("01:00"), Until = At("04:00") },
        ];

        foreach (var filter in filters)
        {
            var expected = all
                .Where(e => (filter.Device is not { } mac || e.DeviceMac == mac) && filter.Types?.Contains(e.EventType) != false
                    && !(e.Timestamp < filter.From) && !(e.Timestamp >= filter.Until))
                .OrderByDescending(e => e.Timestamp).ThenByDescending(e => e.Id).Select(e => e.Id).ToList();

            var (ids, last) = await ForwardAsync(filter, 4);

            Assert.Equal(expected, ids);
            Assert.Equal(expected, await BackAsync(filter, 4, last));
            var composed = context.DeviceEvents.AsNoTracking().Matching(filter);
            Assert.Equal(expected.Count, await composed.CountAsync(Cancel));
            Assert.True(PreparedQueries.IsPrepared(composed, context), filter.ToString());
        }
    }

    [Fact]
    public async Task Event_has_all_that_is_stored_of_it()
    {
        await Run("""
            INSERT INTO device_events ("timestamp", device_mac, event_type, old_value, new_value, metadata)
            VALUES ('2026-03-01 12:00:00.123456Z', '02:00:5e:00:00:01', 'ip_changed', '10.0.0.1', '10.0.0.2', '{"by": "dhcp"}')
            """);

        var found = Assert.Single((await Queries.GetEventsAsync(cancellationToken: Cancel)).Items);

        Assert.Equal(
            (At("12:00:00.123456"), Device(1), DeviceEventType.IpChanged, "10.0.0.1", "10.0.0.2", DeviceEventMetadata.Parse("""{"by": "dhcp"}""")),
            (found.Timestamp, found.DeviceMac, found.EventType, found.OldValue, found.NewValue, found.Metadata));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(10)]
    public async Task Events_that_arrive_between_pages_neither_repeat_nor_skip_one(int limit)
    {
        await FillAsync();
        var before = await Texts("SELECT id FROM device_events ORDER BY \"timestamp\" DESC, id DESC");

        var page = await Queries.GetEventsAsync(page: new() { Limit = limit }, cancellationToken: Cancel);
        var met = page.Items.ToList();
        while (page.Next is { } next)
        {
            // Later than all, earlier than all, and at the very time at which the page ends.
            await Run($"""
                INSERT INTO device_events ("timestamp", device_mac, event_type) VALUES
                    ('2026-04-01Z', '{Device(7)}', 'active'), ('2026-02-01Z', '{Device(7)}', 'active'),
                    ('{page.Items[^1].Timestamp:O}', '{Device(7)}', 'active')
                """);
            page = await Queries.GetEventsAsync(page: new() { Limit = limit, Cursor = next }, cancellationToken: Cancel);
            met.AddRange(page.Items);
        }

        Assert.Equal(before, met.Where(e => e.DeviceMac != Device(7)).Select(e => e.Id.ToString(CultureInfo.InvariantCulture)));
        Assert.Equal(met.Count, met.DistinctBy(e => e.Id).Count());
        Assert.Equal(await Texts("SELECT id FROM device_events ORDER BY \"timestamp\" DESC, id DESC"),
            (await BackAsync(null, limit, page)).Select(id => id.ToString(CultureInfo.InvariantCulture)));
    }

    [Fact]
    public async Task Last_page_goes_on_when_an_event_arrives_behind_it()
    {
        await FillAsync();
        var only = await Queries.GetEventsAsync(new() { Until = At("01:00") }, new() { Limit = 1000 }, Cancel);
        var first = await Queries.GetEventsAsync(new() { Until = At("01:00") }, new() { Limit = only.Items.Count - 1 }, Cancel);
        var second = await Queries.GetEventsAsync(new() { Until = At("01:00") }, new() { Limit = 10, Cursor = first.Next }, Cancel);

        Assert.Equal((null, null), (only.Next, only.Previous));
        Assert.False(only.HasMore);
        Assert.Equal(only.Items[^1].Id, Assert.Single(second.Items).Id);
        Assert.Null(second.Next);
    }

    [Fact]
    public async Task Bad_input_names_the_field_and_the_accepted_form()
    {
        (string Field, string Accepted, Func<Task> Call)[] calls =
        [
            ("until", "a time after from", () => GetAsync(new() { From = Start, Until = Start })),
            ("until", "a time after from", () => GetAsync(new() { From = Start, Until = Start.AddDays(-1) })),
            ("type", "ip_changed, threat_detected", () => GetAsync(new() { Types = [DeviceEventType.Active, (DeviceEventType)99] })),
            ("type", "discovered, active, idle", () => GetAsync(new EventFilter().With("type", ""))),
            ("type", "discovered, active, idle", () => GetAsync(new EventFilter().With("type", "active,lost"))),
            ("device", "six octets", () => GetAsync(new EventFilter().With("device", "02:00"))),
            ("from", "ISO 8601", () => GetAsync(new EventFilter().With("from", "yesterday"))),
            ("filter", "from, until, device, type", () => GetAsync(new EventFilter().With("types", "active"))),
            ("limit", "1 to 1000", () => Queries.GetEventsAsync(page: new() { Limit = 0 }, cancellationToken: Cancel)),
            ("limit", "1 to 1000", () => Queries.GetEventsAsync(page: new() { Limit = 1001 }, cancellationToken: Cancel)),
        ];

        foreach (var (field, accepted, call) in calls)
        {
            var error = await Assert.ThrowsAsync<QueryFilterException>(call);
            Assert.Equal(field, error.Field);
            Assert.Contains(accepted, error.Accepted, StringComparison.Ordinal);
        }

        await using var context = Database.NewContext();
        Assert.Equal("until", Assert.Throws<QueryFilterException>(() => context.DeviceEvents.Matching(new EventFilter { From = Start, Until = Start })).Field);

        async Task GetAsync(EventFilter filter) => await Queries.GetEventsAsync(filter, cancellationToken: Cancel);
    }

    [Fact]
    public void Filter_is_read_from_text()
    {
        (string, string)[] conditions =
        [
            ("from", "2026-03-01"), ("until", "2026-03-02T01:30:00+01:00"), ("device", "02-00-5E-00-00-01"),
            ("type", "threat_detected, IP_changed"), ("type", "removed"),
        ];

        var filter = conditions.Aggregate(new EventFilter(), (all, condition) => all.With(condition.Item1, condition.Item2));

        Assert.Equal((Start, new DateTimeOffset(2026, 3, 2, 0, 30, 0, TimeSpan.Zero), Device(1)), (filter.From, filter.Until, filter.Device));
        Assert.Equal([DeviceEventType.ThreatDetected, DeviceEventType.IpChanged, DeviceEventType.Removed], filter.Types);
    }

    [Fact]
    public async Task Cursor_that_was_changed_or_is_of_another_filter_is_refused()
    {
        await FillAsync();
        var filter = new EventFilter { Types = [DeviceEventType.Active, DeviceEventType.IpChanged], From = Start };
        var cursor = (await Queries.GetEventsAsync(filter, new() { Limit = 1 }, Cancel)).Next!;

        EventFilter[] others =
        [
            new(), filter with { From = null }, filter with { Until = At("23:00") }, filter with { Device = Device(1) },
            filter with { Types = [DeviceEventType.Active] }, filter with { Types = [] }, filter with { Types = null },
        ];
        foreach (var other in others)
            Assert.Equal("cursor", (await Refused(Queries, other, cursor)).Field);
        foreach (var place in (int[])[0, cursor.Length / 2, cursor.Length - 2])
        {
            var changed = $"{cursor[..place]}{(cursor[place] == 'A' ? 'B' : 'A')}{cursor[(place + 1)..]}";
            Assert.Equal("cursor", (await Refused(Queries, filter, changed)).Field);
        }

        Assert.Equal("cursor", (await Refused(new EventQueries(this, new QueryOptions { CursorKey = new byte[16] }), filter, cursor)).Field);
        // The order of the types is none.
        var same = filter with { Types = [DeviceEventType.IpChanged, DeviceEventType.Active, DeviceEventType.Active] };
        Assert.NotEmpty((await Queries.GetEventsAsync(same, new() { Cursor = cursor }, Cancel)).Items);

        Task<QueryFilterException> Refused(EventQueries queries, EventFilter of, string text)
            => Assert.ThrowsAsync<QueryFilterException>(() => queries.GetEventsAsync(of, new() { Cursor = text }, Cancel));
    }

    [Fact]
    public async Task Times_that_dotnet_does_not_have_hide_nothing_else()
    {
        await Run("""
            INSERT INTO devices (mac_address) VALUES ('02:00:5e:00:00:01');
            INSERT INTO device_events ("timestamp", device_mac, event_type)
            SELECT t::timestamptz, '02:00:5e:00:00:01', 'idle'
            FROM unnest(ARRAY['-infinity', '4713-01-01 00:00Z BC', '0001-01-01Z', '0001-01-01 00:00:00.000001Z', '2026-03-01Z',
                              '9999-12-31 23:59:59.999999Z', '10000-01-01Z', '290000-01-01Z', 'infinity']) AS t
            """);

        EventFilter idle = new() { Types = [DeviceEventType.Idle] };
        foreach (var filter in (EventFilter[])[idle, idle with { From = DateTimeOffset.MinValue, Until = DateTimeOffset.MaxValue }, idle with { Device = Device(1) }])
        {
            foreach (var limit in (int[])[1, 2, 3, 10])
            {
                var first = await Queries.GetEventsAsync(filter, new() { Limit = limit }, Cancel);
                var (ids, last) = await ForwardAsync(filter, limit);

                Assert.Equal(3, ids.Count);
                Assert.Equal(new DateTimeOffset(9999, 12, 31, 23, 59, 59, 999, 999, TimeSpan.Zero), first.Items[0].Timestamp);
                Assert.Equal(DateTimeOffset.MinValue.AddMicroseconds(1), last.Items[^1].Timestamp);
                Assert.Equal(ids, await BackAsync(filter, limit, last));
            }
        }

        var detail = (await new DeviceDetailQueries(this, Options, TimeProvider.System).FindAsync(Device(1), cancellationToken: Cancel))!;
        Assert.Equal([9999, 2026, 1], detail.Events.Where(e => e.EventType == DeviceEventType.Idle).Select(e => e.Timestamp.Year));
    }

    [Fact]
    public async Task Trail_without_an_event_is_one_empty_page()
    {
        var page = await Queries.GetEventsAsync(cancellationToken: Cancel);

        Assert.Empty(page.Items);
        Assert.Equal((null, null, false), (page.Next, page.Previous, page.HasMore));
    }

    [Fact]
    public async Task Page_reads_what_it_shows_however_long_the_trail_is()
    {
        // Every 2,000th event has a rare type. The device of a third of all has been silent for the last half. The last ones are of one
        // instant, as a sweep writes them.
        await Run("""
            INSERT INTO device_events ("timestamp", device_mac, event_type)
            SELECT '2026-03-01Z'::timestamptz + i * interval '1 second',
                   ('02005e' || lpad(to_hex(CASE WHEN i < 150000 AND i % 3 < 2 THEN 1 ELSE 2 + i % 500 END), 6, '0'))::macaddr,
                   CASE WHEN i % 2000 = 0 THEN 'ip_changed' WHEN i % 2 = 0 THEN 'idle' ELSE 'active' END
            FROM generate_series(1, 300000) AS i;
            INSERT INTO device_events ("timestamp", device_mac, event_type)
            SELECT '2026-03-20Z', ('02005e' || lpad(to_hex(i), 6, '0'))::macaddr, 'offline' FROM generate_series(2, 400) AS i
            """);
        await Run("VACUUM ANALYZE device_events");
        await using var plans = await CataloguePlans.OpenAsync(Database.ConnectionString, Cancel);
        var wrong = new List<string>();
        var asked = new HashSet<string>();

        await foreach (var plan in plans.ReadAsync(["events"], 2, 1, Cancel))
        {
            asked.Add(plan.Call.Query);
            TestContext.Current.TestOutputHelper?.WriteLine(
                $"{plan.Call.Query} ({plan.Call.Values}): {plan.Rows} rows of {plan.RowsRead} read, {plan.MostSorted} sorted, {plan.Milliseconds:0.0} ms: {string.Join("; ", plan.Plans.Select(each => each.Shape))}");
            if (plan.RowsRead > 1000 || plan.MostSorted > 500 || plan.SequentialScans.Any())
                wrong.Add($"{plan.Call.Query} ({plan.Call.Values}) reads {plan.RowsRead} and sorts {plan.MostSorted} rows: {string.Join("; ", plan.Plans.Select(each => each.Shape))}");
        }

        Assert.Superset(new HashSet<string>(["events", "events, next page", "events by device", "events by device, next page", "events by type", "events within a day"]), asked);
        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong));
    }

    private static DateTimeOffset At(string time) => Start + TimeSpan.Parse(time, CultureInfo.InvariantCulture);

    // Sixty events of six instants, ids and times in no common order.
    private Task<int> FillAsync() => Run("""
        INSERT INTO device_events ("timestamp", device_mac, event_type)
        SELECT '2026-03-01Z'::timestamptz + i * 7 % 6 * interval '1 hour', ('02:00:5e:00:00:0' || i % 4)::macaddr,
               (ARRAY['discovered', 'active', 'ip_changed', 'threat_detected', 'idle'])[1 + i % 5]
        FROM generate_series(1, 60) AS i
        """);

    private async Task<(List<long> Ids, Page<DeviceEvent> Last)> ForwardAsync(EventFilter? filter, int limit)
    {
        var page = await Queries.GetEventsAsync(filter, new() { Limit = limit }, Cancel);
        Assert.Null(page.Previous);
        var ids = page.Items.Select(e => e.Id).ToList();
        while (page.Next is { } next)
        {
            Assert.Equal(limit, page.Items.Count);
            page = await Queries.GetEventsAsync(filter, new() { Limit = limit, Cursor = next }, Cancel);
            Assert.NotNull(page.Previous);
            ids.AddRange(page.Items.Select(e => e.Id));
        }

        return (ids, page);
    }

    private async Task<List<long>> BackAsync(EventFilter? filter, int limit, Page<DeviceEvent> last)
    {
        var ids = last.Items.Select(e => e.Id).ToList();
        for (var page = last; page.Previous is { } previous;)
        {
            page = await Queries.GetEventsAsync(filter, new() { Limit = limit, Cursor = previous }, Cancel);
            Assert.NotNull(page.Next);
            ids.InsertRange(0, page.Items.Select(e => e.Id));
        }

        return ids;
    }
}
