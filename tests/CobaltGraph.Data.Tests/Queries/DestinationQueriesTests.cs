using System.Net;
using CobaltGraph.Data.Queries;
using CobaltGraph.Model;
using CobaltGraph.Testing;

namespace CobaltGraph.Data.Tests.Queries;

public class DestinationQueriesTests(PostgresServerFixture server) : TrafficTest(server)
{
    private const int Many = 2_000;

    private DestinationQueries Queries => new(this, Options);

    public static TheoryData<double?, double?, QueryTier> Ranges => new()
    {
        { null, null, QueryTier.Hour },
        { 0, 72, QueryTier.Hour },
        { 10, 20, QueryTier.Hour },
        { 10.25, 20, QueryTier.Hour },
        { 10, 20.75, QueryTier.Hour },
        { 10.25, 20.75, QueryTier.Hour },
        { 10.5, null, QueryTier.Hour },
        { null, 20.5, QueryTier.Hour },
        { 10, 11, QueryTier.Hour },
        { 10.25, 10.75, QueryTier.Raw },
        { 10.25, 11.75, QueryTier.Raw },
        { 10.25, 11, QueryTier.Raw },
        { 500, 600, QueryTier.Hour },
    };

    [Theory]
    [MemberData(nameof(Ranges))]
    public async Task Top_talkers_are_exact_whatever_the_ends_of_the_range(double? from, double? until, QueryTier tier)
    {
        var rows = Rows(Many);
        await StoreAsync(rows);
        await Run("UPDATE devices SET hostname = 'host ' || mac_address::text, vendor = 'Acme'");
        var (begin, end) = (from is { } f ? Start.AddHours(f) : (DateTimeOffset?)null, until is { } u ? Start.AddHours(u) : (DateTimeOffset?)null);

        foreach (var measure in Enum.GetValues<TrafficMeasure>())
        {
            var ranking = await Queries.GetTopTalkersAsync(begin, end, measure, 4, Cancel);

            var expected = rows
                .Where(row => row.SrcMac is not null && !(row.Timestamp < begin) && !(row.Timestamp >= end))
                .GroupBy(row => row.SrcMac!.Value)
                .Select(device => new TopTalker
                {
                    MacAddress = device.Key,
                    Hostname = $"host {device.Key}",
                    Vendor = "Acme",
                    ConnectionCount = device.LongCount(),
                    ThreatCount = device.LongCount(row => row.ThreatScore >= 7),
                    BytesSent = device.Sum(row => row.BytesSent ?? 0),
                    BytesReceived = device.Sum(row => row.BytesReceived ?? 0),
                })
                .OrderByDescending(talker => measure == TrafficMeasure.Bytes ? talker.BytesSent + talker.BytesReceived : talker.ConnectionCount)
                .ThenBy(talker => talker.MacAddress).Take(4);
            Assert.Equal(expected, ranking.Items);
            Assert.Equal(from is null && until is null && measure == TrafficMeasure.Connections ? QueryTier.Device : tier, ranking.Tier);
        }
    }

    [Fact]
    public async Task Devices_without_traffic_are_no_talkers()
    {
        await Run("INSERT INTO devices (mac_address) VALUES ('02:00:5e:00:00:01')");

        foreach (var measure in Enum.GetValues<TrafficMeasure>())
            Assert.Empty((await Queries.GetTopTalkersAsync(null, null, measure, cancellationToken: Cancel)).Items);
    }

    [Fact]
    public async Task Top_talkers_of_whole_hours_reach_back_beyond_retention()
    {
        await StoreAsync(Rows(Many));
        var before = await Queries.GetTopTalkersAsync(Start, Start.AddHours(30), limit: 100, cancellationToken: Cancel);

        await Run("ALTER TABLE connections DISABLE TRIGGER USER; TRUNCATE connections");

        Assert.NotEmpty(before.Items);
        Assert.Equal(before.Items, (await Queries.GetTopTalkersAsync(Start, Start.AddHours(30), limit: 100, cancellationToken: Cancel)).Items);
    }

    [Fact]
    public async Task Range_in_another_time_zone_is_the_same_range()
    {
        await StoreAsync(Rows(Many));
        var (from, until) = (Start.AddHours(9), Start.AddHours(14));

        var utc = await Queries.GetTopTalkersAsync(from, until, limit: 100, cancellationToken: Cancel);
        var india = await Queries.GetTopTalkersAsync(
            from.ToOffset(TimeSpan.FromMinutes(330)), until.ToOffset(TimeSpan.FromMinutes(330)), limit: 100, cancellationToken: Cancel);

        Assert.NotEmpty(utc.Items);
        Assert.Equal(utc.Items, india.Items);
        Assert.Equal(QueryTier.Hour, india.Tier);
        var offset = TimeSpan.FromMinutes(330);
        var destinations = await Queries.GetTopDestinationsAsync(from, until, limit: 100, cancellationToken: Cancel);
        Assert.NotEmpty(destinations.Items);
        Assert.Equal(
            destinations.Items,
            (await Queries.GetTopDestinationsAsync(from.ToOffset(offset), until.ToOffset(offset), limit: 100, cancellationToken: Cancel)).Items);
    }

    [Theory]
    [InlineData(null, null, TrafficMeasure.Connections, QueryTier.Edge)]
    [InlineData(null, null, TrafficMeasure.Bytes, QueryTier.Raw)]
    [InlineData(10.5, 30.0, TrafficMeasure.Connections, QueryTier.Raw)]
    [InlineData(10.5, 30.0, TrafficMeasure.Bytes, QueryTier.Raw)]
    [InlineData(10.5, 60.0, TrafficMeasure.Connections, QueryTier.Raw)]
    [InlineData(500.0, 600.0, TrafficMeasure.Connections, QueryTier.Raw)]
    [InlineData(10.5, null, TrafficMeasure.Bytes, QueryTier.Raw)]
    public async Task Top_destinations_are_exact_and_say_their_tier(double? from, double? until, TrafficMeasure measure, QueryTier tier)
    {
        var rows = Rows(Many);
        await StoreAsync(rows);
        var (begin, end) = (from is { } f ? Start.AddHours(f) : (DateTimeOffset?)null, until is { } u ? Start.AddHours(u) : (DateTimeOffset?)null);

        var ranking = await Queries.GetTopDestinationsAsync(begin, end, measure, 7, Cancel);

        var expected = rows
            .Where(row => row.SrcMac is not null && !(row.Timestamp < begin) && !(row.Timestamp >= end))
            .GroupBy(row => row.DstIp)
            .Select(destination => new TopDestination
            {
                DstIp = destination.Key,
                ConnectionCount = destination.LongCount(),
                ThreatCount = destination.LongCount(row => row.ThreatScore >= 7),
                Bytes = tier == QueryTier.Edge ? null : destination.Sum(row => (decimal)(row.BytesSent ?? 0) + (row.BytesReceived ?? 0)),
            })
            .OrderByDescending(d => measure == TrafficMeasure.Bytes ? d.Bytes : d.ConnectionCount)
            .ThenBy(d => d.DstIp, new Conversions.IPAddressKey.InetOrder()).Take(7);
        Assert.Equal(expected, ranking.Items);
        Assert.Equal(tier, ranking.Tier);
    }

    [Fact]
    public async Task Contacts_are_all_devices_that_reached_the_destination_first_contact_first_page_by_page_and_back()
    {
        var rows = Rows(Many);
        await StoreAsync(rows);
        await Run("UPDATE devices SET hostname = 'host', vendor = 'Acme' WHERE mac_address > '02:00:5e:00:00:04'");
        var destination = Destination(15);
        var expected = rows.Where(row => row.SrcMac is not null && row.DstIp.Equals(destination)).GroupBy(row => row.SrcMac!.Value)
            .Select(device => new DestinationContact
            {
                MacAddress = device.Key,
                Hostname = device.Key > Device(4) ? "host" : null,
                Vendor = device.Key > Device(4) ? "Acme" : null,
                FirstSeen = device.Min(row => row.Timestamp),
                LastSeen = device.Max(row => row.Timestamp),
                ConnectionCount = device.LongCount(),
                ThreatCount = device.LongCount(row => row.ThreatScore >= 7),
                MaxThreatScore = device.Max(row => row.ThreatScore),
            })
            .OrderBy(contact => contact.FirstSeen).ThenBy(contact => contact.MacAddress).ToList();
        Assert.InRange(expected.Count, 5, 10);

        await AssertPagesAsync(expected, page => Queries.GetContactsAsync(destination, page, Cancel));
        Assert.Empty((await Queries.GetContactsAsync(IPAddress.Parse("203.0.113.1"), cancellationToken: Cancel)).Items);
    }

    [Theory]
    [InlineData(false, null)]
    [InlineData(true, null)]
    [InlineData(false, 7)]
    [InlineData(true, 7)]
    public async Task New_destinations_are_the_first_contacts_since_then_the_latest_first(bool newToAll, int? device)
    {
        var rows = Rows(Many);
        rows.Add(new Connection { Timestamp = Start.AddHours(80), SrcMac = Device(7), DstIp = IPAddress.Parse("203.0.113.7"), DstPort = 1 });
        rows.Add(new Connection { Timestamp = Start.AddHours(80), SrcMac = Device(2), DstIp = IPAddress.Parse("203.0.113.7"), DstPort = 1 });
        await StoreAsync(rows);
        var since = Start.AddHours(12);
        var mac = device is { } number ? Device(number) : (MacAddress?)null;
        var known = rows.Where(row => row.SrcMac is not null).ToList();
        var before = known.Where(row => row.Timestamp < since).Select(row => row.DstIp).ToHashSet();
        var expected = known.GroupBy(row => (Mac: row.SrcMac!.Value, row.DstIp))
            .Select(edge => new NewDestination
            {
                SrcMac = edge.Key.Mac,
                DstIp = edge.Key.DstIp,
                FirstSeen = edge.Min(row => row.Timestamp),
                LastSeen = edge.Max(row => row.Timestamp),
                ConnectionCount = edge.LongCount(),
                ThreatCount = edge.LongCount(row => row.ThreatScore >= 7),
                MaxThreatScore = edge.Max(row => row.ThreatScore),
                IsNewToAll = !before.Contains(edge.Key.DstIp),
            })
            .Where(edge => edge.FirstSeen >= since && (!newToAll || edge.IsNewToAll) && (mac is null || edge.SrcMac == mac))
            .OrderByDescending(edge => edge.FirstSeen).ThenByDescending(edge => edge.SrcMac)
            .ThenByDescending(edge => edge.DstIp, new Conversions.IPAddressKey.InetOrder()).ToList();
        Assert.NotEmpty(expected);

        await AssertPagesAsync(expected, page => Queries.GetNewAsync(since, newToAll, mac, page, Cancel));
    }

    [Fact]
    public async Task New_destinations_begin_with_the_time_itself()
    {
        await StoreAsync([new Connection { Timestamp = Start, SrcMac = Device(1), DstIp = Destination(1), DstPort = 1 }]);

        Assert.Single((await Queries.GetNewAsync(Start, cancellationToken: Cancel)).Items);
        Assert.Empty((await Queries.GetNewAsync(Start.AddMicroseconds(1), cancellationToken: Cancel)).Items);
    }

    [Fact]
    public async Task Prevalence_counts_devices_and_knows_those_that_nobody_reached()
    {
        var rows = Rows(Many);
        await StoreAsync(rows);
        IPAddress[] asked = [Destination(3), IPAddress.Parse("203.0.113.1"), Destination(14), Destination(3)];

        var prevalence = await Queries.GetPrevalenceAsync(asked, Cancel);

        Assert.Equal(
            asked.Take(3).Select(address =>
            {
                var mine = rows.Where(row => row.SrcMac is not null && row.DstIp.Equals(address)).ToList();
                return new DestinationPrevalence
                {
                    DstIp = address,
                    DeviceCount = mine.Select(row => row.SrcMac).Distinct().Count(),
                    ConnectionCount = mine.Count,
                    ThreatCount = mine.Count(row => row.ThreatScore >= 7),
                    FirstSeen = mine.Count == 0 ? null : mine.Min(row => row.Timestamp),
                    LastSeen = mine.Count == 0 ? null : mine.Max(row => row.Timestamp),
                };
            }),
            prevalence);
        Assert.Empty(await Queries.GetPrevalenceAsync([], Cancel));
    }

    [Fact]
    public async Task Empty_database_has_no_traffic()
    {
        Assert.Empty((await Queries.GetTopTalkersAsync(null, null, cancellationToken: Cancel)).Items);
        Assert.Empty((await Queries.GetTopTalkersAsync(Start, Start.AddMinutes(1), cancellationToken: Cancel)).Items);
        Assert.Empty((await Queries.GetTopDestinationsAsync(null, null, cancellationToken: Cancel)).Items);
        Assert.Empty((await Queries.GetTopDestinationsAsync(Start, null, cancellationToken: Cancel)).Items);
        Assert.Empty((await Queries.GetNewAsync(DateTimeOffset.MinValue, cancellationToken: Cancel)).Items);
        Assert.Empty((await Queries.GetTopTalkersAsync(DateTimeOffset.MinValue, DateTimeOffset.MaxValue, cancellationToken: Cancel)).Items);
    }

    [Fact]
    public async Task Bad_input_names_the_field()
    {
        Assert.Equal("until", (await Bad(() => Queries.GetTopTalkersAsync(Start, Start, cancellationToken: Cancel))).Field);
        Assert.Equal("until", (await Bad(() => Queries.GetTopDestinationsAsync(Start, Start.AddTicks(-1), cancellationToken: Cancel))).Field);
        Assert.Equal("limit", (await Bad(() => Queries.GetTopTalkersAsync(null, null, limit: 0, cancellationToken: Cancel))).Field);
        Assert.Equal("limit", (await Bad(() => Queries.GetTopDestinationsAsync(null, null, limit: 1001, cancellationToken: Cancel))).Field);
        Assert.Equal("measure", (await Bad(() => Queries.GetTopTalkersAsync(null, null, (TrafficMeasure)9, cancellationToken: Cancel))).Field);
        Assert.Equal("limit", (await Bad(() => Queries.GetContactsAsync(Destination(1), new PageRequest { Limit = 0 }, Cancel))).Field);
        Assert.Equal("destination", (await Bad(() => Queries.GetPrevalenceAsync([.. Enumerable.Range(0, 1001).Select(i => new IPAddress(i))], Cancel))).Field);

        await StoreAsync(Rows(100));
        var cursor = (await Queries.GetNewAsync(Start, page: new PageRequest { Limit = 1 }, cancellationToken: Cancel)).Next;
        Assert.NotNull(cursor);
        Assert.Equal("cursor", (await Bad(() => Queries.GetNewAsync(Start, true, page: new PageRequest { Cursor = cursor }, cancellationToken: Cancel))).Field);
        Assert.Equal("cursor", (await Bad(() => Queries.GetContactsAsync(Destination(1), new PageRequest { Cursor = cursor }, Cancel))).Field);

        static Task<QueryFilterException> Bad(Func<Task> query) => Assert.ThrowsAsync<QueryFilterException>(query);
    }

    private static async Task AssertPagesAsync<T>(List<T> expected, Func<PageRequest, Task<Page<T>>> read)
    {
        const int limit = 3;
        Assert.Equal(expected, (await read(new PageRequest { Limit = 1000 })).Items);
        var forward = new List<T>();
        var pages = new List<Page<T>>();
        for (string? cursor = null; pages.Count == 0 || cursor is not null; cursor = pages[^1].Next)
        {
            pages.Add(await read(new PageRequest { Limit = limit, Cursor = cursor }));
            forward.AddRange(pages[^1].Items);
        }

        Assert.Equal(expected, forward);
        var backward = new List<T>();
        for (var cursor = pages[^1].Previous; cursor is not null;)
        {
            var page = await read(new PageRequest { Limit = limit, Cursor = cursor });
            backward.InsertRange(0, page.Items);
            cursor = page.Previous;
        }

        Assert.Equal(expected.SkipLast(pages[^1].Items.Count), backward);
    }
}
