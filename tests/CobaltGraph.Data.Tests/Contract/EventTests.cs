using CobaltGraph.Testing;
using Npgsql;

namespace CobaltGraph.Data.Tests.Contract;

// CONTRACT.md §2, rules 5 and 6.
public class EventTests(PostgresServerFixture server) : DatabaseTest(server)
{
    private const string Mac = "02:00:5e:00:00:01";

    [Fact]
    public async Task Discovered_is_written_once_per_device()
    {
        await Run($"INSERT INTO devices (mac_address) VALUES ('{Mac}')");
        await Run($"INSERT INTO devices (mac_address) VALUES ('{Mac}') ON CONFLICT (mac_address) DO UPDATE SET hostname = 'a'");
        await Run($"INSERT INTO devices (mac_address) VALUES ('{Mac}') ON CONFLICT DO NOTHING");
        await Run("UPDATE devices SET status = 'active'; UPDATE devices SET status = 'discovered'");

        Assert.Equal([$"{Mac} discovered"], await Texts(
            "SELECT device_mac || ' ' || new_value FROM device_events WHERE event_type = 'discovered'"));
    }

    [Fact]
    public async Task Status_event_is_written_for_each_real_change()
    {
        await Run($"INSERT INTO devices (mac_address) VALUES ('{Mac}')");
        await Run("UPDATE devices SET status = 'active'");
        await Run("UPDATE devices SET status = 'active', hostname = 'same status'");
        await Run("UPDATE devices SET status = 'idle'");
        await Run("UPDATE devices SET status = 'offline'");

        Assert.Equal(
            ["discovered:-", "active:discovered>active", "idle:active>idle", "offline:idle>offline"],
            await Texts("""
                SELECT event_type || ':' || coalesce(old_value || '>' || new_value, '-') FROM device_events ORDER BY id
                """));
    }

    [Theory]
    [InlineData("'192.0.2.1'", "'192.0.2.2'", "192.0.2.1>192.0.2.2")]
    [InlineData("'192.0.2.1'", "'2001:DB8::1'", "192.0.2.1>2001:db8::1")]
    [InlineData("NULL", "'192.0.2.2'", ">192.0.2.2")]
    [InlineData("'192.0.2.1'", "NULL", "192.0.2.1>")]
    public async Task Ip_changed_holds_old_and_new_address(string before, string after, string expected)
    {
        await Run($"INSERT INTO devices (mac_address, ip_address) VALUES ('{Mac}', {before})");
        await Run($"UPDATE devices SET ip_address = {after}");
        await Run($"UPDATE devices SET ip_address = {after}");

        Assert.Equal([expected], await Texts("""
            SELECT concat(old_value, '>', new_value) FROM device_events WHERE event_type = 'ip_changed'
            """));
    }

    [Fact]
    public async Task One_statement_over_many_devices_writes_one_event_each()
    {
        await Run("""
            INSERT INTO devices (mac_address)
            SELECT ('02:00:00:00:00:' || lpad(to_hex(i), 2, '0'))::macaddr FROM generate_series(0, 99) AS i;
            UPDATE devices SET status = 'active', ip_address = '192.0.2.1'
            """);

        Assert.Equal(100, await Count("device_events WHERE event_type = 'discovered'"));
        Assert.Equal(100, await Count("device_events WHERE event_type = 'active'"));
        Assert.Equal(100, await Count("device_events WHERE event_type = 'ip_changed'"));
    }

    [Fact]
    public async Task Threat_detected_is_written_once_per_device_and_destination()
    {
        await Run($"""
            INSERT INTO connections (src_mac, dst_ip, dst_port, threat_score) VALUES
                ('{Mac}', '192.0.2.1', 443, 6.99), ('{Mac}', '192.0.2.2', 443, 7), ('{Mac}', '192.0.2.2', 443, 9);
            INSERT INTO connections (src_mac, dst_ip, dst_port, threat_score) VALUES
                ('{Mac}', '192.0.2.1', 443, 7.0), ('{Mac}', '192.0.2.2', 80, 10), ('02:00:5e:00:00:02', '192.0.2.1', 443, 8);
            INSERT INTO connections (src_mac, dst_ip, dst_port, threat_score) VALUES (NULL, '192.0.2.9', 443, 10)
            """);

        Assert.Equal(
            [$"{Mac} 192.0.2.1", $"{Mac} 192.0.2.2", "02:00:5e:00:00:02 192.0.2.1"],
            await Texts("""
                SELECT device_mac || ' ' || new_value FROM device_events
                WHERE event_type = 'threat_detected' ORDER BY device_mac, new_value
                """));
    }

    [Fact]
    public async Task Removed_is_written_and_the_trail_outlives_its_device()
    {
        await Run($"""
            INSERT INTO devices (mac_address, hostname, ip_address) VALUES ('{Mac}', 'printer', '192.0.2.7');
            INSERT INTO connections (src_mac, dst_ip, dst_port) VALUES ('{Mac}', '192.0.2.1', 443);
            DELETE FROM devices
            """);

        Assert.Equal(
            ["discovered", "active", "removed"], await Texts("SELECT event_type FROM device_events ORDER BY id"));
        Assert.Equal(
            ["printer 192.0.2.7"],
            await Texts("SELECT (metadata->>'hostname') || ' ' || (metadata->>'ip_address') FROM device_events WHERE event_type = 'removed'"));
        Assert.Equal(1, await Count("connections WHERE src_mac IS NULL"));
        Assert.Equal(0, await Count("device_destinations"));
    }

    [Theory]
    [InlineData("DELETE FROM devices")]
    [InlineData("TRUNCATE devices CASCADE")]
    public async Task Removed_holds_the_last_status_and_discovered_the_first(string removal)
    {
        await Run($"INSERT INTO devices (mac_address, status) VALUES ('{Mac}', 'idle')");
        await Run("UPDATE devices SET status = 'offline'");
        await Run(removal);

        Assert.Equal(
            ["discovered >idle", "offline idle>offline", "removed offline>"],
            await Texts("SELECT event_type || ' ' || concat(old_value, '>', new_value) FROM device_events ORDER BY id"));
    }

    // A plan made for one row must not be kept for many.
    [Fact]
    public async Task Update_of_many_devices_after_one_of_a_single_device_stays_fast()
    {
        await Run("""
            INSERT INTO devices (mac_address)
            SELECT ('020000' || lpad(to_hex(i), 6, '0'))::macaddr FROM generate_series(1, 40000) AS i
            """);

        await Run("""
            UPDATE devices SET status = 'active' WHERE mac_address = '02:00:00:00:00:01';
            SET statement_timeout = '20s';
            UPDATE devices SET status = 'idle'
            """);

        Assert.Equal(40_000, await Count("device_events WHERE event_type = 'idle'"));
    }

    [Fact]
    public async Task Truncate_of_devices_leaves_a_trace()
    {
        await Run($"INSERT INTO devices (mac_address) VALUES ('{Mac}'), ('02:00:5e:00:00:02')");
        await Run("TRUNCATE devices CASCADE");

        Assert.Equal(2, await Count("device_events WHERE event_type = 'removed'"));
    }

    [Theory]
    [InlineData("UPDATE device_events SET new_value = 'x'")]
    [InlineData("UPDATE device_events SET new_value = 'x' WHERE false")]
    [InlineData("DELETE FROM device_events")]
    [InlineData("DELETE FROM device_events WHERE id = -1")]
    [InlineData("TRUNCATE device_events")]
    [InlineData("TRUNCATE devices, device_events CASCADE")]
    [InlineData("INSERT INTO device_events (id, device_mac, event_type) SELECT id, device_mac, 'idle' FROM device_events ON CONFLICT (id) DO UPDATE SET event_type = 'idle'")]
    public async Task Events_cannot_be_changed_by_anyone(string sql)
    {
        await Run($"INSERT INTO devices (mac_address) VALUES ('{Mac}')");

        var error = await Refused(sql, PostgresErrorCodes.RestrictViolation);

        Assert.Contains("device_events is immutable", error.MessageText);
        Assert.Equal(["discovered"], await Texts("SELECT event_type FROM device_events"));
    }

    [Fact]
    public async Task Application_may_add_an_event()
    {
        await Run($$"""
            INSERT INTO device_events (device_mac, event_type, old_value, new_value, metadata)
            VALUES ('{{Mac}}', 'ip_changed', '192.0.2.1', '192.0.2.2', '{"by": "operator"}')
            """);

        Assert.Equal(1, await Count("device_events"));
    }

    [Fact]
    public async Task Unknown_event_type_is_refused()
        => await Refused(
            $"INSERT INTO device_events (device_mac, event_type) VALUES ('{Mac}', 'vanished')",
            PostgresErrorCodes.CheckViolation);
}
