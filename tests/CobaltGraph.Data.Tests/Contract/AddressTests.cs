using System.Net;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;
using CobaltGraph.Testing;
using Npgsql;

namespace CobaltGraph.Data.Tests.Contract;

// CONTRACT.md §2, rules 2, 4, 5 and 7: which device held which address, and when the primary address moves.
public class AddressTests(PostgresServerFixture server) : DatabaseTest(server)
{
    private const string Mac = "02:00:5e:00:00:01";
    private const string Other = "02:00:5e:00:00:02";

    private static readonly DateTimeOffset Start = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Lapse_is_the_same_in_sql_and_code()
        => Assert.Equal(DeviceAddress.Lapse, await Scalar<TimeSpan>("SELECT address_lapse()"));

    // 24 hours apart are one binding, a microsecond more are two.
    [Fact]
    public async Task Observations_that_are_no_more_than_a_lapse_apart_are_one_binding()
    {
        await Store(Seen(1, 0));
        await Store(Seen(1, 24));
        Assert.Equal(["1 sighting 0-24"], await Bindings());

        await Store(Seen(1, 48 + (1 / 3.6e9)));
        Assert.Equal(2, await Count("device_addresses"));
    }

    [Fact]
    public async Task Late_observation_that_bridges_two_bindings_makes_them_one()
    {
        await Store(Seen(1, 0), Seen(1, 40), Seen(1, 100));
        Assert.Equal(["1 sighting 0-0", "1 sighting 40-40", "1 sighting 100-100"], await Bindings());

        await Store(Seen(1, 20));
        Assert.Equal(["1 sighting 0-40", "1 sighting 100-100"], await Bindings());

        await Store(Seen(1, -10), Seen(1, 60), Seen(1, 80));
        Assert.Equal(["1 sighting -10-100"], await Bindings());
    }

    [Fact]
    public async Task Observation_within_a_binding_writes_nothing()
    {
        await Store(Seen(1, 0), Seen(1, 20), Seen(2, 10));
        var before = await Texts("SELECT ctid FROM device_addresses ORDER BY ip_address");

        await Store(Seen(1, 5), Seen(2, 10));

        Assert.Equal(before, await Texts("SELECT ctid FROM device_addresses ORDER BY ip_address"));
    }

    [Fact]
    public async Task Later_observation_stays_off_the_indexes()
    {
        await Store([.. Enumerable.Range(1, 9).Select(i => Seen(i, 0))]);

        await using var connection = await Database.DataSource.OpenConnectionAsync(Cancel);
        await using var command = new NpgsqlCommand(
            """
            BEGIN;
            DO $do$ BEGIN PERFORM record_addresses(array_agg(mac_address), array_agg(ip_address), 'sighting',
                array_agg(last_seen), array_agg(last_seen + interval '1 hour')) FROM device_addresses; END $do$;
            SELECT n_tup_upd >= 9 AND n_tup_upd = n_tup_hot_upd FROM pg_stat_xact_user_tables WHERE relname = 'device_addresses'
            """, connection);
        Assert.Equal(true, await command.ExecuteScalarAsync(Cancel));
    }

    [Fact]
    public async Task Nothing_that_is_no_address_is_recorded()
    {
        await Store(new DeviceSighting { MacAddress = MacAddress.Parse(Mac), IpAddress = IPAddress.Any, SeenAt = Start },
            new DeviceSighting { MacAddress = MacAddress.Parse(Mac), IpAddress = IPAddress.IPv6Any, SeenAt = Start },
            new DeviceSighting { MacAddress = MacAddress.Parse(Mac), SeenAt = Start });
        await Run($"""
            INSERT INTO connections (src_mac, src_ip, dst_ip, dst_port) VALUES
                ('{Mac}', '0.0.0.0', '192.0.2.9', 1), ('{Mac}', NULL, '192.0.2.9', 1), (NULL, '192.0.2.1', '192.0.2.9', 1);
            UPDATE devices SET ip_address = '0.0.0.0';
            SELECT record_addresses(NULL, NULL, 'traffic', NULL, NULL);
            SELECT record_addresses('{"{}"}', '{"{}"}', 'traffic', '{"{}"}', '{"{}"}')
            """);

        Assert.Equal(0, await Count("device_addresses"));
    }

    [Fact]
    public async Task Time_ahead_is_now_and_a_prefix_length_is_no_part_of_an_address()
    {
        await Run($"""
            INSERT INTO connections ("timestamp", src_mac, src_ip, dst_ip, dst_port)
            VALUES (now() + interval '1 year', '{Mac}', '192.0.2.1/24', '192.0.2.9', 1)
            """);

        Assert.Equal(1, await Count("device_addresses WHERE ip_address = '192.0.2.1' AND first_seen = last_seen AND last_seen <= now()"));
    }

    // Traffic is no claim: it is stored, and moves nothing.
    [Fact]
    public async Task Traffic_is_recorded_by_device_and_address_and_moves_no_primary_address()
    {
        await Store(Seen(1, 0));
        await Run($"""
            INSERT INTO connections ("timestamp", src_mac, src_ip, dst_ip, dst_port)
            SELECT '2026-03-01Z'::timestamptz + h * interval '1 hour', '{Mac}', '192.0.2.7', '192.0.2.9', 1
            FROM unnest(ARRAY[5, 10, 60, 70, 30]) AS h
            """);

        Assert.Equal(["1 sighting 0-0", "7 traffic 5-30", "7 traffic 60-70"], await Bindings());
        Assert.Equal(["1"], await Primary());
    }

    // Order and batches must not matter: held against a model that keeps observations and nothing else.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Bindings_are_those_of_the_observations_in_any_order(int seed)
    {
        var random = new Random(seed);
        var observations = Enumerable.Range(0, 300)
            .Select(_ => (Mac: random.Next(3), Ip: 1 + random.Next(3), Hour: random.Next(2000))).ToArray();

        foreach (var chunk in observations.Chunk(1 + random.Next(60)))
        {
            await Run($"""
                SELECT record_addresses(
                    ARRAY[{string.Join(',', chunk.Select(o => $"'02:00:00:00:00:0{o.Mac}'"))}]::macaddr[],
                    ARRAY[{string.Join(',', chunk.Select(o => $"'192.0.2.{o.Ip}'"))}]::inet[], 'traffic',
                    ARRAY[{string.Join(',', chunk.Select(o => $"'{Start.AddHours(o.Hour):O}'"))}]::timestamptz[],
                    ARRAY[{string.Join(',', chunk.Select(o => $"'{Start.AddHours(o.Hour):O}'"))}]::timestamptz[])
                """);
        }

        Assert.Equal(
            observations.GroupBy(o => (o.Mac, o.Ip)).SelectMany(pair => Runs(pair.Select(o => (double)o.Hour))
                .Select(run => $"02:00:00:00:00:0{pair.Key.Mac} {pair.Key.Ip} traffic {run.First}-{run.Last}")).Order(StringComparer.Ordinal),
            (await Bindings(withMac: true)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Addresses_that_a_device_holds_side_by_side_flip_nothing()
    {
        await Store(Seen(1, 0));
        await Store(Seen(2, 1));
        for (var hour = 2; hour < 100; hour += 2)
            await Store(Seen(1, hour), Seen(2, hour + 1), Seen(1, hour + 1.5));

        Assert.Equal(["2"], await Primary());
        Assert.Equal(["1>2"], await Moves());
        Assert.Equal(["1 sighting 0-99.5", "2 sighting 1-99"], await Bindings());
    }

    [Fact]
    public async Task Primary_address_moves_back_when_its_binding_lapses_and_another_is_still_seen()
    {
        await Store(Seen(1, 0));
        await Store(Seen(2, 10));
        await Store(Seen(1, 20));
        await Store(Seen(1, 34));
        Assert.Equal(["2"], await Primary());

        await Store(Seen(1, 34.1));

        Assert.Equal(["1"], await Primary());
        Assert.Equal(["1>2", "2>1"], await Moves());
    }

    [Fact]
    public async Task Every_move_of_one_call_writes_its_event_in_the_order_of_time()
    {
        await Store(Seen(3, 2), Seen(1, 0), Seen(2, 1), Seen(1, 200), Seen(1, 3));

        Assert.Equal(["1"], await Primary());
        Assert.Equal(["1>2", "2>3", "3>1"], await Moves());
        Assert.Equal(["discovered"], await Texts("SELECT DISTINCT event_type FROM device_events WHERE event_type <> 'ip_changed'"));
    }

    // Stored late: two claims that had lapsed when they began are held again, one after the other.
    [Fact]
    public async Task Late_claims_that_come_back_in_one_call_move_it_once_each()
    {
        await Store([.. Enumerable.Range(0, 12).Select(i => Seen(1, i * 10))]);

        await Store(Seen(2, 69), Seen(3, 70), Seen(2, 87), Seen(3, 88));

        Assert.Equal(["1>2", "2>3"], await Moves());
    }

    // A device of many addresses, such as a router that answers ARP for others, is many rounds when they are new, and one after.
    [Fact]
    public async Task Many_addresses_of_one_device_move_it_once_each()
    {
        var sightings = Enumerable.Range(1, 250).Select(i => Seen(i, i / 100.0)).ToArray();
        await Store(sightings);
        Assert.Equal(249, await Count("device_events WHERE event_type = 'ip_changed'"));

        await Store([.. sightings.Select(s => s with { SeenAt = s.SeenAt.AddHours(10) })]);

        Assert.Equal(249, await Count("device_events WHERE event_type = 'ip_changed'"));
        Assert.Equal(["250"], await Primary());
    }

    // The same sightings, split differently, leave the same devices, bindings and events: in the order of their times, and with
    // batches that come late. Held against a model that takes them one by one.
    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(3, true)]
    [InlineData(4, true)]
    public async Task Moves_do_not_depend_on_how_a_stream_is_split(int seed, bool late)
    {
        var random = new Random(seed);
        var stream = new List<DeviceSighting>();
        var hours = new double[4];
        for (var i = 0; i < 160; i++)
        {
            var device = i < 4 ? i : random.Next(4);
            hours[device] += i < 8 ? 1 : random.Next(10) switch { 0 => 0, 1 => 20 + random.Next(10), 2 => 24, 3 => 60, _ => random.Next(1, 9) };
            stream.Add(Seen(1 + random.Next(5), hours[device], $"02:00:00:00:00:0{device}", isIPv6: i >= 4 && random.Next(4) == 0));
        }

        stream = [.. stream.OrderBy(s => s.SeenAt)];
        var parts = Split(stream, random).ToArray();
        if (late)
            random.Shuffle(parts.AsSpan(1));
        else
            parts = [.. stream.Select(s => new[] { s })];

        var (primaries, moves, bindings) = Model(parts.SelectMany(part => part));
        await Check(Database, parts);
        await Check(null, [.. parts.SelectMany(part => part).Select(s => new[] { s })]);
        if (!late)
        {
            await Check(null, [[.. stream]]);
            await Check(null, [.. Split(stream, random)]);
            await Check(null, [.. Split(stream, random)]);
        }
        else
        {
            // Whatever the order, bindings and primary address are the same in the end.
            (primaries, _, bindings) = Model(stream);
            random.Shuffle(parts);
            await Check(null, parts, withMoves: false);
        }

        async Task Check(TestDatabase? database, DeviceSighting[][] batches, bool withMoves = true)
        {
            await using var other = database is null ? await Server.CreateDatabaseAsync() : null;
            database ??= other!;

            // Its family is that of its first address, whichever batch comes first.
            await database.ExecuteAsync("""
                INSERT INTO devices (mac_address, ip_address, last_seen)
                SELECT ('02:00:00:00:00:0' || i)::macaddr, '192.0.2.9', '2026-02-28Z' FROM generate_series(0, 3) AS i
                """);
            foreach (var batch in batches)
                await StoreIn(database, batch);

            Assert.Equal(bindings, (await Lines(database, """
                SELECT concat_ws(' ', mac_address, abbrev(ip_address), extract(epoch FROM first_seen - '2026-03-01Z')::bigint,
                    extract(epoch FROM last_seen - '2026-03-01Z')::bigint)
                FROM device_addresses WHERE source = 'sighting'
                """)).Order(StringComparer.Ordinal));
            Assert.Equal(primaries, await Lines(
                database, "SELECT concat_ws(' ', mac_address, abbrev(ip_address)) FROM devices ORDER BY mac_address"));
            if (withMoves)
            {
                Assert.Equal(moves, await Lines(database, """
                    SELECT concat_ws(' ', device_mac, old_value, new_value) FROM device_events
                    WHERE event_type = 'ip_changed' ORDER BY device_mac, id
                    """));
            }
        }
    }

    [Fact]
    public async Task Update_by_a_client_is_a_move_and_stands_until_the_next()
    {
        await Run($"INSERT INTO devices (mac_address, ip_address, last_seen) VALUES ('{Mac}', '192.0.2.1', '2026-03-01 05:00Z')");
        Assert.Equal(["1 update 5-standing"], await Bindings());

        await Run("UPDATE devices SET ip_address = '192.0.2.2'");
        await Run("UPDATE devices SET hostname = 'a', status = 'active', ip_address = '192.0.2.2'");

        Assert.Equal(["1>2"], await Moves());
        Assert.Equal(["1 f", "2 t"], await Texts("""
            SELECT concat_ws(' ', split_part(host(ip_address), '.', 4), last_seen = 'infinity')
            FROM device_addresses WHERE last_seen > now() - interval '1 minute' ORDER BY first_seen
            """));

        await Run("UPDATE devices SET ip_address = NULL");
        Assert.Equal(0, await Count("device_addresses WHERE last_seen = 'infinity'"));
        Assert.Equal(["1>2", "2>"], await Moves());
    }

    [Theory]
    [InlineData("DELETE FROM devices")]
    [InlineData("TRUNCATE devices CASCADE")]
    public async Task Removed_device_keeps_what_it_held_and_holds_nothing_on(string removal)
    {
        await Run($"INSERT INTO devices (mac_address, ip_address, last_seen) VALUES ('{Mac}', '192.0.2.1', '2026-03-01'), ('{Other}', NULL, '2026-03-01')");
        await Store(Seen(2, 0, Other));

        await Run(removal);

        Assert.Equal(0, await Count("devices"));
        Assert.Equal(2, await Count("device_addresses"));
        Assert.Equal(0, await Count("device_addresses WHERE last_seen = 'infinity'"));
    }

    [Fact]
    public async Task Address_that_changes_several_times_in_one_transaction_ends_right()
    {
        await Run($"""
            INSERT INTO devices (mac_address, ip_address) VALUES ('{Mac}', '192.0.2.1');
            UPDATE devices SET ip_address = '192.0.2.2';
            UPDATE devices SET ip_address = '192.0.2.1';
            UPDATE devices SET ip_address = '192.0.2.2';
            DELETE FROM devices;
            INSERT INTO devices (mac_address, ip_address) VALUES ('{Mac}', '192.0.2.1')
            """);

        Assert.Equal(["1 t", "2 f"], await Texts("""
            SELECT concat_ws(' ', split_part(host(ip_address), '.', 4), last_seen = 'infinity') FROM device_addresses ORDER BY ip_address
            """));
        Assert.Equal(["1>2", "2>1", "1>2"], await Moves());
    }

    [Fact]
    public async Task Address_that_a_client_set_holds_until_sightings_claim_another_from_later_on()
    {
        await Store(Seen(1, 0), Seen(2, 1));
        await Run("UPDATE devices SET ip_address = '192.0.2.1'");
        await Run("UPDATE device_addresses SET first_seen = '2026-03-01 02:00Z' WHERE source = 'update'");

        await Store(Seen(2, 3), Seen(2, 20), Seen(2, 40), Seen(3, 1.5));
        Assert.Equal(["1"], await Primary());
        await Store(Seen(3, 1.9));
        Assert.Equal(["1"], await Primary());
        Assert.Equal(1, await Count("device_addresses WHERE last_seen = 'infinity'"));

        await Store(Seen(4, 41));

        Assert.Equal(["1>2", "2>1", "1>4"], await Moves());
        Assert.Equal(["1 f"], await Texts("""
            SELECT concat_ws(' ', split_part(host(ip_address), '.', 4), last_seen = 'infinity') FROM device_addresses WHERE source = 'update'
            """));
    }

    [Fact]
    public async Task Update_within_the_transaction_of_a_merge_is_a_clients_word()
    {
        await using var connection = await Database.DataSource.OpenConnectionAsync(Cancel);
        await using var transaction = await connection.BeginTransactionAsync(Cancel);
        await StoreOn(connection, [Seen(1, 0)]);
        await using var update = new NpgsqlCommand("UPDATE devices SET ip_address = '192.0.2.2'", connection);
        await update.ExecuteNonQueryAsync(Cancel);
        await transaction.CommitAsync(Cancel);

        Assert.Equal(1, await Count("device_addresses WHERE source = 'update' AND ip_address = '192.0.2.2' AND last_seen = 'infinity'"));
    }

    [Fact]
    public async Task Prefix_length_that_a_client_set_is_no_other_address()
    {
        await Run($"INSERT INTO devices (mac_address, ip_address, last_seen) VALUES ('{Mac}', '192.0.2.1/24', '2026-02-28')");

        await Store(Seen(1, 0));

        Assert.Equal(["192.0.2.1/24"], await Texts("SELECT abbrev(ip_address) FROM devices"));
        Assert.Empty(await Moves());
        Assert.Equal(2, await Count("device_addresses WHERE ip_address = '192.0.2.1'"));
    }

    [Fact]
    public async Task Address_that_two_devices_claim_at_a_time_is_a_conflict()
    {
        await Store(Seen(1, 0), Seen(1, 20), Seen(1, 10, Other), Seen(1, 30, Other), Seen(2, 0), Seen(2, 1), Seen(2, 2, Other));
        await Run($"""
            INSERT INTO connections ("timestamp", src_mac, src_ip, dst_ip, dst_port)
            VALUES ('2026-03-01 15:00Z', '02:00:5e:00:00:03', '192.0.2.1', '192.0.2.9', 1)
            """);

        Assert.Equal([$"192.0.2.1 {Mac} {Other} 10 20"], await Conflicts());
    }

    [Fact]
    public async Task One_shared_instant_is_a_conflict_and_claims_of_two_kinds_are_one()
    {
        await Run($"INSERT INTO devices (mac_address, ip_address, last_seen) VALUES ('{Mac}', '192.0.2.1', '2026-03-01 05:00Z')");
        await Store(Seen(1, 4), Seen(1, 6), Seen(1, 3, Other), Seen(1, 9, Other), Seen(3, 1), Seen(3, 2), Seen(3, 2, Other), Seen(3, 3, Other));

        Assert.Equal([$"192.0.2.1 {Mac} {Other} 4 9", $"192.0.2.3 {Mac} {Other} 2 2"], await Conflicts());
    }

    [Fact]
    public async Task Conflict_of_two_updates_stands()
    {
        await Run($"INSERT INTO devices (mac_address, ip_address) VALUES ('{Mac}', '192.0.2.1'), ('{Other}', '192.0.2.1')");
        Assert.Equal(1, await Count("address_conflicts WHERE until = 'infinity' AND ip_address = '192.0.2.1'"));

        await Run($"DELETE FROM devices WHERE mac_address = '{Mac}'");
        Assert.Equal(1, await Count("address_conflicts WHERE isfinite(until)"));
    }

    // Two merges of the same devices, plain updates and connections, all at once.
    [Fact]
    public async Task Concurrent_writers_neither_deadlock_nor_lose_an_observation()
    {
        const int Devices = 60;
        await Run($"""
            INSERT INTO devices (mac_address, last_seen)
            SELECT ('020000' || lpad(to_hex(i), 6, '0'))::macaddr, '2026-03-01Z' FROM generate_series(0, {Devices} - 1) AS i
            """);
        var seen = new System.Collections.Concurrent.ConcurrentBag<(string Mac, string Ip, double Hour)>();

        await Task.WhenAll(Enumerable.Range(0, 5).Select(writer => Task.Run(async () =>
        {
            var random = new Random(writer);
            for (var batch = 0; batch < 40; batch++)
            {
                if (writer < 3)
                {
                    var sightings = Enumerable.Range(0, 100).Select(_ => Seen(
                        1 + random.Next(4), random.Next(3000), new MacAddress(0x0200_0000_0000 + random.Next(Devices)).ToString())).ToArray();
                    await StoreIn(Database, sightings);
                    foreach (var s in sightings)
                        seen.Add((s.MacAddress.ToString(), s.IpAddress!.ToString(), (s.SeenAt - Start).TotalHours));
                }
                else if (writer == 3)
                {
                    await Run($"""
                        UPDATE devices SET ip_address = '192.0.2.{random.Next(9)}' WHERE mac_address IN (
                            SELECT mac_address FROM devices WHERE mac_address < ('020000' || lpad(to_hex({random.Next(Devices)}), 6, '0'))::macaddr
                            ORDER BY mac_address FOR NO KEY UPDATE)
                        """);
                }
                else
                {
                    await Run($"""
                        INSERT INTO connections ("timestamp", src_mac, src_ip, dst_ip, dst_port)
                        SELECT '2026-03-01Z'::timestamptz + (i * 7 % 3000) * interval '1 hour',
                               ('020000' || lpad(to_hex((i * 31 + {batch}) % {Devices}), 6, '0'))::macaddr, '192.0.2.1', '192.0.2.9', 1
                        FROM generate_series(1, 200) AS i
                        """);
                }
            }
        }, Cancel)));

        Assert.Equal(0, await Scalar<long>("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"));
        Assert.Equal(
            seen.GroupBy(s => (s.Mac, s.Ip)).SelectMany(pair => Runs(pair.Select(s => s.Hour))
                .Select(run => $"{pair.Key.Mac} {pair.Key.Ip[8..]} sighting {run.First}-{run.Last}")).Order(StringComparer.Ordinal),
            (await Bindings(withMac: true)).Where(line => line.Contains("sighting", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.Equal(0, await Count("""
            (SELECT mac_address FROM device_addresses WHERE last_seen = 'infinity' GROUP BY mac_address HAVING count(*) > 1) AS several
            """));
        Assert.Equal(0, await Count("""
            device_addresses AS a JOIN devices AS d ON d.mac_address = a.mac_address
            WHERE a.last_seen = 'infinity' AND a.ip_address IS DISTINCT FROM d.ip_address
            """));
        Assert.Equal(0, await Count("""
            (SELECT first_seen, lag(last_seen) OVER (PARTITION BY mac_address, ip_address ORDER BY first_seen) AS previous
             FROM device_addresses WHERE source = 'traffic') AS t
            WHERE first_seen <= previous + address_lapse()
            """));
    }

    // The look-up by key holds however much is stored, for a session that began when the table was empty too.
    [Fact]
    public async Task Recording_reads_by_key_and_nothing_else()
    {
        await using var connection = await Database.DataSource.OpenConnectionAsync(Cancel);
        async Task<object?> Ask(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            return await command.ExecuteScalarAsync(Cancel);
        }

        for (var i = 0; i < 10; i++)
            await StoreOn(connection, [Seen(1, i)]);
        await Ask("""
            INSERT INTO device_addresses
            SELECT ('020000' || lpad(to_hex(i % 1000), 6, '0'))::macaddr, '10.0.0.0'::inet + i, 'sighting', '2026-03-01Z', '2026-03-01Z'
            FROM generate_series(0, 19999) AS i
            """);
        await Ask("BEGIN");
        var before = await Read();
        await StoreOn(connection, [.. Enumerable.Range(0, 1000).Select(i => Seen(1, 9, new MacAddress(0x0200_0000_0000 + i).ToString()))]);
        await Ask("""
            SELECT record_addresses(array_agg(('020000' || lpad(to_hex(i % 1000), 6, '0'))::macaddr), array_agg('10.0.0.0'::inet + i), 'sighting',
                array_agg('2026-03-01 12:00Z'::timestamptz), array_agg(now())) FROM generate_series(0, 999) AS i
            """);
        await Ask("UPDATE devices SET ip_address = '192.0.2.200'");
        var after = await Read();

        Assert.Equal(before.Sequential, after.Sequential);
        Assert.InRange(after.ByIndex - before.ByIndex, 1_000, 100_000);

        async Task<(long Sequential, long ByIndex)> Read()
        {
            const string Of = "FROM pg_stat_xact_user_tables WHERE relname = 'device_addresses'";
            return ((long)(await Ask($"SELECT seq_tup_read {Of}"))!, (long)(await Ask($"SELECT idx_tup_fetch {Of}"))!);
        }
    }

    private static IEnumerable<DeviceSighting[]> Split(List<DeviceSighting> stream, Random random)
    {
        for (var from = 0; from < stream.Count;)
        {
            var to = Math.Min(from + 1 + random.Next(random.Next(2) == 0 ? 4 : 50), stream.Count);
            yield return [.. stream[from..to]];
            from = to;
        }
    }

    private static List<(double First, double Last)> Runs(IEnumerable<double> hours)
    {
        var runs = new List<(double First, double Last)>();
        foreach (var hour in hours.Order())
        {
            if (runs.Count > 0 && hour - runs[^1].Last <= DeviceAddress.Lapse.TotalHours)
                runs[^1] = (runs[^1].First, hour);
            else
                runs.Add((hour, hour));
        }

        return runs;
    }

    // Observations one by one; after each, all bindings anew. Every device starts at an address that a client set before.
    private static (string[] Primaries, string[] Moves, string[] Bindings) Model(IEnumerable<DeviceSighting> stream)
    {
        var seen = new Dictionary<string, List<(string Ip, double Hour)>>();
        var primaries = Enumerable.Range(0, 4).ToDictionary(i => $"02:00:00:00:00:0{i}", _ => "192.0.2.9");
        var moves = new List<(string Mac, string Text)>();
        foreach (var sighting in stream)
        {
            var mac = sighting.MacAddress.ToString();
            var all = seen.TryGetValue(mac, out var known) ? known : seen[mac] = [];
            all.Add((sighting.IpAddress!.ToString(), (sighting.SeenAt - Start).TotalHours));
            var inFamily = all.Where(o => !o.Ip.Contains(':', StringComparison.Ordinal)).ToArray();
            if (inFamily.Length == 0 || sighting.IpAddress.ToString().Contains(':', StringComparison.Ordinal))
                continue;

            var liveAfter = inFamily.Max(o => o.Hour) - DeviceAddress.Lapse.TotalHours;
            var primary = inFamily.GroupBy(o => o.Ip).SelectMany(o => Runs(o.Select(x => x.Hour)).Select(run => (Ip: o.Key, run.First, run.Last)))
                .Where(run => run.Last >= liveAfter).MaxBy(run => (run.First, int.Parse(run.Ip[8..], null))).Ip;
            if (primary == primaries[mac])
                continue;

            moves.Add((mac, $"{mac} {primaries[mac]} {primary}"));
            primaries[mac] = primary;
        }

        return (
            [.. primaries.OrderBy(p => p.Key).Select(p => $"{p.Key} {p.Value}")],
            [.. moves.OrderBy(m => m.Mac, StringComparer.Ordinal).Select(m => m.Text)],
            [.. seen.SelectMany(device => device.Value.GroupBy(o => o.Ip).SelectMany(o => Runs(o.Select(x => x.Hour))
                .Select(run => $"{device.Key} {o.Key} {run.First * 3600:0} {run.Last * 3600:0}"))).Order(StringComparer.Ordinal)]);
    }

    private static DeviceSighting Seen(int ip, double hour, string mac = Mac, bool isIPv6 = false) => new()
    {
        MacAddress = MacAddress.Parse(mac),
        IpAddress = IPAddress.Parse(isIPv6 ? $"2001:db8::{ip}" : $"192.0.2.{ip}"),
        SeenAt = Start + TimeSpan.FromTicks((long)Math.Round(hour * TimeSpan.TicksPerHour)),
    };

    private Task Store(params DeviceSighting[] sightings) => StoreIn(Database, sightings);

    private static async Task StoreIn(TestDatabase database, DeviceSighting[] sightings)
    {
        await using var connection = await database.DataSource.OpenConnectionAsync(Cancel);
        await StoreOn(connection, sightings);
    }

    private static async Task StoreOn(NpgsqlConnection connection, DeviceSighting[] sightings)
    {
        var buffer = new SightingBuffer();
        foreach (var sighting in sightings)
            buffer.Add(sighting, DateTimeOffset.UtcNow);
        await using var command = connection.CreateCommand();
        command.CommandText = $"SELECT {SightingMerge.Call(command.Parameters, buffer, 0, buffer.Count)}";
        await command.ExecuteNonQueryAsync(Cancel);
    }

    private Task<string?[]> Primary() => Texts($"SELECT split_part(host(ip_address), '.', 4) FROM devices WHERE mac_address = '{Mac}'");

    private Task<string?[]> Moves() => Texts("""
        SELECT concat(split_part(old_value, '.', 4), '>', split_part(new_value, '.', 4)) FROM device_events
        WHERE event_type = 'ip_changed' ORDER BY id
        """);

    // The last part of the address, and hours since the start.
    private async Task<string[]> Bindings(bool withMac = false) => await Lines(Database, $"""
        SELECT concat_ws(' ', {(withMac ? "mac_address" : "NULL")}, split_part(host(ip_address), '.', 4), source,
            (extract(epoch FROM first_seen - '2026-03-01Z') / 3600)::double precision || '-' || CASE WHEN last_seen = 'infinity' THEN 'standing'
            ELSE ((extract(epoch FROM last_seen - '2026-03-01Z') / 3600)::double precision)::text END)
        FROM device_addresses ORDER BY mac_address, ip_address, source, first_seen
        """);

    private Task<string[]> Conflicts() => Lines(Database, """
        SELECT concat_ws(' ', abbrev(ip_address), mac_address_a, mac_address_b,
            (extract(epoch FROM "from" - '2026-03-01Z') / 3600)::double precision, (extract(epoch FROM until - '2026-03-01Z') / 3600)::double precision)
        FROM address_conflicts ORDER BY 1
        """);

    private static async Task<string[]> Lines(TestDatabase database, string sql)
        => [.. (await database.QueryAsync(sql)).Select(row => (string)row[0]!)];
}
