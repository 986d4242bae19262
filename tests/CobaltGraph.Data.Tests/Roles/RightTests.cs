using CobaltGraph.Data.Schema;
using CobaltGraph.Testing;
using Npgsql;

namespace CobaltGraph.Data.Tests.Roles;

// Every login tries what it must and what it must not be able to do.
public sealed class RightTests(TwoSites sites) : IClassFixture<TwoSites>
{
    private RolesDatabase Roles => sites.Roles;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("INSERT INTO connections (src_mac, dst_ip, dst_port) VALUES ('02:00:5e:00:00:01', '192.0.2.1', 443)")]
    [InlineData("INSERT INTO connections (src_mac, dst_ip, dst_port, threat_score) VALUES ('02:00:5e:00:00:01', '192.0.2.1', 443, 9) RETURNING id")]
    [InlineData("INSERT INTO connections (\"timestamp\", dst_ip, dst_port) VALUES ('1999-01-01', '192.0.2.1', 443)")]
    [InlineData("UPDATE connections SET dst_country = 'DE', dst_lat = 1, dst_lon = 1, dst_org = 'o', dst_hostname = 'h', metadata = '{}'")]
    [InlineData("SELECT * FROM merge_device_sightings(ARRAY['02:00:5e:00:00:02']::macaddr[], ARRAY['192.0.2.2']::inet[], ARRAY['printer'], NULL, NULL, NULL, ARRAY['dhcp'])")]
    [InlineData("SELECT * FROM merge_sightings_with_metadata(ARRAY['02:00:5e:00:00:02']::macaddr[], NULL, NULL, NULL, NULL, NULL, NULL, ARRAY['{\"notes\": \"n\"}']::jsonb[], ARRAY[1]::real[])")]
    [InlineData("UPDATE devices SET device_type = 'iot', vendor = 'v', hostname = 'h', confidence_score = 1, metadata = '{\"notes\": \"n\"}'")]
    [InlineData("INSERT INTO device_events (device_mac, event_type, new_value) VALUES ('02:00:5e:00:00:01', 'removed', 'by hand')")]
    public Task Writer_may(string sql)
        => Roles.TryAsync(sites.Writer, TwoSites.First, $"""
            INSERT INTO connections (src_mac, dst_ip, dst_port) VALUES ('02:00:5e:00:00:09', '192.0.2.9', 443);
            {sql}
            """);

    [Theory]
    // counters, times and status
    [InlineData("UPDATE devices SET connection_count = 999999")]
    [InlineData("UPDATE devices SET threat_count = 0")]
    [InlineData("UPDATE devices SET threat_score = 0")]
    [InlineData("UPDATE devices SET unique_destinations = 0")]
    [InlineData("UPDATE connections SET threat_category = NULL")]
    [InlineData("UPDATE devices SET max_threat_score = 0")]
    [InlineData("UPDATE devices SET last_threat = NULL")]
    [InlineData("UPDATE devices SET status = 'offline'")]
    [InlineData("UPDATE devices SET first_seen = now()")]
    [InlineData("UPDATE devices SET last_seen = now()")]
    [InlineData("UPDATE devices SET last_activity = now()")]
    [InlineData("UPDATE devices SET ip_address = '192.0.2.66'")]
    [InlineData("UPDATE devices SET mac_address = '02:00:5e:00:00:66'")]
    [InlineData("INSERT INTO devices (mac_address) VALUES ('02:00:5e:00:00:66')")]
    [InlineData("DELETE FROM devices")]
    [InlineData("TRUNCATE devices CASCADE")]
    // connections and what follows from them
    [InlineData("INSERT INTO connections (id, dst_ip, dst_port) VALUES (1, '192.0.2.1', 443)")]
    [InlineData("INSERT INTO connections_default (dst_ip, dst_port) VALUES ('192.0.2.1', 443)")]
    [InlineData("UPDATE connections SET bytes_sent = 0")]
    [InlineData("UPDATE connections SET threat_score = 0")]
    [InlineData("UPDATE connections SET src_mac = NULL")]
    [InlineData("UPDATE connections_default SET dst_country = 'DE'")]
    [InlineData("DELETE FROM connections")]
    [InlineData("TRUNCATE connections")]
    [InlineData("SELECT setval('connections_id_seq', 1)")]
    [InlineData("INSERT INTO device_destinations SELECT * FROM device_destinations")]
    [InlineData("UPDATE device_destinations SET threat_count = 0")]
    [InlineData("DELETE FROM device_activity_hourly")]
    [InlineData("UPDATE device_threat_counts SET connection_count = 0")]
    [InlineData("DELETE FROM device_addresses")]
    [InlineData("UPDATE device_sightings SET ipv4 = NULL")]
    [InlineData("DELETE FROM destinations")]
    // the trail
    [InlineData("UPDATE device_events SET new_value = 'x'")]
    [InlineData("DELETE FROM device_events")]
    [InlineData("TRUNCATE device_events")]
    [InlineData("INSERT INTO device_events (\"timestamp\", device_mac, event_type) VALUES ('2020-01-01', '02:00:5e:00:00:01', 'active')")]
    [InlineData("INSERT INTO device_events (id, device_mac, event_type) VALUES (1, '02:00:5e:00:00:01', 'active')")]
    [InlineData("SELECT setval('device_events_id_seq', 1)")]
    // the ledger
    [InlineData("DELETE FROM ingest_batches")]
    [InlineData("UPDATE ingest_batches SET batch_key = 'x'")]
    [InlineData("UPDATE ingest_batches SET content_hash = NULL")]
    [InlineData("ALTER TABLE ingest_batches DISABLE ROW LEVEL SECURITY")]
    [InlineData("DROP POLICY ingest_batches_claim ON ingest_batches")]
    [InlineData("SET row_security = off; SELECT * FROM ingest_batches")]
    // functions that are for others
    [InlineData("SELECT sweep_device_status()")]
    [InlineData("SELECT ensure_connection_partitions(now(), now())")]
    [InlineData("SELECT drop_connection_partitions(now())")]
    [InlineData("SELECT ensure_text_search()")]
    [InlineData("SELECT record_addresses(ARRAY['02:00:5e:00:00:01']::macaddr[], ARRAY['192.0.2.1']::inet[], 'traffic', ARRAY[now()], ARRAY[now()])")]
    [InlineData("SELECT connections_count()")]
    // the schema
    [InlineData("ALTER TABLE connections DISABLE TRIGGER connections_count")]
    [InlineData("ALTER TABLE device_events DISABLE TRIGGER ALL")]
    [InlineData("DROP TRIGGER device_events_refuse_change ON device_events")]
    [InlineData("CREATE TRIGGER t AFTER INSERT ON connections EXECUTE FUNCTION connections_count()")]
    [InlineData("CREATE OR REPLACE FUNCTION threat_threshold() RETURNS real LANGUAGE sql AS 'SELECT 99::real'")]
    [InlineData("ALTER TABLE connections ADD COLUMN x integer")]
    [InlineData("CREATE INDEX ON connections (dst_port)")]
    [InlineData("INSERT INTO \"__EFMigrationsHistory\" VALUES ('29990101000000_X', '1')")]
    [InlineData("LOCK TABLE devices IN ACCESS EXCLUSIVE MODE")]
    public async Task Writer_may_not(string sql)
        => await Roles.RefusedAsync(sites.Writer, TwoSites.First, sql);

    [Theory]
    [InlineData("reader")]
    [InlineData("writer")]
    public async Task Every_table_view_and_partition_of_the_site_can_be_read_by(string part)
    {
        foreach (var relation in await RelationsAsync(TwoSites.First))
            await Roles.TryAsync(sites.LoginOf(part), TwoSites.First, $"SELECT * FROM {relation}");
    }

    [Theory]
    [InlineData("INSERT INTO connections (dst_ip, dst_port) VALUES ('192.0.2.1', 443)")]
    [InlineData("UPDATE connections SET dst_country = 'DE'")]
    [InlineData("UPDATE devices SET metadata = '{}'")]
    [InlineData("UPDATE devices SET device_type = 'iot'")]
    [InlineData("DELETE FROM devices")]
    [InlineData("INSERT INTO device_events (device_mac, event_type) VALUES ('02:00:5e:00:00:01', 'active')")]
    [InlineData("INSERT INTO ingest_batches (source, batch_key) VALUES (session_user, 'k')")]
    [InlineData("SELECT merge_device_sightings(ARRAY['02:00:5e:00:00:02']::macaddr[], NULL, NULL, NULL, NULL, NULL, NULL)")]
    [InlineData("SELECT merge_sightings_with_metadata(ARRAY['02:00:5e:00:00:02']::macaddr[], NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)")]
    [InlineData("SELECT sweep_device_status()")]
    [InlineData("SELECT drop_connection_partitions(now())")]
    [InlineData("SELECT nextval('connections_id_seq')")]
    [InlineData("SELECT * FROM devices FOR UPDATE")]
    [InlineData("LOCK TABLE devices IN SHARE MODE")]
    public async Task Reader_may_not(string sql)
        => await Roles.RefusedAsync(sites.Reader, TwoSites.First, sql);

    [Fact]
    public async Task Maintainer_sweeps_and_makes_partitions_that_are_the_owners_and_the_readers()
    {
        await Roles.RunAsync(sites.Maintainer, TwoSites.First, """
            SELECT sweep_device_status();
            SELECT sweep_device_status(clock_timestamp());
            SELECT ensure_text_search();
            SELECT ensure_connection_partitions('2031-01-01Z', '2031-02-01Z')
            """);

        Assert.Equal(sites.FirstNames.Owner, await Roles.Database.ScalarAsync<string>(
            "SELECT pg_get_userbyid(relowner)::text FROM pg_class WHERE relname = 'connections_y2031m02'"));
        await Roles.TryAsync(sites.Reader, TwoSites.First, "SELECT * FROM connections_y2031m02");
        await Roles.RefusedAsync(sites.Writer, TwoSites.First, "INSERT INTO connections_y2031m02 (dst_ip, dst_port) VALUES ('192.0.2.1', 1)");
        await Roles.TryAsync(sites.Writer, TwoSites.First,
            "INSERT INTO connections (\"timestamp\", dst_ip, dst_port) VALUES ('2031-02-03Z', '192.0.2.1', 1)");
    }

    [Fact]
    public async Task Maintainer_drops_what_is_past_of_its_own_site_and_the_writer_goes_on()
    {
        await Roles.RunAsync(sites.Migrator, TwoSites.Second, $"SET ROLE {sites.SecondNames.Owner}; SELECT ensure_connection_partitions('2001-01-01Z', '2001-01-31Z')");
        await Roles.RunAsync(sites.Maintainer, TwoSites.First, "SELECT ensure_connection_partitions('2001-01-01Z', '2001-02-01Z')");
        await Roles.RunAsync(sites.Writer, TwoSites.First,
            "INSERT INTO connections (\"timestamp\", src_mac, dst_ip, dst_port) VALUES ('2001-01-05Z', '02:00:5e:00:20:01', '192.0.2.1', 1)");

        Assert.Equal("connections_y2001m01", await Roles.ScalarAsync<string>(
            sites.Maintainer, TwoSites.First, "SELECT string_agg(name, ' ') FROM drop_connection_partitions('2001-02-01Z') AS name"));

        await Roles.RunAsync(sites.Writer, TwoSites.First,
            "INSERT INTO connections (\"timestamp\", src_mac, dst_ip, dst_port) VALUES ('2001-02-05Z', '02:00:5e:00:20:01', '192.0.2.1', 1)");
        Assert.Equal("2 1", await Roles.ScalarAsync<string>(sites.Reader, TwoSites.First, """
            SELECT concat_ws(' ', connection_count, (SELECT count(*) FROM connections WHERE src_mac = mac_address))
            FROM devices WHERE mac_address = '02:00:5e:00:20:01'
            """));
        Assert.Equal(1, await Roles.Database.ScalarAsync<long>("SELECT count(*) FROM pg_class WHERE relname = 'connections_y2001m01'"));
    }

    [Fact]
    public async Task Maintainer_reads_which_migrations_there_are_and_nothing_else()
    {
        foreach (var relation in await RelationsAsync(TwoSites.First))
        {
            if (relation.Contains("__EFMigrationsHistory", StringComparison.Ordinal))
                await Roles.TryAsync(sites.Maintainer, TwoSites.First, $"SELECT * FROM {relation}");
            else
                await Roles.RefusedAsync(sites.Maintainer, TwoSites.First, $"SELECT * FROM {relation}");
        }
    }

    [Theory]
    [InlineData("INSERT INTO connections (dst_ip, dst_port) VALUES ('192.0.2.1', 443)")]
    [InlineData("INSERT INTO \"__EFMigrationsHistory\" VALUES ('29990101000000_X', '1')")]
    [InlineData("DROP TABLE connections_default")]
    [InlineData("SELECT ensure_connection_partitions('2001-03-01Z', '2001-03-01Z'); DROP TABLE connections_y2001m03")]
    [InlineData("ALTER TABLE connections DETACH PARTITION connections_default")]
    [InlineData("TRUNCATE device_events")]
    [InlineData("SELECT sweep_device_status(now() + interval '1 day')")]
    [InlineData("SELECT sweep_device_status('1999-01-01Z')")]
    [InlineData("SELECT merge_device_sightings(ARRAY['02:00:5e:00:00:02']::macaddr[], NULL, NULL, NULL, NULL, NULL, NULL)")]
    [InlineData("SELECT merge_sightings_with_metadata(ARRAY['02:00:5e:00:00:02']::macaddr[], NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)")]
    public async Task Maintainer_may_not(string sql)
        => await Roles.RefusedAsync(sites.Maintainer, TwoSites.First, sql);

    [Fact]
    public async Task Maintainer_cannot_migrate()
    {
        var error = await Assert.ThrowsAsync<PostgresException>(() => Roles.MigrateAsync(sites.Maintainer, TwoSites.First, "0"));

        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, error.SqlState);
    }

    public static MatrixTheoryData<string, string> Refused { get; } = new(
        ["writer", "reader", "maintainer"],
        [
            "CREATE TABLE x (i integer)",
            "CREATE TEMPORARY TABLE x (i integer)",
            "CREATE SCHEMA x",
            "CREATE FUNCTION now() RETURNS timestamptz LANGUAGE sql AS 'SELECT NULL::timestamptz'",
            "CREATE OPERATOR + (FUNCTION = int4pl, LEFTARG = integer, RIGHTARG = integer)",
            "CREATE ROLE x",
            "CREATE DATABASE x",
            "SET session_replication_role = replica",
            "SET log_statement = 'none'",
            "COPY (SELECT 1) TO PROGRAM 'true'",
            "SELECT pg_read_file('PG_VERSION')",
            "SELECT rolpassword FROM pg_authid",
            "ALTER SCHEMA site_b RENAME TO x",
            "ALTER DEFAULT PRIVILEGES FOR ROLE postgres GRANT ALL ON TABLES TO PUBLIC",
        ]);

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task Nobody_but_the_owner_may(string part, string sql)
    {
        // CREATE DATABASE wants no transaction, and is refused before it is missed.
        await using var command = Roles.As(sites.LoginOf(part), TwoSites.First).CreateCommand(sql);
        var error = await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync(Cancel));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, error.SqlState);
    }

    [Theory]
    [InlineData("writer")]
    [InlineData("reader")]
    [InlineData("maintainer")]
    public async Task Nobody_becomes_the_owner_or_more(string part)
    {
        foreach (var role in (string[])[sites.FirstNames.Owner, sites.SecondNames.Reader, sites.Migrator, Roles.Dba])
            await Roles.RefusedAsync(sites.LoginOf(part), TwoSites.First, $"SET ROLE {role}");
        await Roles.RefusedAsync(sites.LoginOf(part), TwoSites.First, $"ALTER ROLE {sites.LoginOf(part)} SUPERUSER");
        await Roles.RefusedAsync(
            sites.LoginOf(part), TwoSites.First, $"GRANT {sites.FirstNames.Owner} TO {sites.LoginOf(part)}");
    }

    [Fact]
    public async Task Owner_cannot_log_in()
    {
        await Roles.Database.ExecuteAsync($"ALTER ROLE {sites.FirstNames.Owner} PASSWORD '{RolesDatabase.Password}'");

        var error = await Assert.ThrowsAsync<PostgresException>(
            () => Roles.RunAsync(sites.FirstNames.Owner, TwoSites.First, "SELECT 1"));

        Assert.Equal(PostgresErrorCodes.InvalidAuthorizationSpecification, error.SqlState);
    }

    [Fact]
    public async Task Roles_have_no_attribute_and_no_setting_that_goes_round_triggers()
    {
        Assert.Equal(0, await Roles.Database.ScalarAsync<long>($"""
            SELECT count(*) FROM pg_roles
            WHERE rolname IN ('{string.Join("', '", sites.FirstNames.All)}')
              AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls OR rolcanlogin)
            """));
        if ((await Roles.Database.ScalarAsync<int>("SELECT current_setting('server_version_num')::integer")) >= 150000)
        {
            foreach (var login in (string[])[sites.Writer, sites.Reader, sites.Maintainer, sites.Migrator])
                Assert.False(await Roles.ScalarAsync<bool>(
                    login, TwoSites.First, "SELECT has_parameter_privilege('session_replication_role', 'SET')"));
        }
    }

    [Fact]
    public async Task Everything_in_the_schema_is_the_owners()
        => Assert.Equal(0, await Roles.Database.ScalarAsync<long>($"""
            SELECT count(*) FROM (
                SELECT relowner AS owner FROM pg_class WHERE relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname = '{TwoSites.First}')
                UNION ALL
                SELECT proowner FROM pg_proc WHERE pronamespace IN (SELECT oid FROM pg_namespace WHERE nspname = '{TwoSites.First}')
            ) AS o
            WHERE pg_get_userbyid(o.owner) <> '{sites.FirstNames.Owner}'
            """));

    [Fact]
    public async Task Everybody_has_nothing()
        => Assert.DoesNotContain(
            await Roles.RightsAsync(TwoSites.First, sites.FirstNames),
            right => right.StartsWith(RightsMatrix.Everybody, StringComparison.Ordinal));

    private async Task<string[]> RelationsAsync(string schema)
        => [.. (await Roles.Database.QueryAsync($"""
            SELECT format('%I.%I', n.nspname, c.relname)
            FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE n.nspname = '{schema}' AND c.relkind IN ('r', 'p', 'v')
            """)).Select(row => (string)row[0]!)];
}
