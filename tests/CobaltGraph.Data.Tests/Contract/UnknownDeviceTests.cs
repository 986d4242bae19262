using CobaltGraph.Testing;
using Npgsql;

namespace CobaltGraph.Data.Tests.Contract;

// CONTRACT.md §2, rules 3 and 9, and the rules of the key of devices.
public class UnknownDeviceTests(PostgresServerFixture server) : DatabaseTest(server)
{
    private const string Mac = "02:00:5e:00:00:01";

    [Fact]
    public async Task Unseen_source_becomes_a_device_in_the_same_transaction()
    {
        await Run($"""
            INSERT INTO connections ("timestamp", src_mac, src_ip, dst_ip, dst_port) VALUES
                ('2026-03-02 12:00+00', '{Mac}', '192.0.2.7', '192.0.2.1', 443),
                ('2026-03-01 12:00+00', '{Mac}', '192.0.2.7', '192.0.2.1', 443)
            """);

        Assert.Equal(
            ["discovered 2 2026-03-01 2026-03-02"],
            await Texts("SELECT concat_ws(' ', status, connection_count, first_seen::date, last_seen::date) FROM devices"));
    }

    [Fact]
    public async Task Rolled_back_connection_leaves_no_device()
    {
        await Run($"BEGIN; INSERT INTO connections (src_mac, dst_ip, dst_port) VALUES ('{Mac}', '192.0.2.1', 443); ROLLBACK");

        Assert.Equal(0, await Count("devices"));
        Assert.Equal(0, await Count("device_events"));
    }

    [Fact]
    public async Task Connection_without_source_touches_no_device()
    {
        await Run("INSERT INTO connections (src_mac, dst_ip, dst_port) VALUES (NULL, '192.0.2.1', 443)");

        Assert.Equal(1, await Count("connections"));
        Assert.Equal(0, await Count("devices"));
        Assert.Equal(0, await Count("device_destinations"));
    }

    [Fact]
    public async Task Insert_of_no_row_does_nothing()
    {
        await Run("INSERT INTO connections (src_mac, dst_ip, dst_port) SELECT NULL, '192.0.2.1', 1 WHERE false");

        Assert.Equal(0, await Count("connections"));
    }

    [Theory]
    [InlineData("ff:ff:ff:ff:ff:ff")]
    [InlineData("01:00:5e:00:00:fb")]
    [InlineData("33:33:00:00:00:01")]
    [InlineData("00:00:00:00:00:00")]
    public async Task Mac_that_cannot_be_a_device_is_refused(string mac)
    {
        await Refused($"INSERT INTO devices (mac_address) VALUES ('{mac}')", PostgresErrorCodes.CheckViolation);
        await Refused(
            $"INSERT INTO connections (src_mac, dst_ip, dst_port) VALUES ('{mac}', '192.0.2.1', 443)",
            PostgresErrorCodes.CheckViolation);
    }

    [Theory]
    [InlineData("02:00:5e:00:00:01", true)]
    [InlineData("da:a1:19:00:00:01", true)]
    [InlineData("00:1b:63:00:00:01", false)]
    public async Task Locally_administered_is_read_from_the_address(string mac, bool expected)
    {
        await Run($"INSERT INTO devices (mac_address) VALUES ('{mac}')");

        Assert.Equal(expected, await Scalar<bool>("SELECT is_locally_administered FROM devices"));
    }

    [Fact]
    public async Task Mac_of_a_device_cannot_be_changed()
    {
        await Run($"INSERT INTO devices (mac_address) VALUES ('{Mac}')");

        await Refused("UPDATE devices SET mac_address = '02:00:5e:00:00:02'", PostgresErrorCodes.RestrictViolation);
    }

    [Fact]
    public async Task Foreign_key_is_deferred_and_sets_null()
        => Assert.Equal(
            ["FOREIGN KEY (src_mac) REFERENCES devices(mac_address) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED"],
            await Texts("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'connections'::regclass AND contype = 'f'"));
}
