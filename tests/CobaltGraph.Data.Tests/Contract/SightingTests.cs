using System.Diagnostics;
using System.Globalization;
using System.Net;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;
using CobaltGraph.Testing;
using Npgsql;

namespace CobaltGraph.Data.Tests.Contract;

// CONTRACT.md §2, rules 1, 2, 5, 7 and 8, and §3: what sightings make of devices.
public class SightingTests(PostgresServerFixture server) : DatabaseTest(server)
{
    private const string Mac = "02:00:5e:00:00:01";

    private static readonly DateTimeOffset Noon = new(2026, 3, 5, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Unseen_device_is_created_as_discovered_with_one_event()
    {
        var answer = await Store(new DeviceSighting
        {
            MacAddress = MacAddress.Parse(Mac),
            IpAddress = IPAddress.Parse("192.0.2.1"),
            Hostname = "printer",
            Vendor = "Example Inc.",
            DeviceType = "iot",
            SeenAt = Noon,
            Source = "dhcp",
        });

        Assert.Equal((1, 0), answer);
        Assert.Equal(
            ["192.0.2.1 printer Example Inc. iot discovered 0 0 2026-03-05 12:00:00 2026-03-05 12:00:00 2026-03-05 12:00:00"],
            await Texts("""
                SELECT concat_ws(' ', abbrev(ip_address), hostname, vendor, device_type, status, connection_count, threat_count,
                    first_seen AT TIME ZONE 'UTC', last_seen AT TIME ZONE 'UTC', last_activity AT TIME ZONE 'UTC') FROM devices
                """));
        Assert.Equal(
            ["192.0.2.1 12:00:00 12:00:00 12:00:00 12:00:00 dhcp 12:00:00 t"],
            await Texts("""
                SELECT concat_ws(' ', abbrev(ipv4), (ipv4_seen_at AT TIME ZONE 'UTC')::time, abbrev(ipv6), ipv6_seen_at,
                    (hostname_seen_at AT TIME ZONE 'UTC')::time, (vendor_seen_at AT TIME ZONE 'UTC')::time,
                    (device_type_seen_at AT TIME ZONE 'UTC')::time, source, (source_seen_at AT TIME ZONE 'UTC')::time, created_by_sighting) FROM device_sightings
                """));
        Assert.Equal(["discovered"], await Events());
    }

    [Theory]
    [InlineData("discovered")]
    [InlineData("active")]
    [InlineData("idle")]
    [InlineData("offline")]
    public async Task Sighting_of_a_known_device_moves_what_was_seen_and_nothing_else(string status)
    {
        await Run($"""
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port) VALUES ('2026-03-05 12:00Z', '{Mac}', '192.0.2.9', 1);
            UPDATE devices SET status = '{status}', confidence_score = 0.5, metadata = '{"{"}"notes": "kept"{"}"}'
            """);
        var events = await Events();

        Assert.Equal((0, 1), await Store(Seen(at: 10), Seen(at: -10)));

        Assert.Equal(
            [$"11:50:00 12:10:00 12:00:00 {status} 1 0.5 kept"],
            await Texts("""
                SELECT concat_ws(' ', (first_seen AT TIME ZONE 'UTC')::time, (last_seen AT TIME ZONE 'UTC')::time,
                    (last_activity AT TIME ZONE 'UTC')::time, status, connection_count, confidence_score, metadata ->> 'notes') FROM devices
                """));
        Assert.Equal(events, await Events());
    }

    // A device without traffic has no activity of its own; what an application said of one is left alone.
    [Fact]
    public async Task Activity_of_a_device_without_traffic_moves_only_where_a_sighting_created_it()
    {
        await Run($"""
            INSERT INTO devices (mac_address, first_seen, last_seen, last_activity)
            VALUES ('02:00:5e:00:00:02', '2026-03-05 12:00Z', '2026-03-05 12:00Z', '2026-03-05 12:00Z')
            """);

        await Store(Seen(at: 0));
        await Store(Seen(at: 5), Seen(mac: "02:00:5e:00:00:02", at: 5));
        await Store(Seen(at: -5));

        Assert.Equal(
            ["12:05:00 12:05:00", "12:05:00 12:00:00"],
            await Texts("""
                SELECT concat_ws(' ', (last_seen AT TIME ZONE 'UTC')::time, (last_activity AT TIME ZONE 'UTC')::time)
                FROM devices ORDER BY mac_address
                """));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public async Task Nothing_erases_nothing(string? nothing)
    {
        await Store(Seen(ip: "192.0.2.1", text: "known", source: "dhcp", at: 0));

        await Store(Seen(text: nothing, source: nothing, at: 5));
        await Store(Seen(ip: "0.0.0.0", text: nothing, at: 6), Seen(ip: "::", text: nothing, at: 7));

        Assert.Equal(["192.0.2.1 known known known"], await Known());
        Assert.Equal(["dhcp"], await Texts("SELECT concat_ws(' ', source, abbrev(ipv6)) FROM device_sightings"));
    }

    [Fact]
    public async Task Value_seen_last_holds_whatever_the_order()
    {
        await Store(Seen(text: "second", source: "b", at: 2));
        await Store(Seen(text: "first", source: "a", at: 1));
        Assert.Equal(["second second second"], await Known());

        await Store(Seen(text: "third", source: "c", at: 3), Seen(text: "half", source: "d", at: 2.5));
        Assert.Equal(["third third third"], await Known());
        Assert.Equal(["c"], await Texts("SELECT source FROM device_sightings"));
    }

    // The same value seen again is news: one that lies between the two is old. An address that was taken in between is held
    // by the side of the other.
    [Fact]
    public async Task Value_seen_again_is_as_new_as_its_last_sighting()
    {
        await Store(Seen(ip: "192.0.2.1", text: "a", at: 1));
        await Store(Seen(ip: "192.0.2.1", text: "a", at: 5));

        await Store(Seen(ip: "192.0.2.2", text: "b", at: 3));

        Assert.Equal(["192.0.2.2 a a a"], await Known());
        Assert.Equal(["192.0.2.1"], await Texts("SELECT abbrev(ipv4) FROM device_sightings"));
    }

    [Theory]
    [InlineData("a", "b")]
    [InlineData("b", "a")]
    [InlineData("B", "b")]
    [InlineData("b", "B")]
    public async Task Of_equally_new_values_the_greatest_holds(string first, string second)
    {
        await Store(Seen(ip: "192.0.2.1", text: first, source: first, at: 1));
        await Store(Seen(ip: "192.0.2.2", text: second, source: second, at: 1));
        var greatest = string.CompareOrdinal(first, second) > 0 ? first : second;
        Assert.Equal([$"192.0.2.2 {greatest} {greatest} {greatest}"], await Known());

        await Store(
            Seen(mac: "02:00:5e:00:00:02", ip: "192.0.2.1", text: first, source: first, at: 1),
            Seen(mac: "02:00:5e:00:00:02", ip: "192.0.2.2", text: second, source: second, at: 1));
        Assert.Equal(await Known(), await Known("02:00:5e:00:00:02"));
        Assert.Equal([greatest, greatest], await Texts("SELECT source FROM device_sightings"));
    }

    [Fact]
    public async Task Sighting_replaces_what_an_application_said_and_its_silence_does_not()
    {
        await Run($"INSERT INTO devices (mac_address, hostname, vendor, last_seen) VALUES ('{Mac}', 'said', 'said', '2026-03-06')");

        await Store(new DeviceSighting { MacAddress = MacAddress.Parse(Mac), Hostname = "seen", SeenAt = Noon });
        Assert.Equal(["seen said"], await Known());

        await Run("UPDATE devices SET hostname = 'said again'");
        await Store(Seen(at: 1));
        await Store(new DeviceSighting { MacAddress = MacAddress.Parse(Mac), Hostname = "old", SeenAt = Noon.AddMinutes(-1) });
        Assert.Equal(["said again said"], await Known());
    }

    [Fact]
    public async Task Newer_address_of_the_family_replaces_the_primary_and_writes_one_event()
    {
        await Store(Seen(ip: "192.0.2.1", at: 1));
        await Store(Seen(ip: "192.0.2.3", at: 3));
        await Store(Seen(ip: "192.0.2.2", at: 2));
        await Store(Seen(ip: "192.0.2.3", at: 4));

        Assert.Equal(["192.0.2.3"], await Known());
        Assert.Equal(["discovered", "ip_changed 192.0.2.1 192.0.2.3"], await Events());
    }

    [Theory]
    [InlineData("192.0.2.1", "2001:db8::1", "2001:db8::2", "192.0.2.2")]
    [InlineData("2001:db8::1", "192.0.2.1", "192.0.2.2", "2001:db8::2")]
    public async Task Address_of_the_other_family_never_replaces_the_primary(string first, string other, string another, string next)
    {
        await Store(Seen(ip: first, at: 1));
        await Store(Seen(ip: other, at: 2));
        await Store(Seen(ip: another, at: 3));
        Assert.Equal([first], await Known());

        await Store(Seen(ip: next, at: 4), Seen(ip: other, at: 5));

        Assert.Equal([next], await Known());
        Assert.Equal(["discovered", $"ip_changed {first} {next}"], await Events());
        Assert.Equal(
            [string.Join(' ', new[] { next, other }.OrderBy(address => address.Contains(':', StringComparison.Ordinal)))],
            await Texts("SELECT concat_ws(' ', abbrev(ipv4), abbrev(ipv6)) FROM device_sightings"));
    }

    // Last week's sightings, imported today, must not move what a live device is reached by.
    [Theory]
    [InlineData("192.0.2.1", "2001:db8::1", "192.0.2.2")]
    [InlineData("2001:db8::1", "192.0.2.1", "2001:db8::2")]
    public async Task Earlier_address_of_the_other_family_that_is_stored_late_never_replaces_the_primary(string first, string other, string next)
    {
        await Store(Seen(ip: first, at: 0));
        await Store(Seen(ip: other, at: -60));
        await Store(Seen(ip: other, at: -120), Seen(ip: other, at: -90));

        Assert.Equal([first], await Known());
        Assert.Equal(["discovered"], await Events());
        Assert.Equal(1, await Count("device_sightings WHERE num_nulls(ipv4, ipv6) = 0"));

        await Store(Seen(ip: other, at: -30), Seen(ip: next, at: 1));
        Assert.Equal([next], await Known());
        Assert.Equal(["discovered", $"ip_changed {first} {next}"], await Events());
    }

    [Theory]
    [InlineData(2, 3, "192.0.2.1")]
    [InlineData(3, 2, "2001:db8::1")]
    [InlineData(2, 2, "192.0.2.1")]
    public async Task Family_of_a_device_without_an_address_is_that_of_the_earliest_one_in_the_call(int ipv4At, int ipv6At, string primary)
    {
        const string Unseen = Mac, Traffic = "02:00:5e:00:00:02", Erased = "02:00:5e:00:00:03";
        await Run($"""INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port) VALUES ('2026-03-05', '{Traffic}', '192.0.2.9', 1)""");
        await Store(Seen(mac: Erased, ip: "192.0.2.9", at: 0), Seen(mac: Erased, ip: "2001:db8::9", at: 1));
        await Run("UPDATE devices SET ip_address = NULL");

        await Store([.. new[] { Erased, Unseen, Traffic }.SelectMany(mac => new[]
        {
            Seen(mac: mac, ip: "2001:db8::1", at: ipv6At), Seen(mac: mac, ip: "192.0.2.1", at: ipv4At),
        })]);

        Assert.Equal([primary, primary, primary], await Texts("SELECT abbrev(ip_address) FROM devices"));
    }

    [Theory]
    [InlineData("192.0.2.1", "2001:db8::1", "192.0.2.2")]
    [InlineData("2001:db8::1", "192.0.2.1", "2001:db8::2")]
    public async Task Family_that_an_application_chose_stays_whenever_the_other_is_seen(string chosen, string other, string next)
    {
        await Run($"INSERT INTO devices (mac_address, ip_address, last_seen) VALUES ('{Mac}', '{chosen}', '2026-03-05 09:00Z')");

        await Store(Seen(ip: other, at: -60));
        await Store(Seen(ip: chosen, at: 0));
        await Store(Seen(ip: other, at: -120));
        Assert.Equal([chosen], await Known());

        await Store(Seen(ip: next, at: 1));
        Assert.Equal([next], await Known());
    }

    [Fact]
    public async Task Family_that_an_application_changes_later_stays_too()
    {
        await Store(Seen(ip: "192.0.2.1", at: 1), Seen(ip: "2001:db8::1", at: 2));
        await Run("UPDATE devices SET ip_address = '2001:db8::1'");

        await Store(Seen(ip: "192.0.2.2", at: 3));
        await Store(Seen(ip: "192.0.2.3", at: -3));
        Assert.Equal(["2001:db8::1"], await Known());

        await Run("UPDATE devices SET ip_address = NULL");
        await Store(Seen(at: 4));
        Assert.Equal([""], await Known());
        await Store(Seen(ip: "192.0.2.4", at: 5));
        Assert.Equal(["192.0.2.4"], await Known());
    }

    [Fact]
    public async Task Device_that_only_traffic_knew_gets_its_address_with_an_event()
    {
        await Run($"""INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port) VALUES ('2026-03-05', '{Mac}', '192.0.2.9', 1)""");

        await Store(Seen(ip: "192.0.2.1", at: 0), Seen(ip: "2001:db8::1", at: 0));

        Assert.Equal(["192.0.2.1"], await Known());
        Assert.Equal(["discovered", "ip_changed 192.0.2.1"], await Events());
    }

    [Fact]
    public async Task Mapped_address_counts_as_the_ipv4_address_that_it_is()
    {
        await Store(Seen(ip: "::ffff:192.0.2.1", at: 0));

        Assert.Equal(["192.0.2.1"], await Known());
    }

    [Fact]
    public async Task Time_that_is_unset_or_ahead_is_now()
    {
        await Store(
            new DeviceSighting { MacAddress = MacAddress.Parse(Mac) },
            new DeviceSighting { MacAddress = MacAddress.Parse("02:00:5e:00:00:02"), SeenAt = DateTimeOffset.UtcNow.AddYears(10) });

        Assert.Equal(
            ["t", "t"],
            await Texts("""
                SELECT (least(first_seen, last_seen) > now() - interval '1 minute' AND last_seen <= now())::text::"char" FROM devices
                """));
    }

    // It counts as seen now: what is seen later is newer.
    [Fact]
    public async Task Time_ahead_does_not_hold_for_good()
    {
        await Store(Seen(ip: "192.0.2.1", text: "ahead", at: 1e6));
        await Task.Delay(2, Cancel);

        await Store(new DeviceSighting { MacAddress = MacAddress.Parse(Mac), IpAddress = IPAddress.Parse("192.0.2.2"), Hostname = "now" });

        Assert.Equal(["192.0.2.2 now ahead ahead"], await Known());
    }

    [Theory]
    [InlineData("infinity")]
    [InlineData("-infinity")]
    public async Task Time_that_is_not_finite_is_refused_by_its_place(string time)
    {
        var error = await Refused(
            $"""
            SELECT merge_device_sightings(ARRAY['{Mac}', '{Mac}', '{Mac}']::macaddr[], NULL, NULL, NULL, NULL,
                ARRAY['2026-03-05', '{time}', 'infinity']::timestamptz[], NULL)
            """,
            PostgresErrorCodes.InvalidParameterValue);

        Assert.Equal(
            $"merging sightings: p_seen_at[2] is {time}, expected a finite time, or NULL for now", error.MessageText);
        Assert.Equal(0, await Count("devices"));
    }

    [Fact]
    public async Task Missing_mac_is_refused_by_its_place()
    {
        var error = await Refused(
            $"SELECT merge_device_sightings(ARRAY['{Mac}', NULL]::macaddr[], NULL, NULL, NULL, NULL, NULL, NULL)",
            PostgresErrorCodes.InvalidParameterValue);

        Assert.Equal("merging sightings: p_macs[2] is NULL, expected a MAC address", error.MessageText);
    }

    [Theory]
    [InlineData("ARRAY['192.0.2.1']::inet[], NULL, NULL, NULL, NULL, NULL", "p_ips has 1 elements, p_macs has 2")]
    [InlineData("NULL, ARRAY['a', 'b', 'c'], NULL, NULL, NULL, NULL", "p_hostnames has 3 elements, p_macs has 2")]
    [InlineData("NULL, NULL, ARRAY['a'], NULL, NULL, NULL", "p_vendors has 1 elements, p_macs has 2")]
    [InlineData("NULL, NULL, NULL, '{}', NULL, NULL", "p_device_types has 0 elements, p_macs has 2")]
    [InlineData("NULL, NULL, NULL, NULL, ARRAY[now()], NULL", "p_seen_at has 1 elements, p_macs has 2")]
    [InlineData("NULL, NULL, NULL, NULL, NULL, ARRAY['a']", "p_sources has 1 elements, p_macs has 2")]
    public async Task Arrays_of_other_lengths_are_refused_by_name(string others, string problem)
    {
        var error = await Refused(
            $"SELECT merge_device_sightings(ARRAY['{Mac}', '02:00:5e:00:00:02']::macaddr[], {others})",
            PostgresErrorCodes.InvalidParameterValue);

        Assert.Equal($"merging sightings: {problem}", error.MessageText);
    }

    [Theory]
    [InlineData("ARRAY['{}', NULL]::jsonb[], NULL", "p_metadata has 2 elements, p_macs has 3")]
    [InlineData("NULL, ARRAY[0, 0, 1, 1]::real[]", "p_confidence_scores has 4 elements, p_macs has 3")]
    [InlineData("ARRAY[NULL, '[]', '1']::jsonb[], NULL", "p_metadata[2] is of type array, expected a JSON object, or NULL")]
    [InlineData("ARRAY['{}', NULL, 'null']::jsonb[], NULL", "p_metadata[3] is of type null, expected a JSON object, or NULL")]
    [InlineData("NULL, ARRAY[1, 1.5, -1]::real[]", "p_confidence_scores[2] is 1.5, expected a number from 0 to 1, or NULL")]
    [InlineData("NULL, ARRAY[NULL, -0.5, 2]::real[]", "p_confidence_scores[2] is -0.5, expected a number from 0 to 1, or NULL")]
    [InlineData("ARRAY[NULL, NULL, '[]']::jsonb[], ARRAY['NaN', 0, 0]::real[]", "p_confidence_scores[1] is NaN, expected a number from 0 to 1, or NULL")]
    public async Task Metadata_or_confidence_that_cannot_be_is_refused_by_its_place(string arguments, string problem)
    {
        var error = await Refused(
            $"SELECT merge_sightings_with_metadata(ARRAY['{Mac}', '{Mac}', '{Mac}']::macaddr[], NULL, NULL, NULL, NULL, NULL, NULL, {arguments})",
            PostgresErrorCodes.InvalidParameterValue);

        Assert.Equal($"merging sightings: {problem}", error.MessageText);
        Assert.Equal(0, await Count("devices"));
    }

    [Fact]
    public async Task Metadata_and_confidence_become_those_of_the_device_as_they_are()
    {
        const string json = """{"": {}, "a": [1.50, -0.0, 12345678901234567890.10, {"b": [[]]}], "tags": [], "notes": "Ä ☃", "custom": {"rack": 4.0}}""";

        Assert.Equal((1, 0), await Store(Said(json, 0.33333334f, at: 0)));
        Assert.Equal((1, 0), await Store(Said(json, 0, at: 0) with { MacAddress = MacAddress.Parse("02:00:5e:00:00:02") }, Seen(mac: "02:00:5e:00:00:02", at: 1)));

        Assert.Equal(2, await Count($"devices WHERE metadata::text = '{json}'::jsonb::text"));
        Assert.Equal(["0.33333334", "0"], await Texts("SELECT confidence_score::text FROM devices ORDER BY mac_address"));
        await using var context = Database.NewContext();
        var sighted = context.SightedDevices.Single(s => s.MacAddress == MacAddress.Parse(Mac));
        Assert.Equal(Noon, sighted.ConfidenceSeenAt);
        Assert.Equal(["", "a", "custom", "notes", "tags"], sighted.MetadataSeenAt!.Keys.Order(StringComparer.Ordinal));
        Assert.All(sighted.MetadataSeenAt.Values, time => Assert.Equal(Noon, time));
    }

    [Fact]
    public async Task Metadata_key_that_a_sighting_does_not_name_stays()
    {
        await Run($$"""
            INSERT INTO devices (mac_address, confidence_score, metadata, last_seen)
            VALUES ('{{Mac}}', 0.5, '{"said": {"by": "application"}, "notes": "said"}', '2026-03-05')
            """);

        await Store(Said("""{"notes": "seen"}""", null, at: 0));
        await Store(Said("""{"tags": ["a"]}""", null, at: 1));
        await Store(Said("{}", null, at: 2), Seen(text: "x", at: 3));
        Assert.Equal(["""0.5 {"said": {"by": "application"}, "tags": ["a"], "notes": "seen"}"""], await Metadata());

        await Store(Said(null, 0, at: 4));
        Assert.Equal(["""0 {"said": {"by": "application"}, "tags": ["a"], "notes": "seen"}"""], await Metadata());
    }

    [Fact]
    public async Task Metadata_key_and_confidence_seen_last_hold_whatever_the_order()
    {
        await Store(Said("""{"a": "second", "b": "second"}""", 0.2f, at: 2));
        await Store(Said("""{"a": "first", "c": "first"}""", 0.1f, at: 1));
        Assert.Equal(["""0.2 {"a": "second", "b": "second", "c": "first"}"""], await Metadata());

        await Store(Said("""{"a": "half"}""", 0.9f, at: 2.5), Said("""{"a": {"third": 3}}""", 0.3f, at: 3), Said("""{"b": "half"}""", null, at: 2.5));
        Assert.Equal(["""0.3 {"a": {"third": 3}, "b": "half", "c": "first"}"""], await Metadata());

        // Seen again it is as new as then.
        await Store(Said("""{"b": "half"}""", 0.3f, at: 5));
        await Store(Said("""{"b": "old"}""", 0.4f, at: 4));
        Assert.Equal(["""0.3 {"a": {"third": 3}, "b": "half", "c": "first"}"""], await Metadata());
    }

    [Theory]
    [InlineData("\"a\"", "\"b\"", "\"b\"", 0.1f, 0.2f)]
    [InlineData("\"b\"", "\"B\"", "\"b\"", 0.2f, 0.1f)]
    [InlineData("1.0", "1.00", "1.00", 0.2f, 0.2f)]
    [InlineData("[]", "{}", "{}", 0f, 0.2f)]
    public async Task Of_equally_new_metadata_and_confidence_the_greatest_holds(string first, string second, string greatest, float one, float other)
    {
        await Store(Said($$"""{"k": {{first}}}""", one, at: 1));
        await Store(Said($$"""{"k": {{second}}}""", other, at: 1));
        Assert.Equal([$$"""0.2 {"k": {{greatest}}}"""], await Metadata());

        await Store(Said($$"""{"k": {{first}}}""", one, at: 1));
        Assert.Equal([$$"""0.2 {"k": {{greatest}}}"""], await Metadata());
    }

    [Fact]
    public async Task Null_in_metadata_erases_nothing_and_stays_where_nothing_is_known()
    {
        await Run($$"""INSERT INTO devices (mac_address, metadata, last_seen) VALUES ('{{Mac}}', '{"said": 1}', '2026-03-05')""");

        await Store(Said("""{"said": null, "a": "x", "b": null}""", null, at: 1));
        await Store(Said("""{"a": null, "b": null}""", null, at: 2));
        Assert.Equal(["""0 {"a": "x", "b": null, "said": 1}"""], await Metadata());

        await Store(Said("""{"b": "earlier"}""", null, at: 0));
        Assert.Equal(["""0 {"a": "x", "b": "earlier", "said": 1}"""], await Metadata());
    }

    // As with a host name: what an application removes comes back by news only.
    [Fact]
    public async Task Metadata_key_that_an_application_removes_comes_back_when_it_is_seen_later()
    {
        await Store(Said("""{"a": "x"}""", null, at: 1));
        await Run("UPDATE devices SET metadata = '{}'");

        await Store(Said("""{"a": "old"}""", null, at: 0), Said("""{"a": null}""", null, at: 2));
        Assert.Equal(["0 {}"], await Metadata());

        await Store(Said("""{"a": "new"}""", null, at: 3));
        Assert.Equal(["""0 {"a": "new"}"""], await Metadata());
    }

    [Fact]
    public async Task Metadata_time_is_kept_to_the_microsecond_in_any_session()
    {
        await Run("""
            SET TimeZone = 'Asia/Kathmandu';
            SET DateStyle = 'German, DMY';
            SELECT merge_sightings_with_metadata(ARRAY['02:00:5e:00:00:01']::macaddr[], NULL, NULL, NULL, NULL,
                ARRAY['2026-03-05 12:00:00.000002Z']::timestamptz[], NULL, ARRAY['{"a": "second", "b": 1}']::jsonb[], NULL);
            SELECT merge_sightings_with_metadata(ARRAY['02:00:5e:00:00:01']::macaddr[], NULL, NULL, NULL, NULL,
                ARRAY['0044-03-15 12:00:00Z BC']::timestamptz[], NULL, ARRAY['{"c": "Ides"}']::jsonb[], NULL);
            SET TimeZone = 'America/St_Johns';
            SET DateStyle = 'Postgres, MDY';
            SELECT merge_sightings_with_metadata(ARRAY['02:00:5e:00:00:01']::macaddr[], NULL, NULL, NULL, NULL,
                ARRAY['2026-03-05 12:00:00.000001Z']::timestamptz[], NULL, ARRAY['{"a": "first", "c": "later"}']::jsonb[], NULL)
            """);

        Assert.Equal(["""0 {"a": "second", "b": 1, "c": "later"}"""], await Metadata());
        Assert.Equal(
            ["""{"a": "2026-03-05T12:00:00.000002", "b": "2026-03-05T12:00:00.000002", "c": "2026-03-05T12:00:00.000001"}"""],
            await Texts("SELECT metadata_seen_at::text FROM device_sightings"));
    }

    // A document is opened once, and not for each of its keys.
    [Fact]
    public async Task Metadata_of_thirty_thousand_keys_takes_no_quadratic_time()
    {
        await Run("""
            CREATE FUNCTION keys_at(p_at timestamptz) RETURNS bigint LANGUAGE sql AS $$
                SELECT known_devices FROM merge_sightings_with_metadata(
                    ARRAY['02:00:5e:00:00:01']::macaddr[], NULL, NULL, NULL, NULL, ARRAY[p_at], NULL,
                    ARRAY[(SELECT jsonb_object_agg('k' || i, 'text of ' || p_at) FROM generate_series(1, 30000) AS i)], NULL)
            $$;
            SELECT keys_at('2026-03-05 12:00Z');
            SET statement_timeout = '20s';
            SELECT keys_at('2026-03-05 13:00Z'), keys_at('2026-03-05 11:00Z')
            """);

        Assert.Equal(
            30_000,
            await Scalar<long>("SELECT count(*) FROM devices, jsonb_each_text(metadata) WHERE value = 'text of ' || '2026-03-05 13:00Z'::timestamptz"));
    }

    [Fact]
    public async Task Deepest_metadata_is_merged()
    {
        const int depth = RecordRules.MaxMetadataDepth - 1;
        var json = "{\"a\": " + new string('[', depth) + new string(']', depth) + "}";

        for (var at = 0; at < 3; at++)
            await Store(Said(json, null, at));

        Assert.Equal([$"0 {json}"], await Metadata());
    }

    [Theory]
    [InlineData("01:00:5e:00:00:01")]
    [InlineData("ff:ff:ff:ff:ff:ff")]
    [InlineData("00:00:00:00:00:00")]
    public async Task Address_that_can_be_no_device_fails_the_whole_call(string mac)
    {
        var error = await Assert.ThrowsAsync<PostgresException>(() => Store(Seen(at: 0), Seen(mac: mac, at: 0)));

        Assert.Equal("ck_devices_mac_address", error.ConstraintName);
        Assert.Equal(0, await Count("devices"));
        Assert.Equal(0, await Count("device_events"));
    }

    [Fact]
    public async Task Text_that_is_too_long_fails_the_whole_call()
    {
        var error = await Assert.ThrowsAsync<PostgresException>(() => Store(Seen(mac: "02:00:5e:00:00:02", at: 0), Seen(text: new string('x', 256), at: 0)));

        Assert.Equal(PostgresErrorCodes.StringDataRightTruncation, error.SqlState);
        Assert.Equal(0, await Count("devices"));
    }

    [Theory]
    [InlineData("merge_device_sightings('{}', '{}', '{}', '{}', '{}', '{}', '{}')")]
    [InlineData("merge_device_sightings('{}', NULL, NULL, NULL, NULL, NULL, NULL)")]
    [InlineData("merge_device_sightings(NULL, NULL, NULL, NULL, NULL, NULL, NULL)")]
    [InlineData("merge_sightings_with_metadata('{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')")]
    [InlineData("merge_sightings_with_metadata(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)")]
    public async Task No_sightings_are_no_error(string call)
    {
        Assert.Equal(["(0,0)"], await Texts($"SELECT {call}::text"));
        Assert.Equal((0, 0), await Store());
    }

    [Fact]
    public async Task Devices_are_counted_once_each()
    {
        await Store(Seen(at: 0));

        Assert.Equal((2, 1), await Store(
            Seen(at: 1), Seen(mac: "02:00:5e:00:00:02", at: 0), Seen(mac: "02:00:5e:00:00:02", at: 1), Seen(mac: "02:00:5e:00:00:03", at: 0)));
    }

    // Row versions that change nothing would only make work for vacuum.
    [Fact]
    public async Task Repetition_writes_no_row()
    {
        var sightings = Enumerable.Range(0, 50).Select(i => Seen(
            mac: $"02:00:5e:00:00:{i % 20:x2}", ip: i % 3 == 0 ? $"2001:db8::{i:x}" : $"192.0.2.{i}", text: $"name{i}", source: "arp", at: i % 7) with
        {
            ConfidenceScore = i % 3 == 0 ? i / 50f : null,
            Metadata = DeviceMetadata.Parse($$"""{"a": {{i}}, "b{{i % 2}}": null, "c": {"d": 1.0} }"""),
        }).ToArray();
        await Store(sightings);
        var before = await Versions();

        Assert.Equal((0, 20), await Store(sightings));
        foreach (var sighting in sightings)
            await Store(sighting);

        Assert.Equal(before, await Versions());

        Task<string?[]> Versions() => Texts("""
            SELECT concat_ws(' ', mac_address, ctid) FROM devices UNION ALL
            SELECT concat_ws(' ', mac_address, ctid) FROM device_sightings UNION ALL
            SELECT 'events ' || count(*) FROM device_events ORDER BY 1
            """);
    }

    [Fact]
    public async Task Deleted_device_takes_its_sightings_along_and_is_new_when_seen_again()
    {
        await Store(Seen(ip: "192.0.2.1", text: "old", at: 5));
        await Run("DELETE FROM devices");
        Assert.Equal(0, await Count("device_sightings"));

        Assert.Equal((1, 0), await Store(Seen(ip: "2001:db8::1", at: 1)));

        Assert.Equal(["2001:db8::1"], await Known());
        Assert.Equal(["discovered", "removed discovered", "discovered"], await Events());
    }

    [Fact]
    public async Task Entity_gives_what_is_stored()
    {
        await Store(Seen(ip: "192.0.2.1", text: "a", source: "arp", at: 1), Seen(ip: "2001:db8::1", at: 2));

        await using var context = Database.NewContext();
        var sighted = Assert.Single(context.SightedDevices);

        Assert.Equal(MacAddress.Parse(Mac), sighted.MacAddress);
        Assert.Equal((IPAddress.Parse("192.0.2.1"), IPAddress.Parse("2001:db8::1")), (sighted.IPv4, sighted.IPv6));
        Assert.Equal((Noon.AddMinutes(1), Noon.AddMinutes(2)), (sighted.IPv4SeenAt, sighted.IPv6SeenAt));
        Assert.Equal(("arp", Noon.AddMinutes(1)), (sighted.Source, sighted.SourceSeenAt));
        Assert.True(sighted.CreatedBySighting);
    }

    // Random sightings of few devices at few moments, so that they meet. Held against a model of its own, and against
    // each other: at once, in random order and splits, one by one in order, and by three writers at a time.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Result_does_not_depend_on_order_batches_or_writers(int seed)
    {
        var random = new Random(seed);
        var sightings = Enumerable.Range(0, 150).Select(_ => RandomSighting(random)).ToArray();
        var expected = Model(sightings);
        string[]? contents = null;

        await Check(Database, [sightings], writers: 1);
        await Check(null, [.. sightings.OrderBy(s => s.SeenAt).Select(s => new[] { s })], writers: 1);
        foreach (var writers in (int[])[1, 1, 3])
        {
            random.Shuffle(sightings);
            var batches = new List<DeviceSighting[]>();
            for (var from = 0; from < sightings.Length;)
            {
                var to = Math.Min(from + 1 + random.Next(30), sightings.Length);
                batches.Add(sightings[from..to]);
                from = to;
            }

            // Some are delivered twice.
            batches.AddRange(batches.Where(_ => random.Next(4) == 0).ToArray());
            await Check(null, batches, writers);
        }

        async Task Check(TestDatabase? database, List<DeviceSighting[]> batches, int writers)
        {
            await using var other = database is null ? await Server.CreateDatabaseAsync() : null;
            database ??= other!;
            await database.ExecuteAsync("""
                INSERT INTO devices (mac_address, ip_address, hostname, first_seen, last_seen, last_activity, confidence_score, metadata)
                VALUES ('02:00:00:00:00:00', '192.0.2.77', 'said', '2026-03-05 11:59Z', '2026-03-05 11:59Z', '2026-03-05 11:59Z', 0.125, '{"a": "said", "b": null, "z": 1.0}'),
                       ('02:00:00:00:00:01', '2001:db8::77', NULL, '2026-03-05 11:59Z', '2026-03-05 11:59Z', '2026-03-05 11:59Z', 0, '{}');
                INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port) VALUES ('2026-03-05 12:02Z', '02:00:00:00:00:02', '192.0.2.9', 1)
                """);

            await Task.WhenAll(batches.Chunk((batches.Count + writers - 1) / writers).Select(part => Task.Run(
                async () =>
                {
                    foreach (var batch in part)
                        await StoreIn(database, batch);
                },
                Cancel)));

            Assert.Equal(expected, await Lines(database, """
                SELECT concat_ws('|', mac_address, coalesce(abbrev(ip_address), ''), coalesce(hostname, ''), coalesce(vendor, ''),
                    coalesce(device_type, ''), to_char(first_seen AT TIME ZONE 'UTC', 'HH24:MI'), to_char(last_seen AT TIME ZONE 'UTC', 'HH24:MI'),
                    confidence_score, metadata)
                FROM devices ORDER BY mac_address
                """));
            var all = await Lines(database, """
                SELECT concat_ws('|', 'device', d.*) FROM (SELECT * FROM devices ORDER BY mac_address) AS d
                UNION ALL
                SELECT concat_ws('|', 'sightings', s.*) FROM (SELECT * FROM device_sightings ORDER BY mac_address) AS s
                UNION ALL
                SELECT concat_ws('|', 'addresses', a.*) FROM (
                    SELECT * FROM device_addresses WHERE source = 'sighting' ORDER BY mac_address, ip_address, first_seen) AS a
                UNION ALL
                SELECT concat_ws('|', 'discovered', count(*)) FROM device_events WHERE event_type = 'discovered'
                """);
            Assert.Equal(contents ??= all, all);
        }
    }

    [Fact]
    public async Task Sightings_connections_and_sweep_do_not_deadlock()
    {
        const int Devices = 200;
        await Run($"""
            INSERT INTO devices (mac_address, status, last_seen)
            SELECT ('020000' || lpad(to_hex(i), 6, '0'))::macaddr, 'active', now() - interval '2 hours'
            FROM generate_series({Devices} - 1, 0, -2) AS i
            """);
        var deadlocks = await Deadlocks();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);

        var sweeper = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
                await Run("SELECT sweep_device_status()");
        }, Cancel);
        var sighters = Enumerable.Range(0, 4).Select(writer => Task.Run(async () =>
        {
            var random = new Random(writer);
            for (var batch = 0; batch < 60; batch++)
            {
                var macs = Enumerable.Range(0, Devices).ToArray();
                random.Shuffle(macs);
                await StoreIn(Database, [.. macs.Take(batch % 2 == 0 ? Devices : 40).Select(i => Seen(
                    mac: new MacAddress(0x0200_0000_0000 + i).ToString(),
                    ip: $"192.0.2.{random.Next(250)}", text: $"name{random.Next(9)}", at: random.Next(600)) with
                {
                    ConfidenceScore = batch % 3 == 0 ? random.Next(100) / 100f : null,
                    Metadata = batch % 3 == 0 ? null : DeviceMetadata.Parse($$"""{"a{{random.Next(3)}}": {{random.Next(9)}}}"""),
                })]);
            }
        }, Cancel));
        var writers = Enumerable.Range(0, 2).Select(writer => Task.Run(async () =>
        {
            for (var batch = 0; batch < 60; batch++)
            {
                await Run($"""
                    INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port)
                    SELECT now() - interval '2 hours', ('020000' || lpad(to_hex((random() * {Devices - 1})::int), 6, '0'))::macaddr, '192.0.2.1', 1
                    FROM generate_series(1, 300)
                    """);
            }
        }, Cancel));
        await Task.WhenAll([.. sighters, .. writers]);
        await stop.CancelAsync();
        await sweeper;

        Assert.Equal(deadlocks, await Deadlocks());
        Assert.Equal(Devices, await Count("devices"));
        Assert.Equal(Devices, await Count("device_sightings"));
        Assert.Equal(Devices, await Count("device_events WHERE event_type = 'discovered'"));
        Assert.Equal(36_000, await Scalar<decimal>("SELECT sum(connection_count) FROM devices"));
        await CounterTests.AssertExact(Database);
    }

    // A device that disappears while it is sighted must fail nobody, and make nobody take devices out of order.
    [Fact]
    public async Task Sightings_and_deletes_of_devices_do_not_deadlock()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var deleter = Task.Run(async () =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
                await Run($"DELETE FROM devices WHERE mac_address = ('020000' || lpad(to_hex({i * 7 % 100}), 6, '0'))::macaddr");
        }, Cancel);

        await Task.WhenAll(Enumerable.Range(0, 4).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; i < 60; i++)
            {
                if (writer == 0)
                {
                    await Run("""
                        INSERT INTO connections (src_mac, dst_ip, dst_port)
                        SELECT ('020000' || lpad(to_hex(i), 6, '0'))::macaddr, '192.0.2.1', 443 FROM generate_series(0, 99) AS i
                        """);
                }
                else
                {
                    await StoreIn(Database, [.. Enumerable.Range(0, 100).Select(d => Seen(
                        mac: new MacAddress(0x0200_0000_0000 + d).ToString(), ip: $"192.0.2.{i}", at: i) with
                    {
                        ConfidenceScore = writer == 1 ? 0.5f : null,
                        Metadata = writer == 2 ? DeviceMetadata.Parse($$"""{"a": {{i}}}""") : null,
                    })]);
                }
            }
        }, Cancel)));
        await stop.CancelAsync();
        await deleter;

        Assert.Equal(0, await Scalar<long>("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"));
    }

    // The plan for one device must not be kept for many.
    [Fact]
    public async Task Ten_thousand_known_devices_take_no_quadratic_time()
    {
        await using var connection = await Database.DataSource.OpenConnectionAsync(Cancel);
        for (var i = 0; i < 10; i++)
            await StoreOn(connection, [Seen(mac: $"02:ff:00:00:00:{i:x2}", ip: "192.0.2.1", text: "one", at: i)]);
        var devices = Enumerable.Range(0, 10_000).Select(i => Seen(
            mac: new MacAddress(0x0200_0000_0000 + (i * 7919 % 10_000)).ToString(),
            ip: $"10.0.{i / 256}.{i % 256}", text: i % 3 == 0 ? $"host{i}" : null, source: "arp", at: 0)).ToArray();
        Assert.Equal((10_000, 0), await StoreOn(connection, devices));

        var fastest = TimeSpan.MaxValue;
        for (var i = 1; i <= 5; i++)
        {
            var again = devices.Select(s => s with { SeenAt = s.SeenAt.AddMinutes(i) }).ToArray();
            var clock = Stopwatch.StartNew();
            Assert.Equal((0, 10_000), await StoreOn(connection, again));
            fastest = clock.Elapsed < fastest ? clock.Elapsed : fastest;
        }

        TestContext.Current.SendDiagnosticMessage("10,000 sightings of known devices: {0:N0} ms", fastest.TotalMilliseconds);
        Assert.InRange(fastest, TimeSpan.Zero, TimeSpan.FromSeconds(2));
        Assert.Equal(10_000, await Count("devices WHERE ip_address << '10.0.0.0/8' AND last_seen = '2026-03-05 12:05Z'"));
    }

    [Fact]
    public async Task Ten_thousand_known_devices_with_metadata_take_no_quadratic_time()
    {
        await using var connection = await Database.DataSource.OpenConnectionAsync(Cancel);
        var devices = Enumerable.Range(0, 10_000).Select(i => Seen(
            mac: new MacAddress(0x0200_0000_0000 + (i * 7919 % 10_000)).ToString(), ip: $"10.0.{i / 256}.{i % 256}", at: 0) with
        {
            ConfidenceScore = i % 100 / 100f,
            Metadata = DeviceMetadata.Parse($$"""{"notes": "device {{i}}", "tags": ["a", "b"], "custom": {"rack": {{i}} } }"""),
        }).ToArray();
        Assert.Equal((10_000, 0), await StoreOn(connection, devices));

        var clock = Stopwatch.StartNew();
        Assert.Equal((0, 10_000), await StoreOn(connection, [.. devices.Select(s => s with { SeenAt = s.SeenAt.AddMinutes(1) })]));

        TestContext.Current.SendDiagnosticMessage("10,000 sightings with metadata of known devices: {0:N0} ms", clock.Elapsed.TotalMilliseconds);
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(8));
        Assert.Equal(10_000, await Count("device_sightings WHERE metadata_seen_at ->> 'notes' = '2026-03-05T12:01:00' AND confidence_seen_at = '2026-03-05 12:01Z'"));
    }

    // What FunctionTests shows for the triggers: a role that may call the function, and no more, can divert nothing.
    [Fact]
    public async Task Caller_needs_no_more_than_execute_and_can_put_nothing_in_the_way()
    {
        var role = $"role_{Guid.NewGuid():N}";
        await Run($"""
            CREATE ROLE {role} LOGIN PASSWORD '{role}';
            GRANT USAGE, CREATE ON SCHEMA public TO {role};
            GRANT EXECUTE ON FUNCTION merge_device_sightings, merge_sightings_with_metadata TO {role}
            """);
        await using (var caller = NpgsqlDataSource.Create(Database.ConnectionStringWith(c => c.Username = c.Password = role)))
        {
            await using var attack = caller.CreateCommand($$"""
                CREATE TEMP TABLE devices (mac_address macaddr PRIMARY KEY);
                CREATE TEMP TABLE device_sightings (mac_address macaddr PRIMARY KEY);
                SET search_path = public;
                {{Trap("cardinality", "macaddr[]", "integer")}}
                {{Trap("cardinality", "text[]", "integer")}}
                {{Trap("unnest", "macaddr[]", "SETOF macaddr")}}
                {{Trap("trap_sum", "bigint, macaddr", "bigint")}}
                CREATE AGGREGATE array_agg(macaddr) (SFUNC = trap_sum, STYPE = bigint);
                CREATE AGGREGATE count(macaddr) (SFUNC = trap_sum, STYPE = bigint);
                {{Trap("trap_op", "varchar, varchar", "boolean")}}
                {{Trap("trap_op", "text, varchar", "boolean")}}
                {{Trap("trap_op", "varchar, text", "boolean")}}
                {{Trap("trap_op", "real, integer", "boolean")}}
                {{Trap("to_jsonb", "timestamp", "jsonb")}}
                {{Trap("trap_sum", "bigint, jsonb", "bigint")}}
                {{Trap("trap_sum", "bigint, text, jsonb", "bigint")}}
                CREATE AGGREGATE array_agg(jsonb) (SFUNC = trap_sum, STYPE = bigint);
                CREATE AGGREGATE jsonb_object_agg(text, jsonb) (SFUNC = trap_sum, STYPE = bigint);
                CREATE OPERATOR <= (LEFTARG = real, RIGHTARG = integer, FUNCTION = trap_op);
                CREATE OPERATOR >= (LEFTARG = real, RIGHTARG = integer, FUNCTION = trap_op);
                CREATE OPERATOR = (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = trap_op);
                CREATE OPERATOR > (LEFTARG = text, RIGHTARG = varchar, FUNCTION = trap_op);
                CREATE OPERATOR > (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = trap_op);
                CREATE OPERATOR = (LEFTARG = varchar, RIGHTARG = text, FUNCTION = trap_op);
                SELECT merge_device_sightings(ARRAY['{{Mac}}', '{{Mac}}']::macaddr[], ARRAY['192.0.2.1', '2001:db8::1']::inet[],
                    ARRAY['a', 'b'], ARRAY['a', 'b'], ARRAY['a', 'b'], NULL, ARRAY['a', 'b']);
                SELECT merge_sightings_with_metadata(ARRAY['{{Mac}}', '02:00:5e:00:00:02']::macaddr[], ARRAY['192.0.2.2', '192.0.2.3']::inet[],
                    ARRAY['c', 'd'], ARRAY['c', 'd'], ARRAY['c', 'd'], NULL, ARRAY['c', 'd'], ARRAY['{"a": 1}', '{"a": 2}']::jsonb[], ARRAY[0.5, 1]::real[])
                """);
            await attack.ExecuteNonQueryAsync(Cancel);

            await using var direct = caller.CreateCommand("UPDATE public.devices SET hostname = 'x'");
            var error = await Assert.ThrowsAsync<PostgresException>(() => direct.ExecuteNonQueryAsync(Cancel));
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, error.SqlState);
        }

        Assert.Equal(2, await Count("devices"));
        Assert.Equal(2, await Count("device_sightings"));
        await Run($"DROP OWNED BY {role}; DROP ROLE {role}");

        static string Trap(string name, string arguments, string result) => $"""
            CREATE FUNCTION {name}({arguments}) RETURNS {result} LANGUAGE plpgsql AS $trap$ BEGIN
                RAISE EXCEPTION '{name}({arguments}) ran as %', current_user; END $trap$;
            """;
    }

    private static DeviceSighting Seen(
        string mac = Mac, string? ip = null, string? text = null, string? source = null, double at = 0)
        => new()
        {
            MacAddress = MacAddress.Parse(mac),
            IpAddress = ip is null ? null : IPAddress.Parse(ip),
            Hostname = text,
            Vendor = text,
            DeviceType = text,
            Source = source,
            SeenAt = Noon.AddMinutes(at),
        };

    private static DeviceSighting Said(string? metadata, float? confidence, double at) => Seen(at: at) with
    {
        ConfidenceScore = confidence,
        Metadata = metadata is null ? null : DeviceMetadata.Parse(metadata),
    };

    private static DeviceSighting RandomSighting(Random random)
    {
        // The family of a primary address is that of the first one stored, the one thing that depends on order. So only
        // the two devices whose address an application said are seen with both families, each other one with its own.
        var device = random.Next(8);
        var isIPv6 = (device < 2 ? random.Next(2) : device % 2) == 1;

        return new DeviceSighting
        {
            MacAddress = new MacAddress(0x0200_0000_0000 + device),
            IpAddress = random.Next(6) switch
            {
                < 4 => IPAddress.Parse($"{(isIPv6 ? "2001:db8::" : "192.0.2.")}{1 + random.Next(3)}"),
                4 => IPAddress.Any,
                _ => null,
            },
            Hostname = Text(),
            Vendor = Text(),
            DeviceType = Text(),
            Source = Text(),
            SeenAt = Noon.AddMinutes(random.Next(12)),
            ConfidenceScore = random.Next(3) == 0 ? random.Next(4) / 4f : null,
            Metadata = random.Next(2) == 0 ? null : DeviceMetadata.Parse(
                $"{{{string.Join(", ", "abc".Where(_ => random.Next(2) == 0).Select(key => $"\"{key}\": {MetadataValues[random.Next(MetadataValues.Length)]}"))}}}"),
        };

        string? Text() => random.Next(3) switch { 0 => null, 1 => "", _ => $"{(char)('A' + random.Next(3))}" };
    }

    // As jsonb writes them.
    private static readonly string[] MetadataValues = ["null", "1.0", "1.00", "\"x\"", "\"X\"", "[]", "{\"b\": null}"];

    // The rules once more, in other words: of each attribute the newest, of the addresses of one family the one taken last,
    // for in these minutes none of them lapses, and what the application said was before.
    private static string[] Model(IEnumerable<DeviceSighting> sightings)
    {
        var known = new Dictionary<string, (string? Ip, string? Hostname, int SeenAt)>
        {
            ["02:00:00:00:00:00"] = ("192.0.2.77", "said", -1),
            ["02:00:00:00:00:01"] = ("2001:db8::77", null, -1),
            ["02:00:00:00:00:02"] = (null, null, 2),
        };
        var seen = sightings.ToLookup(s => s.MacAddress.ToString());

        return [.. seen.Select(device => device.Key).Union(known.Keys).Order(StringComparer.Ordinal).Select(mac =>
        {
            var (ip, hostname, knownAt) = known.GetValueOrDefault(mac);
            var times = seen[mac].Select(s => s.SeenAt.Minute).Concat(known.ContainsKey(mac) ? [knownAt] : []).ToArray();
            var addresses = seen[mac].Where(s => s.IpAddress is not null && !s.IpAddress.Equals(IPAddress.Any))
                .Select(s => (s.SeenAt, Text: s.IpAddress!.ToString())).ToArray();
            if (addresses.Length > 0)
            {
                var isIPv6 = IsIPv6(ip ?? addresses[0].Text);
                ip = addresses.Where(a => IsIPv6(a.Text) == isIPv6).GroupBy(a => a.Text).OrderByDescending(a => a.Min(s => s.SeenAt))
                    .ThenByDescending(a => a.Key, StringComparer.Ordinal).Select(a => a.Key).FirstOrDefault(ip!);
            }

            return string.Join(
                '|', mac, ip, Newest(s => s.Hostname) ?? hostname, Newest(s => s.Vendor), Newest(s => s.DeviceType),
                $"{Noon.AddMinutes(times.Min()):HH:mm}", $"{Noon.AddMinutes(times.Max()):HH:mm}",
                seen[mac].Where(s => s.ConfidenceScore is not null).OrderByDescending(s => s.SeenAt).ThenByDescending(s => s.ConfidenceScore)
                    .Select(s => s.ConfidenceScore!.Value).FirstOrDefault(mac == "02:00:00:00:00:00" ? 0.125f : 0).ToString(CultureInfo.InvariantCulture),
                MetadataOf(mac));

            string MetadataOf(string mac)
            {
                // What the application said is older than anything seen.
                var values = (mac == "02:00:00:00:00:00" ? (string[])["a=\"said\"", "b=null", "z=1.0"] : [])
                    .Select(said => (At: DateTimeOffset.MinValue, Key: said[..1], Text: said[2..]))
                    .Concat(seen[mac].Where(s => s.Metadata is not null).SelectMany(s => s.Metadata!.Other.Select(
                        o => (At: s.SeenAt, o.Key, Text: o.Value.GetRawText()))));
                return $"{{{string.Join(", ", values.GroupBy(v => v.Key).OrderBy(v => v.Key, StringComparer.Ordinal).Select(key =>
                    $"\"{key.Key}\": {key.OrderByDescending(v => v.Text != "null").ThenByDescending(v => v.At).ThenByDescending(v => v.Text, StringComparer.Ordinal).First().Text}"))}}}";
            }

            string? Newest(Func<DeviceSighting, string?> value) => seen[mac].Where(s => !string.IsNullOrEmpty(value(s)))
                .OrderByDescending(s => s.SeenAt).ThenByDescending(value, StringComparer.Ordinal).Select(value).FirstOrDefault();
        })];

        static bool IsIPv6(string address) => address.Contains(':', StringComparison.Ordinal);
    }

    private Task<(long New, long Known)> Store(params DeviceSighting[] sightings) => StoreIn(Database, sightings);

    private static async Task<(long New, long Known)> StoreIn(TestDatabase database, DeviceSighting[] sightings)
    {
        await using var connection = await database.DataSource.OpenConnectionAsync(Cancel);
        return await StoreOn(connection, sightings);
    }

    private static async Task<(long New, long Known)> StoreOn(NpgsqlConnection connection, DeviceSighting[] sightings)
    {
        var buffer = new SightingBuffer();
        foreach (var sighting in sightings)
            buffer.Add(sighting, DateTimeOffset.UtcNow);
        await using var command = connection.CreateCommand();
        command.CommandText = $"SELECT new_devices, known_devices FROM {SightingMerge.Call(command.Parameters, buffer, 0, buffer.Count)}";
        await using var reader = await command.ExecuteReaderAsync(Cancel);
        Assert.True(await reader.ReadAsync(Cancel));
        return (reader.GetInt64(0), reader.GetInt64(1));
    }

    private Task<string?[]> Known(string mac = Mac) => Texts(
        $"SELECT concat_ws(' ', abbrev(ip_address), hostname, vendor, device_type) FROM devices WHERE mac_address = '{mac}'");

    private Task<string?[]> Metadata() => Texts("SELECT concat_ws(' ', confidence_score, metadata) FROM devices");

    private Task<string?[]> Events()
        => Texts("SELECT concat_ws(' ', event_type, old_value, CASE event_type WHEN 'ip_changed' THEN new_value END) FROM device_events ORDER BY id");

    private static async Task<string[]> Lines(TestDatabase database, string sql)
        => [.. (await database.QueryAsync(sql)).Select(row => (string)row[0]!)];

    // Sessions report what they counted when they end.
    private async Task<long> Deadlocks()
    {
        await using (var connection = await Database.DataSource.OpenConnectionAsync(Cancel))
            NpgsqlConnection.ClearPool(connection);
        return await Scalar<long>("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()");
    }
}
