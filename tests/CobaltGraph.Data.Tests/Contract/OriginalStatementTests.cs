using CobaltGraph.Testing;
using Npgsql;

namespace CobaltGraph.Data.Tests.Contract;

// CONTRACT.md §1, end: what an application wrote for the original SQL schema keeps working.
public class OriginalStatementTests(PostgresServerFixture server) : DatabaseTest(server)
{
    [Theory]
    [InlineData("02:00:5e:00:00:01")]
    [InlineData("02:00:5E:00:00:01")]
    [InlineData("02-00-5e-00-00-01")]
    [InlineData("0200.5e00.0001")]
    [InlineData("02005e000001")]
    [InlineData("02005e:000001")]
    public async Task Mac_in_any_notation_is_one_device(string mac)
    {
        await Run($"""
            INSERT INTO devices (mac_address, ip_address, vendor) VALUES ('{mac}', '192.0.2.7', 'Example')
            ON CONFLICT (mac_address) DO UPDATE SET ip_address = EXCLUDED.ip_address, last_seen = NOW();
            INSERT INTO connections (src_mac, src_ip, dst_ip, dst_port, threat_score) VALUES ('{mac}', '192.0.2.7', '198.51.100.1', 443, 1.5);
            INSERT INTO device_events (device_mac, event_type, old_value, new_value) VALUES ('{mac}', 'ip_changed', '192.0.2.6', '192.0.2.7')
            """);

        Assert.Equal(["02:00:5e:00:00:01 1"], await Texts("SELECT mac_address || ' ' || connection_count FROM devices"));
        Assert.Equal(1, await Count($"devices WHERE mac_address = '{mac}'"));
    }

    [Fact]
    public async Task Upsert_updates_and_keeps_one_row()
    {
        for (var i = 1; i <= 3; i++)
        {
            await Run($$"""
                INSERT INTO devices (mac_address, ip_address, hostname, status, metadata)
                VALUES ('02:00:5e:00:00:01', '192.0.2.{{i}}', 'host{{i}}', 'active', '{"n": {{i}}}')
                ON CONFLICT (mac_address) DO UPDATE
                SET ip_address = EXCLUDED.ip_address, hostname = EXCLUDED.hostname, status = EXCLUDED.status,
                    metadata = devices.metadata || EXCLUDED.metadata, last_seen = NOW()
                """);
        }

        Assert.Equal(["192.0.2.3/32 host3"], await Texts("SELECT ip_address::text || ' ' || hostname FROM devices"));
        Assert.Equal(2, await Count("device_events WHERE event_type = 'ip_changed'"));
    }

    [Fact]
    public async Task Text_parameters_need_the_cast_they_always_needed_for_inet_and_literals_do_not()
    {
        await Run("UPDATE devices SET status = 'idle' WHERE mac_address = '02:00:5e:00:00:01'");
        await Run("SELECT * FROM connections WHERE src_mac = '02:00:5e:00:00:01' AND dst_ip = '198.51.100.1' AND dst_ip << '198.51.100.0/24'");
        await Run("SELECT * FROM device_events WHERE device_mac = '02-00-5E-00-00-01' ORDER BY timestamp DESC LIMIT 10");
        await Run("SELECT * FROM active_devices ORDER BY last_seen DESC; SELECT * FROM device_summary ORDER BY threat_count DESC");
    }

    [Fact]
    public async Task Defaults_fill_what_an_insert_does_not_name()
    {
        await Run("INSERT INTO devices (mac_address) VALUES ('02:00:5e:00:00:01'); INSERT INTO connections (dst_ip, dst_port) VALUES ('198.51.100.1', 443)");

        Assert.Equal(["discovered 0 {} 0 0"], await Texts(
            "SELECT concat_ws(' ', status, confidence_score, metadata, connection_count, threat_count) FROM devices WHERE first_seen = last_seen AND last_seen = last_activity"));
        Assert.Equal(["TCP 0 {}"], await Texts(
            "SELECT concat_ws(' ', protocol, threat_score, metadata) FROM connections WHERE id > 0 AND \"timestamp\" <= now()"));
    }

    [Theory]
    [InlineData("dst_port", "-1")]
    [InlineData("dst_port", "65536")]
    [InlineData("src_port", "65536")]
    [InlineData("dst_lat", "90.5")]
    [InlineData("dst_lat", "'NaN'")]
    [InlineData("dst_lon", "-180.5")]
    [InlineData("threat_score", "10.01")]
    [InlineData("threat_score", "-0.01")]
    [InlineData("threat_score", "'NaN'")]
    [InlineData("metadata", "'[]'")]
    [InlineData("metadata", "'null'")]
    public async Task Connection_out_of_range_is_refused(string column, string value)
    {
        var columns = column == "dst_port" ? "dst_ip, dst_port" : $"dst_ip, dst_port, {column}";
        var values = column == "dst_port" ? $"'192.0.2.1', {value}" : $"'192.0.2.1', 1, {value}";

        var error = await Refused($"INSERT INTO connections ({columns}) VALUES ({values})", PostgresErrorCodes.CheckViolation);

        Assert.Equal($"ck_connections_{column}", error.ConstraintName);
    }

    [Theory]
    [InlineData("confidence_score", "1.5")]
    [InlineData("confidence_score", "-0.1")]
    [InlineData("confidence_score", "'NaN'")]
    [InlineData("metadata", "'\"text\"'")]
    public async Task Device_out_of_range_is_refused(string column, string value)
    {
        var error = await Refused(
            $"INSERT INTO devices (mac_address, {column}) VALUES ('02:00:5e:00:00:01', {value})", PostgresErrorCodes.CheckViolation);

        Assert.Equal($"ck_devices_{column}", error.ConstraintName);
    }

    [Theory]
    [InlineData("devices", "mac_address macaddr, ip_address inet, vendor character varying(255), device_type character varying(50), hostname character varying(255), first_seen timestamp with time zone, last_seen timestamp with time zone, last_activity timestamp with time zone, status character varying(20), confidence_score real, metadata jsonb, connection_count bigint, threat_count bigint, is_locally_administered boolean, last_connection timestamp with time zone, last_threat timestamp with time zone, max_threat_score real, threat_score bigint, unique_destinations bigint")]
    [InlineData("device_threats", "mac_address macaddr, malware_count bigint, c2_count bigint, suspicious_geo_count bigint, proxy_count bigint, other_count bigint, threat_score bigint, threat_level text, max_threat_score real, threat_count bigint, last_threat timestamp with time zone")]
    [InlineData("connections", "id bigint, timestamp timestamp with time zone, src_mac macaddr, src_ip inet, src_port integer, dst_ip inet, dst_port integer, protocol character varying(10), dst_country character varying(2), dst_lat real, dst_lon real, dst_org character varying(255), dst_hostname character varying(255), threat_score real, threat_category character varying(50), bytes_sent bigint, bytes_received bigint, duration interval, metadata jsonb")]
    [InlineData("device_events", "id bigint, timestamp timestamp with time zone, device_mac macaddr, event_type character varying(50), old_value text, new_value text, metadata jsonb")]
    [InlineData("device_destinations", "src_mac macaddr, dst_ip inet, first_seen timestamp with time zone, last_seen timestamp with time zone, connection_count bigint, threat_count bigint, max_threat_score real")]
    [InlineData("active_devices", "mac_address macaddr, ip_address inet, vendor character varying(255), device_type character varying(50), hostname character varying(255), last_seen timestamp with time zone, connection_count bigint, threat_count bigint, status character varying(20)")]
    [InlineData("device_summary", "mac_address macaddr, ip_address inet, vendor character varying(255), device_type character varying(50), status character varying(20), first_seen timestamp with time zone, last_seen timestamp with time zone, connection_count bigint, threat_count bigint, unique_destinations bigint, last_connection timestamp with time zone")]
    public async Task Relation_has_the_columns_of_the_contract(string relation, string columns)
        => Assert.Equal([columns], await Texts($"""
            SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum)
            FROM pg_attribute WHERE attrelid = '{relation}'::regclass AND attnum > 0 AND NOT attisdropped
            """));
}
