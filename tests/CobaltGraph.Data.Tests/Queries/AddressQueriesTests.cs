using System.Net;
using CobaltGraph.Data.Queries;
using CobaltGraph.Model;
using CobaltGraph.Testing;

namespace CobaltGraph.Data.Tests.Queries;

public class AddressQueriesTests(PostgresServerFixture server) : TrafficTest(server)
{
    private static readonly IPAddress Address = IPAddress.Parse("10.0.0.5");

    private AddressQueries Queries => new(this, Options);

    [Theory]
    [InlineData("12:00", "1 sighting covers")]
    [InlineData("11:00", "1 sighting covers")]
    [InlineData("13:00", "1 sighting covers")]
    [InlineData("10:59:59.999999", "")]
    [InlineData("13:00:00.000001", "1 sighting")]
    public async Task Holder_is_who_has_a_binding_then(string at, string expected)
    {
        await HeldAsync(1, "sighting", "11:00", "13:00");
        await HeldAsync(2, "sighting", "11:00", "13:00", "10.0.0.6");

        Assert.Equal(expected, await WhoAsync(at));
    }

    [Fact]
    public async Task Binding_that_ended_counts_until_it_lapses()
    {
        await HeldAsync(1, "sighting", "11:00", "13:00");

        Assert.Equal("1 sighting", Text(await Queries.WhoHadAsync(Address, At("13:00") + DeviceAddress.Lapse, Cancel)));
        Assert.Equal("", Text(await Queries.WhoHadAsync(Address, At("13:00") + DeviceAddress.Lapse + TimeSpan.FromMicroseconds(1), Cancel)));
    }

    [Fact]
    public async Task Sighting_that_covers_the_time_beats_what_ended_before_it()
    {
        await HeldAsync(1, "sighting", "11:00", "11:30");
        await HeldAsync(2, "sighting", "11:45", "13:00");

        Assert.Equal("2 sighting covers", await WhoAsync("12:00"));
        Assert.Equal("1 sighting", await WhoAsync("11:40"));
        Assert.Equal("2 sighting, 1 sighting", await WhoAsync("14:00"));
    }

    // A router sends from it, and an application wrote it down when another device had it.
    [Fact]
    public async Task Device_that_was_sighted_last_is_not_hidden_by_traffic_and_by_what_an_application_set()
    {
        await HeldAsync(1, "traffic", "11:00", "13:00");
        await HeldAsync(2, "update", "10:00", null);
        await HeldAsync(2, "sighting", "10:00", "10:30");
        await HeldAsync(3, "sighting", "11:00", "11:30");

        Assert.Equal("3 sighting, 2 update covers, 1 traffic covers", await WhoAsync("12:00"));
        Assert.Equal("3 sighting covers, 2 update covers, 1 traffic covers", await WhoAsync("11:15"));
    }

    [Fact]
    public async Task Claims_come_before_traffic_and_of_equals_the_one_that_began_last()
    {
        await HeldAsync(1, "traffic", "11:59", "13:00");
        await HeldAsync(2, "sighting", "10:00", "13:00");
        await HeldAsync(3, "update", "11:00", null);
        await HeldAsync(3, "sighting", "11:00", "14:00");

        Assert.Equal("3 sighting covers, 3 update covers, 2 sighting covers, 1 traffic covers", await WhoAsync("12:00"));
        Assert.Equal("3 update covers, 2 sighting, 1 traffic", await WhoAsync("23:00"));
        Assert.Equal(DateTimeOffset.MaxValue, (await Queries.WhoHadAsync(Address, At("23:00"), Cancel))[0].LastSeen);
    }

    [Fact]
    public async Task Sender_of_connections_held_the_address_that_they_came_from()
    {
        await StoreAsync(
        [
            new Connection { Timestamp = At("11:00"), SrcMac = Device(1), SrcIp = Address, DstIp = Destination(1), DstPort = 1 },
            new Connection { Timestamp = At("12:00"), SrcMac = Device(1), SrcIp = Address, DstIp = Destination(1), DstPort = 1 },
        ]);

        Assert.Equal("1 traffic covers", await WhoAsync("11:30"));
    }

    // As a dual-stack socket writes it.
    [Fact]
    public async Task Address_in_the_notation_of_ipv6_is_the_same_address()
    {
        await Run("INSERT INTO connections (\"timestamp\", src_mac, src_ip, dst_ip, dst_port) VALUES ('2026-03-01 12:00Z', '02:00:00:00:00:01', '10.0.0.5', '192.0.2.1', 443)");

        Assert.Single(await Queries.WhoHadAsync(IPAddress.Parse("::ffff:10.0.0.5"), new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero), Cancel));
    }

    [Fact]
    public async Task Nobody_held_an_address_that_was_never_seen()
    {
        Assert.Empty(await Queries.WhoHadAsync(Address, At("12:00"), Cancel));
        Assert.Empty(await Queries.WhoHadAsync(IPAddress.IPv6Any, DateTimeOffset.MinValue, Cancel));
        Assert.Empty(await Queries.WhoHadAsync(Address, DateTimeOffset.MaxValue, Cancel));
    }

    [Fact]
    public async Task Holder_is_found_by_the_index_on_address_and_time()
    {
        await Run(
            """
            INSERT INTO device_addresses (mac_address, ip_address, source, first_seen, last_seen)
            SELECT '02:00:5e:00:00:01', '10.0.0.0'::inet + i % 5000, 'sighting', '2026-03-01Z'::timestamptz + i * interval '1 minute', '2026-03-01Z'::timestamptz + i * interval '1 minute'
            FROM generate_series(1, 20000) AS i;
            ANALYZE device_addresses
            """);

        var plan = await Texts(
            "EXPLAIN SELECT * FROM device_addresses WHERE ip_address = '10.0.0.5' AND first_seen <= '2026-03-05Z' AND last_seen >= '2026-03-04Z'");

        Assert.Contains(plan, line => line!.Contains("ix_device_addresses_ip_address_first_seen", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(null, null, "1+2 11:30-12:00")]
    [InlineData("11:00", "11:30", "")]
    [InlineData("11:00", "11:30:00.000001", "1+2 11:30-12:00")]
    [InlineData("12:00", "13:00", "1+2 11:30-12:00")]
    [InlineData("12:00:00.000001", null, "")]
    public async Task Conflict_is_two_devices_that_claim_an_address_in_the_range(string? from, string? until, string expected)
    {
        await HeldAsync(2, "sighting", "10:00", "12:00");
        await HeldAsync(1, "sighting", "11:30", "14:00");
        await HeldAsync(1, "sighting", "10:30", "14:00", "10.0.0.6");

        var conflicts = await Queries.GetConflictsAsync(
            from is null ? null : At(from), until is null ? null : At(until), cancellationToken: Cancel);

        Assert.Equal(expected, Text(conflicts));
        Assert.False(conflicts.HasMore);
        var elsewhere = TimeSpan.FromHours(5.5);
        Assert.Equal(conflicts.Items, (await Queries.GetConflictsAsync(
            from is null ? null : At(from).ToOffset(elsewhere), until is null ? null : At(until).ToOffset(elsewhere), cancellationToken: Cancel)).Items);
    }

    [Fact]
    public async Task Traffic_claims_nothing_and_one_device_has_no_conflict_with_itself()
    {
        await HeldAsync(1, "sighting", "10:00", "12:00");
        await HeldAsync(1, "update", "10:00", null);
        await HeldAsync(2, "traffic", "10:00", "12:00");

        Assert.Empty((await Queries.GetConflictsAsync(cancellationToken: Cancel)).Items);
    }

    [Fact]
    public async Task Claims_of_one_device_by_several_sources_are_one_conflict()
    {
        await HeldAsync(1, "sighting", "10:00", "11:00");
        await HeldAsync(1, "update", "10:30", "12:00");
        await HeldAsync(1, "sighting", "15:00", "16:00");
        await HeldAsync(2, "sighting", "10:15", "18:00");

        Assert.Equal("1+2 15:00-16:00, 1+2 10:15-12:00", Text(await Queries.GetConflictsAsync(cancellationToken: Cancel)));
        // The view merges with SQL of its own, which knows no range.
        Assert.Equal(
            ["1+2 15:00-16:00", "1+2 10:15-12:00"],
            await Texts("""
                SELECT right(mac_address_a::text, 1) || '+' || right(mac_address_b::text, 1) || to_char("from" AT TIME ZONE 'UTC', ' HH24:MI-')
                       || to_char(until AT TIME ZONE 'UTC', 'HH24:MI')
                FROM address_conflicts ORDER BY "from" DESC
                """));
        // The claim of 10:30 is not of the range.
        Assert.Equal("1+2 10:15-11:00", Text(await Queries.GetConflictsAsync(At("10:20"), At("10:25"), cancellationToken: Cancel)));
    }

    [Fact]
    public async Task Three_devices_on_an_address_are_three_conflicts_and_a_limit_says_that_there_are_more()
    {
        for (var device = 1; device <= 3; device++)
            await HeldAsync(device, "update", $"1{device}:00", null);

        var all = await Queries.GetConflictsAsync(cancellationToken: Cancel);
        var two = await Queries.GetConflictsAsync(page: new() { Limit = 2 }, cancellationToken: Cancel);

        Assert.Equal(["2+3", "1+3", "1+2"], all.Items.Select(c => $"{c.First.ToInt64() & 0xF}+{c.Second.ToInt64() & 0xF}"));
        Assert.All(all.Items, conflict => Assert.Equal(DateTimeOffset.MaxValue, conflict.To));
        Assert.Equal((2, true, false), (two.Items.Count, two.HasMore, all.HasMore));

        var last = await Queries.GetConflictsAsync(page: new() { Limit = 2, Cursor = two.Next }, cancellationToken: Cancel);
        var back = await Queries.GetConflictsAsync(page: new() { Limit = 2, Cursor = last.Previous }, cancellationToken: Cancel);

        Assert.Equal(all.Items[2], Assert.Single(last.Items));
        Assert.Equal(two.Items, back.Items);
        Assert.Equal("cursor", (await Assert.ThrowsAsync<QueryFilterException>(
            () => Queries.GetConflictsAsync(At("10:00"), page: new() { Cursor = two.Next }, cancellationToken: Cancel))).Field);
    }

    [Fact]
    public async Task Bad_input_names_the_field()
    {
        Assert.Equal("until", (await Assert.ThrowsAsync<QueryFilterException>(() => Queries.GetConflictsAsync(Start, Start, cancellationToken: Cancel))).Field);
        Assert.Equal("limit", (await Assert.ThrowsAsync<QueryFilterException>(() => Queries.GetConflictsAsync(page: new() { Limit = 0 }, cancellationToken: Cancel))).Field);
    }

    private static DateTimeOffset At(string time) => Start + TimeSpan.Parse(time);

    private Task<int> HeldAsync(int device, string source, string from, string? to, string address = "10.0.0.5") => Run(
        $"""
        INSERT INTO device_addresses (mac_address, ip_address, source, first_seen, last_seen)
        VALUES ('{Device(device)}', '{address}', '{source}', '2026-03-01 {from}Z', {(to is null ? "'infinity'" : $"'2026-03-01 {to}Z'")})
        """);

    private async Task<string> WhoAsync(string at) => Text(await Queries.WhoHadAsync(Address, At(at), Cancel));

    private static string Text(IReadOnlyList<AddressHolder> holders)
        => string.Join(", ", holders.Select(h => $"{h.MacAddress.ToInt64() & 0xF} {NameOf(h.Source)}{(h.Covers ? " covers" : "")}"));

    private static string NameOf(AddressSource source)
        => source switch { AddressSource.Sighting => "sighting", AddressSource.Update => "update", _ => "traffic" };

    private static string Text(Page<AddressConflict> conflicts)
        => string.Join(", ", conflicts.Items.Select(c => $"{c.First.ToInt64() & 0xF}+{c.Second.ToInt64() & 0xF} {c.From:HH:mm}-{c.To:HH:mm}"));
}
