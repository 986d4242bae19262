using CobaltGraph.Testing;
using Npgsql;

namespace CobaltGraph.Data.Tests.Roles;

// A stolen login of a writer or reader tries to forge what the database derives, and to see the other site.
public sealed class AttackTests(TwoSites sites) : IClassFixture<TwoSites>
{
    private const string Secret = "canary.example";

    private static readonly string First = RolesDatabase.Quoted(TwoSites.First);

    private RolesDatabase Roles => sites.Roles;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    // With rights that roles.sql does not give, but the owner of a shared database may: temporary tables and a schema of its own.
    [Fact]
    public async Task Temporary_tables_functions_and_operators_of_a_writer_stand_in_for_nothing()
    {
        await Roles.Database.ExecuteAsync($"GRANT TEMPORARY, CREATE ON DATABASE {Roles.Database.Name} TO {sites.Writer}");
        try
        {
            await Roles.RunAsync(sites.Writer, TwoSites.First, $"""
                CREATE SCHEMA evil;
                CREATE FUNCTION evil.threat_threshold() RETURNS real LANGUAGE sql AS 'SELECT 99::real';
                CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE sql AS $$SELECT '1999-01-01'::timestamptz$$;
                CREATE FUNCTION evil.date_trunc(text, timestamptz, text) RETURNS timestamptz LANGUAGE sql AS 'SELECT NULL::timestamptz';
                CREATE FUNCTION evil.abbrev(inet) RETURNS text LANGUAGE sql AS $$SELECT '6.6.6.6'$$;
                CREATE FUNCTION evil.array_agg(macaddr) RETURNS macaddr[] LANGUAGE sql AS 'SELECT NULL::macaddr[]';
                CREATE FUNCTION evil.unnest(macaddr[]) RETURNS SETOF macaddr LANGUAGE sql AS 'SELECT NULL::macaddr WHERE false';
                CREATE FUNCTION evil.no(real, real) RETURNS boolean LANGUAGE sql AS 'SELECT false';
                CREATE OPERATOR evil.>= (FUNCTION = evil.no, LEFTARG = real, RIGHTARG = real);
                CREATE FUNCTION evil.same(bigint, bigint) RETURNS bigint LANGUAGE sql AS 'SELECT $1';
                CREATE OPERATOR evil.+ (FUNCTION = evil.same, LEFTARG = bigint, RIGHTARG = bigint);
                CREATE TEMPORARY TABLE devices (LIKE {First}.devices INCLUDING ALL);
                CREATE TEMPORARY TABLE device_events (LIKE {First}.device_events INCLUDING ALL);
                CREATE TEMPORARY TABLE device_destinations (LIKE {First}.device_destinations INCLUDING ALL);
                CREATE TEMPORARY TABLE device_activity_hourly (LIKE {First}.device_activity_hourly INCLUDING ALL);
                CREATE TEMPORARY TABLE device_threat_counts (LIKE {First}.device_threat_counts INCLUDING ALL);
                CREATE TEMPORARY TABLE device_addresses (LIKE {First}.device_addresses INCLUDING ALL);
                CREATE TEMPORARY TABLE destinations (LIKE {First}.destinations INCLUDING ALL);
                SET search_path = pg_temp, evil, pg_catalog, {First};
                SET "cobaltgraph.merging" = 'on';
                SET standard_conforming_strings = off;
                SET DateStyle = 'SQL, DMY';
                SET TimeZone = 'Asia/Kathmandu';
                INSERT INTO {First}.connections (src_mac, src_ip, dst_ip, dst_port, threat_score, threat_category)
                VALUES ('02:00:5e:00:0b:01', '10.0.0.1', '192.0.2.1', 443, 9, 'c2'), ('02:00:5e:00:0b:01', '10.0.0.1', '192.0.2.1', 443, 9, 'c2');
                UPDATE {First}.connections SET dst_country = 'DE' WHERE src_mac = '02:00:5e:00:0b:01';
                SELECT {First}.merge_device_sightings(
                    ARRAY['02:00:5e:00:0b:01']::macaddr[], ARRAY['10.0.0.9']::inet[], ARRAY['camera'], NULL, NULL, NULL, ARRAY['dhcp'])
                """);

            Assert.Equal(
                "active 2 2 camera 10.0.0.9 | 2 2 | 2 | c2 2 | discovered,active,threat_detected 192.0.2.1,ip_changed | 10.0.0.1,10.0.0.9",
                await Roles.ScalarAsync<string>(sites.Reader, TwoSites.First, """
                    SELECT concat_ws(' | ',
                        (SELECT concat_ws(' ', status, connection_count, threat_count, hostname, host(ip_address)) FROM devices WHERE mac_address = '02:00:5e:00:0b:01'),
                        (SELECT concat_ws(' ', connection_count, threat_count) FROM device_destinations WHERE src_mac = '02:00:5e:00:0b:01'),
                        (SELECT sum(connection_count) FROM device_activity_hourly WHERE src_mac = '02:00:5e:00:0b:01'),
                        (SELECT string_agg(concat_ws(' ', threat_category, connection_count), ',') FROM device_threat_counts
                            WHERE src_mac = '02:00:5e:00:0b:01' AND connection_count > 0),
                        (SELECT string_agg(concat_ws(' ', event_type, CASE event_type WHEN 'threat_detected' THEN new_value END), ',' ORDER BY id)
                            FROM device_events WHERE device_mac = '02:00:5e:00:0b:01'),
                        (SELECT string_agg(DISTINCT host(ip_address), ',') FROM device_addresses WHERE mac_address = '02:00:5e:00:0b:01'))
                    """));
        }
        finally
        {
            await Roles.Database.ExecuteAsync($"""
                REVOKE TEMPORARY, CREATE ON DATABASE {Roles.Database.Name} FROM {sites.Writer};
                DROP SCHEMA evil CASCADE
                """);
        }
    }

    [Theory]
    [InlineData("writer")]
    [InlineData("reader")]
    [InlineData("maintainer")]
    public async Task Nothing_of_another_site_can_be_read_called_or_explained(string part)
    {
        var login = sites.LoginOf(part);
        await Roles.RunAsync(sites.Neighbour, TwoSites.Second, $"""
            INSERT INTO connections (src_mac, dst_ip, dst_port, dst_hostname) VALUES ('02:00:5e:00:0c:01', '192.0.2.1', 443, '{Secret}');
            INSERT INTO ingest_batches (source, batch_key) VALUES (session_user, '{Secret}') ON CONFLICT DO NOTHING
            """);

        var objects = await Roles.Database.QueryAsync("""
            SELECT CASE WHEN c.relkind = 'S' THEN format('SELECT last_value FROM site_b.%I', c.relname) ELSE format('TABLE site_b.%I', c.relname) END
            FROM pg_class AS c WHERE c.relnamespace = 'site_b'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'S')
            UNION ALL
            SELECT format('EXPLAIN SELECT * FROM site_b.%I WHERE true', c.relname)
            FROM pg_class AS c WHERE c.relnamespace = 'site_b'::regnamespace AND c.relkind IN ('r', 'p', 'v')
            UNION ALL
            SELECT format('SELECT site_b.%I(%s)', p.proname,
                (SELECT string_agg(format('NULL::%s', format_type(t, NULL)), ', ') FROM unnest(p.proargtypes) AS t))
            FROM pg_proc AS p WHERE p.pronamespace = 'site_b'::regnamespace
            """);
        Assert.True(objects.Count > 60, $"{objects.Count} objects");
        foreach (var row in objects)
            await Roles.RefusedAsync(login, TwoSites.First, (string)row[0]!);
        await Roles.RefusedAsync(login, TwoSites.First, "INSERT INTO site_b.connections (dst_ip, dst_port) VALUES ('192.0.2.1', 1)");
    }

    // CVE-2025-8713 and its like read values out of statistics.
    [Fact]
    public async Task Statistics_of_another_site_are_not_shown_to_a_leaky_function()
    {
        await Roles.RunAsync(sites.Neighbour, TwoSites.Second, $"""
            INSERT INTO connections (src_mac, dst_ip, dst_port, dst_hostname)
            SELECT '02:00:5e:00:0c:02', '192.0.2.1', 443, '{Secret}' FROM generate_series(1, 100)
            """);
        await Roles.Database.ExecuteAsync($"ANALYZE; GRANT TEMPORARY ON DATABASE {Roles.Database.Name} TO {sites.Reader}");
        try
        {
            Assert.NotEqual(0, await Roles.Database.ScalarAsync<long>(
                $"SELECT count(*) FROM pg_stats WHERE schemaname = 'site_b' AND most_common_vals::text LIKE '%{Secret}%'"));

            var told = new List<string>();
            await using var connection = await Roles.As(sites.Reader, TwoSites.First).OpenConnectionAsync(Cancel);
            connection.Notice += (_, e) => told.Add(e.Notice.MessageText);
            await using var probe = new NpgsqlCommand("""
                CREATE FUNCTION pg_temp.leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$
                BEGIN
                    RAISE NOTICE 'seen %', $1;
                    RETURN true;
                END
                $$;
                SELECT count(*) FROM pg_stats WHERE pg_temp.leak(schemaname || ' ' || coalesce(most_common_vals::text, ''));
                SELECT count(*) FROM pg_catalog.pg_stats WHERE schemaname = 'site_b' AND pg_temp.leak(coalesce(histogram_bounds::text, ''))
                """, connection);
            await probe.ExecuteNonQueryAsync(Cancel);

            Assert.NotEmpty(told);
            Assert.DoesNotContain(told, notice => notice.StartsWith("seen site_b", StringComparison.Ordinal) || notice.Contains(Secret, StringComparison.Ordinal));
        }
        finally
        {
            await Roles.Database.ExecuteAsync($"REVOKE TEMPORARY ON DATABASE {Roles.Database.Name} FROM {sites.Reader}");
        }
    }

    [Theory]
    [InlineData("writer")]
    [InlineData("reader")]
    [InlineData("maintainer")]
    public async Task Sessions_of_others_are_neither_seen_nor_ended(string part)
    {
        await using var other = await Roles.As(sites.OtherWriter, TwoSites.First).OpenConnectionAsync(Cancel);
        await using (var query = new NpgsqlCommand($"SELECT '{Secret}'", other))
            await query.ExecuteNonQueryAsync(Cancel);

        Assert.Equal("<insufficient privilege>", await Roles.ScalarAsync<string>(
            sites.LoginOf(part), TwoSites.First, $"SELECT query FROM pg_stat_activity WHERE pid = {other.ProcessID}"));
        await Roles.RefusedAsync(sites.LoginOf(part), TwoSites.First, $"SELECT pg_terminate_backend({other.ProcessID})");
    }

    [Fact]
    public async Task Trail_of_a_device_survives_a_writer()
    {
        await Roles.RunAsync(sites.Writer, TwoSites.First,
            "INSERT INTO connections (src_mac, dst_ip, dst_port, threat_score) VALUES ('02:00:5e:00:0d:01', '192.0.2.1', 443, 9)");
        const string trail = "SELECT string_agg(event_type, ',' ORDER BY id) FROM device_events WHERE device_mac = '02:00:5e:00:0d:01'";
        Assert.Equal("discovered,active,threat_detected", await Roles.ScalarAsync<string>(sites.Reader, TwoSites.First, trail));

        foreach (var attempt in (string[])
            [
                "DELETE FROM devices WHERE mac_address = '02:00:5e:00:0d:01'",
                "WITH d AS (DELETE FROM device_events RETURNING 1) SELECT count(*) FROM d",
                "INSERT INTO device_events (device_mac, event_type) VALUES ('02:00:5e:00:0d:01', 'active') ON CONFLICT (id) DO UPDATE SET event_type = 'idle'",
                "COPY device_events FROM STDIN",
                "ALTER SEQUENCE device_events_id_seq RESTART",
            ])
        {
            await Roles.RefusedAsync(sites.Writer, TwoSites.First, attempt);
        }

        Assert.Equal("discovered,active,threat_detected", await Roles.ScalarAsync<string>(sites.Reader, TwoSites.First, trail));
    }
}
