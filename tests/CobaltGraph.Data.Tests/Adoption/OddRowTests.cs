using CobaltGraph.Data.Adoption;
using CobaltGraph.Testing;
using Npgsql;

namespace CobaltGraph.Data.Tests.Adoption;

// What becomes of rows that the original takes and that cannot be carried as they are.
public class OddRowTests(PostgresServerFixture server) : AdoptionTest(server)
{
    private const string Device = "02:00:5e:00:00:01";

    [Theory]
    [InlineData("dst_port", "70000", "dst_port", "0", "70000", "not from 0 to 65535")]
    [InlineData("dst_port", "-1", "dst_port", "0", "-1", "not from 0 to 65535")]
    [InlineData("threat_score", "NULL", "threat_score", "0", "null", "missing")]
    [InlineData("threat_score", "'NaN'", "threat_score", "0", "\"NaN\"", "not from 0 to 10")]
    [InlineData("threat_score", "85.5", "threat_score", "10", "85.5", "not from 0 to 10")]
    [InlineData("threat_score", "'Infinity'", "threat_score", "10", "\"Infinity\"", "not from 0 to 10")]
    [InlineData("threat_score", "-3", "threat_score", "0", "-3", "not from 0 to 10")]
    [InlineData("dst_lat", "91", "dst_lat", "", "91", "not from -90 to 90")]
    [InlineData("dst_lat", "'NaN'", "dst_lat", "", "\"NaN\"", "not from -90 to 90")]
    [InlineData("dst_lon", "'-Infinity'", "dst_lon", "", "\"-Infinity\"", "not from -180 to 180")]
    [InlineData("metadata", "NULL", "metadata - 'adopted'", "{}", "null", "missing")]
    [InlineData("metadata", "'[1, null]'", "metadata - 'adopted'", "{}", "[1, null]", "not an object")]
    [InlineData("metadata", "'null'", "metadata - 'adopted'", "{}", "null", "not an object")]
    public async Task Connection_with_an_odd_value_is_repaired_and_keeps_it(
        string column, string value, string read, string stored, string kept, string problem)
    {
        await Run($"""
            INSERT INTO connections (dst_ip, dst_port) VALUES ('192.0.2.1', 1);
            UPDATE connections SET {column} = {value}
            """);

        var report = await Adopt();

        Assert.Equal([(OriginalTable.Connections, column, problem, 1L, false)], Cases(report.Survey!));
        Assert.Equal([$"{stored}|{kept}"], await Rows($"SELECT {read}, metadata -> 'adopted' -> '{column}' FROM connections"));
        Assert.Null(report.SetAsideTable);
    }

    [Theory]
    [InlineData("protocol", "text", "repeat('p', 11)", "pppppppppp")]
    [InlineData("dst_org", "varchar(300)", "repeat('ö', 299)", null)]
    [InlineData("dst_hostname", "text", "repeat('h', 256)", null)]
    [InlineData("threat_category", "varchar", "repeat('c', 51)", null)]
    [InlineData("dst_country", "varchar(3)", "'DEU'", "")]
    public async Task Text_that_is_too_long_is_cut_or_unknown_and_kept(string column, string type, string value, string? stored)
    {
        await Run($"""
            ALTER TABLE connections ALTER COLUMN {column} TYPE {type};
            INSERT INTO connections (dst_ip, dst_port, {column}) VALUES ('192.0.2.1', 1, {value}), ('192.0.2.2', 1, 'ab')
            """);

        var report = await Adopt();

        Assert.Equal(1, Assert.Single(report.Survey!.Cases).Rows);
        Assert.Equal(["true"], await Rows($"SELECT metadata -> 'adopted' ->> '{column}' = {value} FROM connections WHERE dst_ip = '192.0.2.1'"), StringComparer.OrdinalIgnoreCase);
        Assert.Equal(["ab|{}"], await Rows($"SELECT {column}, metadata FROM connections WHERE dst_ip = '192.0.2.2'"));
        if (stored is not null)
            Assert.Equal([stored], await Rows($"SELECT {column} FROM connections WHERE dst_ip = '192.0.2.1'"));
        else
            Assert.Equal(["true"], await Rows($"SELECT starts_with({value}, {column}) AND {column} <> '' FROM connections WHERE dst_ip = '192.0.2.1'"), StringComparer.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("\"timestamp\"", "'infinity'", "timestamp: not finite")]
    [InlineData("\"timestamp\"", "'-infinity'", "timestamp: not finite")]
    [InlineData("\"timestamp\"", "NULL", "timestamp: missing")]
    [InlineData("dst_ip", "NULL", "dst_ip: missing")]
    public async Task Connection_without_a_place_is_set_aside_and_outlives_the_old_tables(string column, string value, string reason)
    {
        await Run($"""
            ALTER TABLE connections ALTER COLUMN dst_ip DROP NOT NULL;
            INSERT INTO connections (dst_ip, dst_port, threat_score) VALUES ('192.0.2.1', 1, 9);
            UPDATE connections SET {column} = {value};
            INSERT INTO connections (dst_ip, dst_port) VALUES ('192.0.2.2', 2)
            """);

        var report = await Adopt();
        await new Adopter(Database.DataSource).DropOldAsync(Cancel);

        Assert.Equal(1, report.Survey!.SetAside);
        Assert.Equal("\"public\".\"original_set_aside\"", report.SetAsideTable);
        Assert.Equal([$"connections|{reason}|1|9"], await Rows("SELECT table_name, reason, row_data ->> 'id', row_data ->> 'threat_score' FROM original_set_aside"));
        Assert.Equal(["2"], await Rows("SELECT id FROM connections"));
        await Run("INSERT INTO connections (dst_ip, dst_port) VALUES ('192.0.2.3', 3)");
        Assert.Equal(["2", "3"], await Rows("SELECT id FROM connections ORDER BY id"));
    }

    [Fact]
    public async Task Missing_port_is_0_and_known_to_have_been_missing()
    {
        await Run("""
            ALTER TABLE connections ALTER COLUMN dst_port DROP NOT NULL;
            INSERT INTO connections (dst_ip, protocol) VALUES ('192.0.2.1', 'ICMP')
            """);

        await Adopt();

        Assert.Equal(["0|{\"adopted\": {\"dst_port\": null}}"], await Rows("SELECT dst_port, metadata FROM connections"));
    }

    [Fact]
    public async Task Odd_values_of_one_row_are_kept_together_with_a_key_of_the_same_name()
    {
        await Run("""
            INSERT INTO connections (dst_ip, dst_port, threat_score, metadata)
            VALUES ('192.0.2.1', 99999, 11, '{"uid": "C1", "adopted": "yes"}'), ('192.0.2.2', 1, 1, '{"adopted": "yes"}')
            """);

        await Adopt();

        Assert.Equal(
            [
                """{"uid": "C1", "adopted": {"adopted": "yes", "dst_port": 99999, "threat_score": 11}}""",
                """{"adopted": "yes"}""",
            ],
            await Rows("SELECT metadata FROM connections ORDER BY id"));
    }

    // A copy of the database that lost its keys.
    [Fact]
    public async Task Device_without_an_address_is_set_aside()
    {
        await Run($"""
            ALTER TABLE devices DROP CONSTRAINT devices_pkey CASCADE;
            ALTER TABLE devices ALTER mac_address DROP NOT NULL;
            INSERT INTO devices (mac_address, hostname) VALUES (NULL, 'odd'), ('{Device}', 'good')
            """);

        var report = await Adopt();

        Assert.Contains((OriginalTable.Devices, "mac_address", "missing", 1, true), Cases(report.Survey!));
        Assert.Equal([$"{Device}"], await Rows("SELECT mac_address::text FROM devices"));
        Assert.Equal(
            ["devices|mac_address: missing|odd"], await Rows("SELECT table_name, reason, row_data ->> 'hostname' FROM original_set_aside WHERE table_name = 'devices'"));
    }

    [Theory]
    [InlineData("not a mac", "malformed")]
    [InlineData("02:00:5e:00:00", "malformed")]
    [InlineData("02:00:5e:00:00:zz", "malformed")]
    [InlineData("", "malformed")]
    [InlineData("00:00:00:00:00:00", "all zero")]
    [InlineData("01:00:5E:00:00:FB", "multicast")]
    [InlineData("ff-ff-ff-ff-ff-ff", "multicast")]
    public async Task Device_whose_address_is_none_is_set_aside_and_its_connections_stay(string mac, string problem)
    {
        await Run($"""
            INSERT INTO devices (mac_address, hostname) VALUES ('{mac}', 'odd'), ('{Device}', 'good');
            INSERT INTO connections (src_mac, dst_ip, dst_port, threat_score) VALUES ('{mac}', '192.0.2.1', 1, 8), ('{Device}', '192.0.2.1', 1, 8)
            """);

        var report = await Adopt();

        Assert.Contains((OriginalTable.Devices, "mac_address", problem, 1, true), Cases(report.Survey!));
        Assert.Contains((OriginalTable.Connections, "src_mac", problem, 1, false), Cases(report.Survey!));
        Assert.Equal([$"{Device}|1|1"], await Rows("SELECT mac_address::text, connection_count, threat_count FROM devices"));
        Assert.Equal(
            [$"|{mac}", $"{Device}|"], await Rows("SELECT src_mac::text, metadata -> 'adopted' ->> 'src_mac' FROM connections ORDER BY id"));
        Assert.Contains($"devices|mac_address: {problem}|odd", await Rows("SELECT table_name, reason, row_data ->> 'hostname' FROM original_set_aside"));

        // What happened to it stays told wherever its address can be written.
        var told = problem == "malformed" ? "original_set_aside WHERE table_name = 'device_events'" : "device_events WHERE device_mac = '" + mac + "'";
        Assert.NotEqual(0, await Database.ScalarAsync<long>($"SELECT count(*) FROM {told}"));
    }

    [Theory]
    [InlineData("02005e000001")]
    [InlineData("0200.5E00.0001")]
    [InlineData("02-00-5E-00-00-01")]
    [InlineData("2:0:5e:0:0:1")]
    [InlineData("02005e:000001")]
    [InlineData(" 02005e-000001 ")]
    [InlineData("0200-5e00-0001")]
    public async Task Address_in_another_notation_is_the_same_device(string mac)
    {
        await Run($"""
            INSERT INTO devices (mac_address) VALUES ('{mac}');
            INSERT INTO connections (src_mac, dst_ip, dst_port) VALUES ('{mac}', '192.0.2.1', 1)
            """);

        var report = await Adopt();

        Assert.Contains((OriginalTable.Devices, "mac_address", "another notation", 1, false), Cases(report.Survey!));
        Assert.Equal([$"{Device}|1"], await Rows("SELECT mac_address::text, connection_count FROM devices"));
        Assert.Equal([$"{Device}|{{}}"], await Rows("SELECT src_mac::text, metadata FROM connections"));
        Assert.Equal([Device, Device], await Rows("SELECT device_mac::text FROM device_events"));
    }

    [Fact]
    public async Task Rows_of_one_address_are_merged_and_all_of_them_kept()
    {
        await Run($$"""
            ALTER TABLE devices DISABLE TRIGGER USER;
            ALTER TABLE connections DISABLE TRIGGER USER;
            INSERT INTO devices (mac_address, ip_address, vendor, hostname, first_seen, last_seen, last_activity, status, confidence_score, metadata) VALUES
                ('{{Device}}', '10.0.0.1', 'Old vendor', 'old', '2025-01-02Z', '2025-01-03Z', '2025-02-01Z', 'idle', 0.9, '{"notes": "old", "rack": 4}'),
                (upper('{{Device}}'), '10.0.0.2', NULL, 'new', '2025-01-05Z', '2025-01-06Z', '2025-01-06Z', 'offline', 0.5, '{"notes": "new"}'),
                ('02005e000001', NULL, NULL, NULL, '2025-01-01Z', 'infinity', '2025-01-01Z', 'gone', NULL, '[]');
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port) VALUES
                ('2025-01-04Z', '{{Device}}', '192.0.2.1', 1), ('2025-01-04Z', upper('{{Device}}'), '192.0.2.1', 1), ('2025-01-04Z', '02005e000001', '192.0.2.2', 1);
            """);

        var report = await Adopt();

        Assert.Contains((OriginalTable.Devices, "mac_address", "several notations of one address", 3, false), Cases(report.Survey!));
        Assert.Equal(
            [$"{Device}|10.0.0.2|Old vendor|new|2025-01-01|2025-01-06|2025-02-01|offline|0.9|3|new|4"],
            await Rows("""
                SELECT mac_address::text, host(ip_address), vendor, hostname, (first_seen AT TIME ZONE 'UTC')::date::text, (last_seen AT TIME ZONE 'UTC')::date::text,
                       (last_activity AT TIME ZONE 'UTC')::date::text, status, confidence_score, connection_count, metadata ->> 'notes', metadata ->> 'rack'
                FROM devices
                """));
        Assert.Equal(
            ["02:00:5E:00:00:01|offline", "02:00:5e:00:00:01|idle", "02005e000001|gone"],
            await Rows("SELECT r ->> 'mac_address', r ->> 'status' FROM devices, jsonb_array_elements(metadata -> 'adopted' -> 'merged') AS r"));
        Assert.Equal(["2", "1"], await Rows("SELECT connection_count FROM device_destinations ORDER BY dst_ip"));
    }

    [Theory]
    [InlineData("status", "'quarantined'", "status", "discovered", "\"quarantined\"", "missing or unknown")]
    [InlineData("status", "NULL", "status", "discovered", "null", "missing or unknown")]
    [InlineData("status", "' Idle'", "status", "idle", "\" Idle\"", "written in another way")]
    [InlineData("confidence_score", "'NaN'", "confidence_score", "0", "\"NaN\"", "not from 0 to 1")]
    [InlineData("confidence_score", "95", "confidence_score", "1", "95", "not from 0 to 1")]
    [InlineData("confidence_score", "NULL", "confidence_score", "0", "null", "missing")]
    [InlineData("metadata", "'\"text\"'", "metadata - 'adopted'", "{}", "\"text\"", "not an object")]
    [InlineData("metadata", "NULL", "metadata - 'adopted'", "{}", "null", "missing")]
    [InlineData("first_seen", "'-infinity'", "first_seen AT TIME ZONE 'UTC' = '2025-01-02'", "True", "\"-infinity\"", "not finite")]
    [InlineData("first_seen", "NULL", "first_seen AT TIME ZONE 'UTC' = '2025-01-02'", "True", "null", "missing")]
    [InlineData("first_seen", "'2025-01-05Z'", "first_seen AT TIME ZONE 'UTC' = '2025-01-02'", "True", "\"2025-01-05T00:00:00+00:00\"", "later than last_seen or last_activity")]
    [InlineData("last_seen", "'infinity'", "last_seen AT TIME ZONE 'UTC' = '2025-01-03'", "True", "\"infinity\"", "not finite")]
    [InlineData("last_seen", "NULL", "last_seen AT TIME ZONE 'UTC' = '2025-01-03'", "True", "null", "missing")]
    [InlineData("last_seen", "'2999-01-01Z'", "last_seen BETWEEN now() - interval '1 hour' AND now()", "True", "\"2999-01-01T00:00:00+00:00\"", "in the future")]
    [InlineData("last_activity", "NULL", "last_activity AT TIME ZONE 'UTC' = '2025-01-02'", "True", "null", "missing")]
    [InlineData("last_activity", "'2999-01-01Z'", "last_activity BETWEEN now() - interval '1 hour' AND now()", "True", "\"2999-01-01T00:00:00+00:00\"", "in the future")]
    [InlineData("connection_count", "12", "connection_count", "0", "12", "not what its rows give (12 in all, rows 0)")]
    [InlineData("threat_count", "NULL", "threat_count", "0", "null", "not what its rows give (0 in all, rows 0)")]
    public async Task Device_with_an_odd_value_is_repaired_and_keeps_it(
        string column, string value, string read, string stored, string kept, string problem)
    {
        await Run($"""
            INSERT INTO devices (mac_address, first_seen, last_seen, last_activity) VALUES ('{Device}', '2025-01-01Z', '2025-01-02Z', '2025-01-03Z');
            ALTER TABLE devices DISABLE TRIGGER USER;
            UPDATE devices SET {column} = {value};
            ALTER TABLE devices ENABLE TRIGGER USER
            """);

        var report = await Adopt();

        Assert.Equal([(OriginalTable.Devices, column, problem, 1L, false)], Cases(report.Survey!));
        Assert.Equal([$"{stored}|{kept}"], await Rows($"SELECT {read}, metadata -> 'adopted' -> '{column}' FROM devices"));
        Assert.Equal(["discovered"], await Rows("SELECT event_type FROM device_events"));
    }

    [Fact]
    public async Task Times_of_a_device_reach_as_far_as_its_connections()
    {
        await Run($"""
            INSERT INTO devices (mac_address, first_seen, last_seen, last_activity) VALUES ('{Device}', '2025-01-05Z', '2025-01-06Z', '2025-01-06Z');
            ALTER TABLE connections DISABLE TRIGGER USER;
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port) VALUES ('2025-01-01Z', '{Device}', '192.0.2.1', 1), ('2999-01-01Z', '{Device}', '192.0.2.1', 1);
            UPDATE devices SET connection_count = 2;
            """);

        var report = await Adopt();

        Assert.Equal(1, Assert.Single(report.Survey!.Cases).Rows);
        Assert.Equal(
            ["2025-01-01|True|True|2025-01-05T00:00:00+00:00"],
            await Rows("""
                SELECT (first_seen AT TIME ZONE 'UTC')::date::text, last_seen > now() - interval '1 hour', last_seen <= now() AND last_activity = last_seen,
                       metadata -> 'adopted' ->> 'first_seen' FROM devices
                """));
    }

    [Fact]
    public async Task Connections_of_an_unknown_device_make_it_and_write_no_event()
    {
        await Run($"""
            ALTER TABLE connections DROP CONSTRAINT connections_src_mac_fkey;
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port) VALUES ('2025-01-01Z', '{Device}', '192.0.2.1', 1)
            """);

        var report = await Adopt();

        Assert.Equal([(OriginalTable.Devices, "mac_address", "unknown, but has connections", 1L, false)], Cases(report.Survey!));
        Assert.Equal([$"{Device}|discovered|1|{{}}"], await Rows("SELECT mac_address::text, status, connection_count, metadata FROM devices"));
        Assert.Empty(await Rows("SELECT id FROM device_events"));
    }

    [Theory]
    [InlineData("event_type", "'vendor_identified'", "event_type: missing or unknown")]
    [InlineData("device_mac", "'nonsense'", "device_mac: missing or malformed")]
    [InlineData("device_mac", "NULL", "device_mac: missing or malformed")]
    [InlineData("\"timestamp\"", "NULL", "timestamp: missing")]
    public async Task Event_without_a_place_is_set_aside(string column, string value, string reason)
    {
        await Run($"""
            ALTER TABLE device_events DROP CONSTRAINT device_events_device_mac_fkey;
            INSERT INTO device_events (device_mac, event_type) VALUES ('{Device}', 'offline');
            UPDATE device_events SET {column} = {value}
            """);

        var report = await Adopt();

        Assert.Equal(1, report.Survey!.SetAside);
        Assert.Equal([$"device_events|{reason}|1"], await Rows("SELECT table_name, reason, row_data ->> 'id' FROM original_set_aside"));
        Assert.Empty(await Rows("SELECT id FROM device_events"));
    }

    [Fact]
    public async Task Event_of_a_device_that_is_gone_at_any_time_and_in_any_case_is_carried()
    {
        await Run($"""
            ALTER TABLE device_events DROP CONSTRAINT device_events_device_mac_fkey;
            INSERT INTO device_events ("timestamp", device_mac, event_type, metadata) VALUES
                ('infinity', upper('{Device}'), 'ACTIVE', NULL), ('0044-03-15 BC', '01:00:5e:00:00:01', 'removed', '3')
            """);

        await Adopt();

        Assert.Equal(
            [
                Device + """|active|{"adopted": {"metadata": null, "event_type": "ACTIVE"}}""",
                """01:00:5e:00:00:01|removed|{"adopted": {"metadata": 3}}""",
            ],
            await Rows("SELECT device_mac::text, event_type, metadata FROM device_events ORDER BY id"));
    }

    [Fact]
    public async Task Values_of_columns_that_were_added_go_to_metadata()
    {
        await Run($$"""
            ALTER TABLE devices ADD COLUMN "Rack No" int;
            ALTER TABLE connections ADD COLUMN src_port int;
            INSERT INTO devices (mac_address, "Rack No") VALUES ('{{Device}}', 7), ('02:00:5e:00:00:02', NULL);
            INSERT INTO connections (dst_ip, dst_port, src_port) VALUES ('192.0.2.1', 1, 40000), ('192.0.2.1', 1, NULL)
            """);

        var report = await Adopt();

        Assert.Equal(
            [(OriginalTable.Devices, "Rack No", "a column that was added", 1L, false), (OriginalTable.Connections, "src_port", "a column that was added", 1L, false)],
            Cases(report.Survey!));
        Assert.Equal(["""{"adopted": {"Rack No": 7}}""", "{}"], await Rows("SELECT metadata FROM devices ORDER BY mac_address"));
        Assert.Equal(["""{"adopted": {"src_port": 40000}}""", "{}"], await Rows("SELECT metadata FROM connections ORDER BY id"));
    }

    [Fact]
    public async Task Finer_numbers_are_rounded_and_none_is_too_small_or_too_large()
    {
        await Run("""
            ALTER TABLE connections ALTER dst_lat TYPE double precision, ALTER dst_lon TYPE numeric, ALTER threat_score TYPE double precision;
            ALTER TABLE devices ALTER confidence_score TYPE numeric;
            INSERT INTO devices (mac_address, confidence_score) VALUES ('02:00:5e:00:00:01', 1e-300);
            INSERT INTO connections (dst_ip, dst_port, dst_lat, dst_lon, threat_score) VALUES
                ('192.0.2.1', 1, 52.520008, 13.404954, 1e300), ('192.0.2.1', 1, 1e-300, -1e200, 'NaN')
            """);

        await Adopt();

        Assert.Equal(
            ["52.520008|13.404954|10", "0||0"],
            await Rows("SELECT dst_lat::text, dst_lon::text, threat_score::text FROM connections ORDER BY id"));
        Assert.Equal(["0"], await Rows("SELECT confidence_score FROM devices"));
    }

    [Fact]
    public async Task Times_far_away_wait_in_the_default_partition()
    {
        await Run("""
            INSERT INTO connections ("timestamp", dst_ip, dst_port) VALUES
                ('0001-01-01 BC', '192.0.2.1', 1), ('1970-01-01Z', '192.0.2.1', 1), ('290000-01-01Z', '192.0.2.1', 1), (now() - interval '2 years', '192.0.2.1', 1)
            """);

        await Adopt();

        Assert.Equal(3, await Database.ScalarAsync<long>("SELECT count(*) FROM connections_default"));
        Assert.Equal(4, await Database.ScalarAsync<long>("SELECT count(*) FROM connections"));
    }

    [Fact]
    public async Task Two_rows_of_one_id_are_both_carried_where_the_key_allows()
    {
        await Run("""
            ALTER TABLE connections DROP CONSTRAINT connections_pkey;
            INSERT INTO connections (id, "timestamp", dst_ip, dst_port) VALUES (7, '2025-01-01Z', '192.0.2.1', 1), (7, '2025-01-02Z', '192.0.2.1', 1)
            """);

        await Adopt();

        Assert.Equal(2, await Database.ScalarAsync<long>("SELECT count(*) FROM connections"));
    }

    [Fact]
    public async Task Two_events_of_one_id_stop_the_adoption_and_change_nothing()
    {
        await Run("""
            ALTER TABLE device_events DROP CONSTRAINT device_events_pkey;
            INSERT INTO device_events (id, device_mac, event_type) SELECT 7, NULL, 'active' FROM generate_series(1, 2);
            INSERT INTO devices (mac_address) VALUES ('02:00:5e:00:00:01');
            UPDATE device_events SET device_mac = '02:00:5e:00:00:01'
            """);

        var error = await Assert.ThrowsAsync<PostgresException>(Adopt);

        Assert.Equal(PostgresErrorCodes.UniqueViolation, error.SqlState);
        Assert.Equal(3, await Database.ScalarAsync<long>("SELECT count(*) FROM device_events"));
    }

    private static IEnumerable<(string Table, string Column, string Problem, long Rows, bool SetsAside)> Cases(AdoptionSurvey survey)
        => survey.Cases.Select(one => (one.Table, one.Column, one.Problem, one.Rows, one.SetsAside));
}
