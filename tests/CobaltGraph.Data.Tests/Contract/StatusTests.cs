using CobaltGraph.Testing;
using Npgsql;

namespace CobaltGraph.Data.Tests.Contract;

// CONTRACT.md §2, rule 1.
public class StatusTests(PostgresServerFixture server) : DatabaseTest(server)
{
    private const string Mac = "02:00:5e:00:00:01";

    [Fact]
    public async Task Device_without_status_is_discovered()
    {
        await Run($"INSERT INTO devices (mac_address) VALUES ('{Mac}')");

        Assert.Equal("discovered", await Status());
    }

    [Theory]
    [InlineData("0 minutes", "active")]
    [InlineData("29 minutes 50 seconds", "active")]
    [InlineData("30 minutes", "discovered")]
    [InlineData("30 minutes 10 seconds", "discovered")]
    [InlineData("7 days", "discovered")]
    [InlineData("-1 hour", "active")]
    public async Task Connection_makes_its_device_active_when_younger_than_30_minutes(string age, string expected)
    {
        await Run($"""
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port)
            VALUES (now() - interval '{age}', '{Mac}', '192.0.2.1', 443)
            """);

        Assert.Equal(expected, await Status());
    }

    [Theory]
    [InlineData("idle")]
    [InlineData("offline")]
    [InlineData("active")]
    public async Task Old_connection_leaves_the_status_alone(string status)
    {
        await Run($"INSERT INTO devices (mac_address, status, last_seen) VALUES ('{Mac}', '{status}', now() - interval '3 hours')");
        await Run($"""
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port)
            VALUES (now() - interval '7 days', '{Mac}', '192.0.2.1', 443)
            """);

        Assert.Equal(status, await Status());
    }

    [Fact]
    public async Task Fresh_connection_revives_an_offline_device()
    {
        await Run($"INSERT INTO devices (mac_address, status, last_seen) VALUES ('{Mac}', 'offline', now() - interval '3 hours')");
        await Run($"INSERT INTO connections (src_mac, dst_ip, dst_port) VALUES ('{Mac}', '192.0.2.1', 443)");

        Assert.Equal("active", await Status());
        Assert.Equal(["offline>active"], await Texts(
            "SELECT old_value || '>' || new_value FROM device_events WHERE event_type = 'active'"));
    }

    [Theory]
    [InlineData("discovered", "1 minute", "active")]
    [InlineData("active", "29 minutes 50 seconds", "active")]
    [InlineData("active", "30 minutes 10 seconds", "idle")]
    [InlineData("idle", "1 minute", "active")]
    [InlineData("idle", "59 minutes 50 seconds", "idle")]
    [InlineData("active", "60 minutes 10 seconds", "offline")]
    [InlineData("idle", "2 days", "offline")]
    [InlineData("discovered", "2 days", "offline")]
    [InlineData("offline", "45 minutes", "idle")]
    public async Task Sweep_sets_the_status_from_last_seen(string before, string age, string after)
    {
        await Run($"INSERT INTO devices (mac_address, status, last_seen) VALUES ('{Mac}', '{before}', now() - interval '{age}')");
        await Run("SELECT sweep_device_status()");

        Assert.Equal(after, await Status());
    }

    [Fact]
    public async Task Sweep_takes_exactly_30_and_60_minutes_as_idle()
    {
        await Run($"INSERT INTO devices (mac_address, last_seen) VALUES ('{Mac}', '2026-01-01 12:00:00+00')");

        await Run("SELECT sweep_device_status('2026-01-01 12:30:00+00')");
        Assert.Equal("idle", await Status());
        await Run("SELECT sweep_device_status('2026-01-01 13:00:00+00')");
        Assert.Equal("idle", await Status());
        await Run("SELECT sweep_device_status('2026-01-01 13:00:00.000001+00')");
        Assert.Equal("offline", await Status());
    }

    [Fact]
    public async Task Sweep_reports_changes_once_and_does_not_touch_last_seen()
    {
        await Run("""
            INSERT INTO devices (mac_address, status, last_seen)
            SELECT ('02:00:00:00:00:' || lpad(to_hex(i), 2, '0'))::macaddr, 'active', now() - make_interval(mins => 20 * i)
            FROM generate_series(0, 9) AS i
            """);
        var before = await Texts("SELECT last_seen::text FROM devices ORDER BY mac_address");

        Assert.Equal(["(0,1,7)"], await Texts("SELECT sweep_device_status()::text"));
        Assert.Equal(["(0,0,0)"], await Texts("SELECT sweep_device_status()::text"));
        Assert.Equal(before, await Texts("SELECT last_seen::text FROM devices ORDER BY mac_address"));
        Assert.Equal(8, await Count("device_events WHERE event_type IN ('idle', 'offline')"));
    }

    [Fact]
    public async Task Sweep_of_an_empty_database_changes_nothing()
        => Assert.Equal(["(0,0,0)"], await Texts("SELECT sweep_device_status()::text"));

    [Theory]
    [InlineData("NULL")]
    [InlineData("'infinity'")]
    public async Task Sweep_refuses_a_time_that_is_none(string time)
        => await Refused($"SELECT sweep_device_status({time})", PostgresErrorCodes.InvalidParameterValue);

    [Fact]
    public async Task Reading_changes_no_status()
    {
        await Run($"INSERT INTO devices (mac_address, status, last_seen) VALUES ('{Mac}', 'active', now() - interval '3 hours')");
        await Run("SELECT * FROM active_devices; SELECT * FROM device_summary; SELECT * FROM devices");

        Assert.Equal("active", await Status());
    }

    [Fact]
    public async Task Unknown_status_is_refused()
        => await Refused(
            $"INSERT INTO devices (mac_address, status) VALUES ('{Mac}', 'asleep')", PostgresErrorCodes.CheckViolation);

    [Fact]
    public async Task Active_devices_holds_those_seen_in_the_last_30_minutes()
    {
        await Run("""
            INSERT INTO devices (mac_address, last_seen) VALUES
                ('02:00:00:00:00:01', now() - interval '29 minutes'),
                ('02:00:00:00:00:02', now() - interval '31 minutes')
            """);

        Assert.Equal(["02:00:00:00:00:01"], await Texts("SELECT mac_address::text FROM active_devices"));
    }

    [Fact]
    public async Task Active_devices_leaves_out_one_seen_exactly_30_minutes_ago()
        => Assert.Equal(["0"], await Texts($"""
            BEGIN;
            INSERT INTO devices (mac_address, last_seen) VALUES ('{Mac}', now() - interval '30 minutes');
            SELECT count(*)::text FROM active_devices;
            COMMIT
            """));

    [Fact]
    public async Task Device_summary_holds_every_device_and_its_latest_connection()
    {
        await Run($"""
            INSERT INTO devices (mac_address) VALUES ('02:00:5e:00:00:02');
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port) VALUES
                ('2026-03-01', '{Mac}', '192.0.2.1', 1), ('2026-03-03', '{Mac}', '192.0.2.2', 1), ('2026-03-02', '{Mac}', '192.0.2.3', 1)
            """);

        Assert.Equal(
            [$"{Mac} 3 3 2026-03-03", "02:00:5e:00:00:02 0 0"],
            await Texts("""
                SELECT concat_ws(' ', mac_address, connection_count, unique_destinations, last_connection::date)
                FROM device_summary ORDER BY mac_address
                """));
    }

    [Fact]
    public async Task Marking_a_device_offline_does_not_touch_last_seen()
    {
        await Run($"INSERT INTO devices (mac_address, last_seen) VALUES ('{Mac}', now() - interval '3 hours')");
        await Run("UPDATE devices SET status = 'offline'");

        Assert.Equal(0, await Count("active_devices"));
    }

    private Task<string?> Status() => Scalar<string>($"SELECT status FROM devices WHERE mac_address = '{Mac}'");
}
