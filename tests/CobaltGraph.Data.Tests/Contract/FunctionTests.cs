using CobaltGraph.Testing;
using Npgsql;

namespace CobaltGraph.Data.Tests.Contract;

// CONTRACT.md §2, rules 7, 8 and 10: what every function and trigger of ours is made like, and what it withstands.
public class FunctionTests(PostgresServerFixture server) : DatabaseTest(server)
{
    private static readonly string[] Immutable = ["address_lapse", "distinct_estimate", "threat_category_weight", "threat_threshold"];

    [Fact]
    public async Task Every_function_pins_a_search_path_that_ends_in_pg_temp()
        => Assert.Empty(await Texts("""
            SELECT proname FROM pg_proc
            WHERE pronamespace = quote_ident(current_schema())::regnamespace
              AND NOT coalesce(proconfig, '{}') @> ARRAY['search_path=' || quote_ident(current_schema()) || ', pg_temp']
            """));

    [Fact]
    public async Task Functions_that_write_are_security_definer_and_revoked_from_public()
        => Assert.Empty(await Texts("""
            SELECT proname FROM pg_proc
            WHERE pronamespace = quote_ident(current_schema())::regnamespace
              AND (NOT prosecdef OR has_function_privilege('public', oid, 'EXECUTE'))
              AND proname NOT IN ('devices_keep_times', 'device_events_refuse_change')
              AND provolatile = 'v'
            """));

    [Fact]
    public async Task Only_constants_and_arithmetic_may_be_called_by_everybody()
        => Assert.Equal(Immutable, await Texts("""
            SELECT proname FROM pg_proc
            WHERE pronamespace = quote_ident(current_schema())::regnamespace AND has_function_privilege('public', oid, 'EXECUTE')
            ORDER BY 1
            """));

    // Immutable, so that a query may use it where an index condition needs a constant.
    [Fact]
    public async Task Volatility_of_functions_is_as_meant()
        => Assert.Equal(Immutable, await Texts("""
            SELECT proname FROM pg_proc
            WHERE pronamespace = quote_ident(current_schema())::regnamespace AND provolatile = 'i'
            ORDER BY 1
            """));

    [Fact]
    public async Task Triggers_on_connections_are_statement_level()
        => Assert.Empty(await Texts(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = 'connections'::regclass AND NOT tgisinternal AND tgtype & 1 = 1"));

    [Fact]
    public async Task Everything_carries_a_comment()
        => Assert.Empty(await Texts("""
            SELECT 'relation ' || relname FROM pg_class
            WHERE relnamespace = quote_ident(current_schema())::regnamespace AND relkind IN ('r', 'p', 'v') AND NOT relispartition
              AND relname <> '__EFMigrationsHistory' AND obj_description(oid, 'pg_class') IS NULL
            UNION ALL
            SELECT 'function ' || proname FROM pg_proc
            WHERE pronamespace = quote_ident(current_schema())::regnamespace AND obj_description(oid, 'pg_proc') IS NULL
            """));

    [Fact]
    public async Task Ids_come_from_sequences()
        => Assert.Equal(
            ["connections.id", "device_events.id"],
            await Texts("""
                SELECT attrelid::regclass || '.' || attname FROM pg_attribute
                WHERE attrelid IN ('connections'::regclass, 'device_events'::regclass) AND attname = 'id' AND attidentity = ''
                  AND pg_get_serial_sequence(attrelid::regclass::text, attname) IS NOT NULL ORDER BY 1
                """));

    // A writer that owns temporary tables of our names must not divert what the triggers write.
    [Fact]
    public async Task Temporary_tables_cannot_stand_in_for_ours()
    {
        var role = await CreateRole("GRANT INSERT ON connections TO {0}; GRANT USAGE ON SEQUENCE connections_id_seq TO {0}");
        await using (var writer = NpgsqlDataSource.Create(Database.ConnectionStringWith(c => c.Username = c.Password = role)))
        {
            await using var attack = writer.CreateCommand("""
                CREATE TEMP TABLE device_events (LIKE device_events);
                CREATE TEMP TABLE device_destinations (src_mac macaddr, dst_ip inet, PRIMARY KEY (src_mac, dst_ip));
                CREATE TEMP TABLE devices (mac_address macaddr PRIMARY KEY);
                INSERT INTO connections (src_mac, dst_ip, dst_port, threat_score) VALUES ('02:00:5e:00:00:01', '192.0.2.1', 443, 9)
                """.Replace("(LIKE device_events)", "(id bigserial, device_mac macaddr, event_type text, new_value text)", StringComparison.Ordinal));
            await attack.ExecuteNonQueryAsync(Cancel);
        }

        Assert.Equal(3, await Count("device_events"));
        Assert.Equal(1, await Count("device_destinations WHERE threat_count = 1"));
        Assert.Equal(1, await Count("devices WHERE threat_count = 1"));
        await DropRole(role);
    }

    [Fact]
    public async Task Writer_needs_no_more_than_insert_on_connections()
    {
        var role = await CreateRole("GRANT INSERT ON connections TO {0}; GRANT USAGE ON SEQUENCE connections_id_seq TO {0}");
        await using (var writer = NpgsqlDataSource.Create(Database.ConnectionStringWith(c => c.Username = c.Password = role)))
        {
            await Do("COPY connections (src_mac, dst_ip, dst_port) FROM PROGRAM 'true'", PostgresErrorCodes.InsufficientPrivilege);
            await Do("INSERT INTO connections (src_mac, dst_ip, dst_port) VALUES ('02:00:5e:00:00:01', '192.0.2.1', 443)", null);
            await Do("UPDATE devices SET connection_count = 999999", PostgresErrorCodes.InsufficientPrivilege);
            await Do("UPDATE device_destinations SET connection_count = 999999", PostgresErrorCodes.InsufficientPrivilege);
            await Do("INSERT INTO device_events (device_mac, event_type) VALUES ('02:00:5e:00:00:01', 'idle')", PostgresErrorCodes.InsufficientPrivilege);
            await Do("SELECT sweep_device_status()", PostgresErrorCodes.InsufficientPrivilege);
            await Do("SELECT ensure_connection_partitions(now(), now())", PostgresErrorCodes.InsufficientPrivilege);
            await Do("SELECT drop_connection_partitions(now())", PostgresErrorCodes.InsufficientPrivilege);

            async Task Do(string sql, string? sqlState)
            {
                await using var command = writer.CreateCommand(sql);
                var error = await Record.ExceptionAsync(() => command.ExecuteNonQueryAsync(Cancel));
                Assert.Equal(sqlState, (error as PostgresException)?.SqlState);
            }
        }

        Assert.Equal(["1"], await Texts("SELECT connection_count::text FROM devices"));
        await DropRole(role);
    }

    // On servers before 15 everybody may create objects in public. One that fits the argument types exactly is preferred
    // to a polymorphic function, or to an operator that needs a cast, of pg_catalog; ours would run it as their owner.
    [Fact]
    public async Task Functions_and_operators_of_a_writer_cannot_stand_in_for_those_of_the_server()
    {
        var role = await CreateRole("GRANT CREATE ON SCHEMA public TO {0}; GRANT INSERT ON connections TO {0}; GRANT USAGE ON SEQUENCE connections_id_seq TO {0}");
        await using (var writer = NpgsqlDataSource.Create(Database.ConnectionStringWith(c => c.Username = c.Password = role)))
        {
            await using var attack = writer.CreateCommand($"""
                SET search_path = public;
                {Trap("cardinality", "macaddr[]", "integer")}
                {Trap("format", "text, text", "text")}
                {Trap("format", "text, text, text", "text")}
                {Trap("jsonb_build_object", "text, text, text, varchar, text, varchar", "jsonb")}
                {Trap("trap_sum", "bigint, macaddr", "bigint")}
                CREATE AGGREGATE array_agg(macaddr) (SFUNC = trap_sum, STYPE = bigint);
                {Trap("trap_sum", "bigint, text", "bigint")}
                CREATE AGGREGATE array_agg(text) (SFUNC = trap_sum, STYPE = bigint);
                {Trap("unnest", "text[]", "SETOF text")}
                {Trap("format", "text, regclass", "text")}
                {Trap("trap_op", "varchar, varchar", "boolean")}
                {Trap("trap_op", "varchar, text", "boolean")}
                {Trap("trap_op", "oid, regclass", "boolean")}
                {Trap("trap_op", "oid, integer", "boolean")}
                CREATE OPERATOR = (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = trap_op);
                CREATE OPERATOR <> (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = trap_op);
                CREATE OPERATOR = (LEFTARG = varchar, RIGHTARG = text, FUNCTION = trap_op);
                CREATE OPERATOR <> (LEFTARG = varchar, RIGHTARG = text, FUNCTION = trap_op);
                CREATE OPERATOR = (LEFTARG = oid, RIGHTARG = regclass, FUNCTION = trap_op);
                CREATE OPERATOR = (LEFTARG = oid, RIGHTARG = integer, FUNCTION = trap_op);
                INSERT INTO connections (src_mac, dst_ip, dst_port, threat_score) VALUES ('02:00:5e:00:00:01', '192.0.2.1', 443, 9)
                """);
            await attack.ExecuteNonQueryAsync(Cancel);
        }

        await Run("""
            SET search_path = pg_catalog, public;
            UPDATE connections SET dst_org = 'Example';
            SELECT sweep_device_status(now() + interval '2 hours');
            SELECT ensure_connection_partitions('2031-01-01', '2031-02-01');
            SELECT ensure_connection_partitions('2020-01-01', '2020-02-01');
            SELECT drop_connection_partitions(now());
            UPDATE devices SET ip_address = '192.0.2.1';
            DELETE FROM devices;
            INSERT INTO devices (mac_address) VALUES ('02:00:5e:00:00:02');
            TRUNCATE devices CASCADE
            """);

        Assert.Equal(
            ["discovered", "active", "threat_detected", "offline", "ip_changed", "removed", "discovered", "removed"],
            await Texts("SELECT event_type FROM device_events ORDER BY id"));
        await DropRole(role);

        static string Trap(string name, string arguments, string result) => $"""
            CREATE FUNCTION {name}({arguments}) RETURNS {result} LANGUAGE plpgsql AS $trap$ BEGIN
                RAISE EXCEPTION '{name}({arguments}) ran as %', current_user; END $trap$;
            """;
    }

    private async Task<string> CreateRole(string grants)
    {
        var role = $"role_{Guid.NewGuid():N}";
        await Run($"CREATE ROLE {role} LOGIN PASSWORD '{role}'; GRANT USAGE ON SCHEMA public TO {role}; {grants.Replace("{0}", role, StringComparison.Ordinal)}");
        return role;
    }

    private Task<int> DropRole(string role) => Run($"DROP OWNED BY {role}; DROP ROLE {role}");
}
