using CobaltGraph.Testing;
using Npgsql;

namespace CobaltGraph.Data.Tests.Contract;

// CONTRACT.md §2, rule 2.
public class TimesTests(PostgresServerFixture server) : DatabaseTest(server)
{
    private const string Mac = "02:00:5e:00:00:01";

    [Fact]
    public async Task Times_of_a_device_move_one_way()
    {
        await Run($"""
            INSERT INTO devices (mac_address, first_seen, last_seen, last_activity)
            VALUES ('{Mac}', '2026-03-02', '2026-03-05', '2026-03-04')
            """);

        await Run("UPDATE devices SET first_seen = '2026-03-03', last_seen = '2026-03-04', last_activity = '2026-03-01'");
        Assert.Equal(["2026-03-02 2026-03-05 2026-03-04"], await Times());

        await Run("UPDATE devices SET first_seen = '2026-03-01', last_seen = '2026-03-06', last_activity = '2026-03-06'");
        Assert.Equal(["2026-03-01 2026-03-06 2026-03-06"], await Times());
    }

    [Fact]
    public async Task Late_connection_moves_first_seen_only()
    {
        await Run($"""
            INSERT INTO devices (mac_address, first_seen, last_seen, last_activity)
            VALUES ('{Mac}', '2026-03-02', '2026-03-05', '2026-03-05');
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port) VALUES ('2026-03-01', '{Mac}', '192.0.2.1', 1)
            """);

        Assert.Equal(["2026-03-01 2026-03-05 2026-03-05"], await Times());
    }

    [Fact]
    public async Task Newer_connection_moves_last_seen_and_last_activity()
    {
        await Run($"""
            INSERT INTO devices (mac_address, first_seen, last_seen, last_activity)
            VALUES ('{Mac}', '2026-03-02', '2026-03-05', '2026-03-05');
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port) VALUES ('2026-03-07', '{Mac}', '192.0.2.1', 1)
            """);

        Assert.Equal(["2026-03-02 2026-03-07 2026-03-07"], await Times());
    }

    [Theory]
    [InlineData("now() + interval '1 hour'")]
    [InlineData("'9999-12-31'")]
    [InlineData("'200000-01-01'")]
    public async Task No_derived_time_passes_now(string time)
    {
        await Run($"""
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port) VALUES ({time}, '{Mac}', '192.0.2.1', 1);
            UPDATE devices SET last_seen = {time}, last_activity = {time};
            INSERT INTO devices (mac_address, first_seen, last_seen, last_activity)
            VALUES ('02:00:5e:00:00:02', {time}, {time}, {time})
            """);

        Assert.Equal(0, await Count("devices WHERE first_seen > now() OR last_seen > now() OR last_activity > now()"));
        Assert.Equal(0, await Count("device_destinations WHERE first_seen > now() OR last_seen > now()"));
        Assert.Equal(1, await Count($"connections WHERE \"timestamp\" = {time} OR \"timestamp\" > now()"));
    }

    [Theory]
    [InlineData("4713-01-01 BC")]
    [InlineData("0001-01-01")]
    [InlineData("1970-01-01")]
    public async Task Ancient_connection_is_stored(string time)
    {
        await Run($"""INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port) VALUES ('{time}', '{Mac}', '192.0.2.1', 1)""");

        Assert.Equal(1, await Count($"connections_default WHERE \"timestamp\" = '{time}'"));
        Assert.Equal(1, await Count($"devices WHERE first_seen = '{time}' AND last_seen = '{time}'"));
    }

    [Theory]
    [InlineData("infinity")]
    [InlineData("-infinity")]
    public async Task Infinite_time_of_a_connection_is_refused(string time)
        => await Refused(
            $"""INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port) VALUES ('{time}', '{Mac}', '192.0.2.1', 1)""",
            PostgresErrorCodes.CheckViolation);

    [Fact]
    public async Task Infinite_past_of_a_device_is_refused()
        => await Refused(
            $"INSERT INTO devices (mac_address, first_seen) VALUES ('{Mac}', '-infinity')", PostgresErrorCodes.CheckViolation);

    [Fact]
    public async Task Time_stored_while_the_clock_ran_ahead_is_brought_back_by_the_sweep()
    {
        await Run($"""
            INSERT INTO devices (mac_address, status) VALUES ('{Mac}', 'active');
            ALTER TABLE devices DISABLE TRIGGER devices_keep_times_update;
            UPDATE devices SET last_seen = now() + interval '1 year';
            ALTER TABLE devices ENABLE TRIGGER devices_keep_times_update
            """);

        await Run("SELECT sweep_device_status()");

        Assert.Equal(0, await Count("devices WHERE last_seen > now()"));
    }

    // now() is the start of a transaction: one that began earlier must not pull back what a later one stored.
    [Fact]
    public async Task Older_transaction_does_not_move_times_back()
    {
        await Run($"INSERT INTO devices (mac_address) VALUES ('{Mac}')");
        await using var older = await Database.DataSource.OpenConnectionAsync(Cancel);
        await using var transaction = await older.BeginTransactionAsync(Cancel);
        await using var command = older.CreateCommand();
        command.CommandText = "SELECT now()";
        await command.ExecuteNonQueryAsync(Cancel);

        await Run($"INSERT INTO connections (src_mac, dst_ip, dst_port) VALUES ('{Mac}', '192.0.2.1', 1)");
        var before = await Texts("SELECT concat_ws(' ', last_seen, last_activity) FROM devices");
        command.CommandText = $"""
            UPDATE devices SET hostname = 'printer';
            INSERT INTO connections (src_mac, dst_ip, dst_port) VALUES ('{Mac}', '192.0.2.1', 1);
            SELECT sweep_device_status()
            """;
        await command.ExecuteNonQueryAsync(Cancel);
        await transaction.CommitAsync(Cancel);

        Assert.Equal(before, await Texts("SELECT concat_ws(' ', last_seen, last_activity) FROM devices"));
    }

    [Theory]
    [InlineData("last_seen")]
    [InlineData("last_activity")]
    public async Task First_seen_is_never_later_than_the_other_times(string column)
    {
        await Run($"INSERT INTO devices (mac_address, {column}) VALUES ('{Mac}', '2026-03-02')");

        Assert.Equal(["2026-03-02"], await Texts("SELECT first_seen::date::text FROM devices"));
    }

    private Task<string?[]> Times()
        => Texts("SELECT concat_ws(' ', first_seen::date, last_seen::date, last_activity::date) FROM devices");
}
