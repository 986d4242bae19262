using CobaltGraph.Data.Schema;
using CobaltGraph.Testing;
using Npgsql;

namespace CobaltGraph.Data.Tests.Roles;

// Migrations.Sql/roles.sql: run before and after, twice, by whom, over what, and what it refuses.
public sealed class RolesScriptTests(PostgresServerFixture server) : IAsyncLifetime
{
    private const string Site = "site";

    private RolesDatabase _roles = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _roles = await RolesDatabase.CreateAsync(server);

    public ValueTask DisposeAsync() => _roles.DisposeAsync();

    [Fact]
    public async Task Second_run_changes_nothing_and_takes_back_what_was_granted_otherwise()
    {
        var names = _roles.NamesFor(Site);
        await _roles.ApplyAsync(Site, names);
        var deploy = await _roles.LoginAsync(_roles.Named("deploy"), names.Owner);
        await _roles.MigrateAsync(deploy, Site);
        var first = await _roles.RightsAsync(Site, names);

        await _roles.ApplyAsync(Site, names);
        Assert.Equal(first, await _roles.RightsAsync(Site, names));

        await _roles.Database.ExecuteAsync($"""
            SET search_path = site;
            GRANT ALL ON ALL TABLES IN SCHEMA site TO PUBLIC;
            GRANT ALL ON ALL SEQUENCES IN SCHEMA site TO {names.Reader};
            GRANT ALL ON ALL FUNCTIONS IN SCHEMA site TO {names.Maintainer};
            GRANT UPDATE (connection_count) ON devices TO {names.Writer};
            GRANT CREATE ON SCHEMA site TO PUBLIC;
            ALTER TABLE ingest_batches DISABLE ROW LEVEL SECURITY;
            DROP POLICY ingest_batches_claim ON ingest_batches;
            CREATE POLICY every_source ON ingest_batches FOR INSERT TO {names.Writer} WITH CHECK (true);
            REVOKE SELECT ON connections FROM {names.Reader};
            GRANT TEMPORARY ON DATABASE {_roles.Database.Name} TO PUBLIC
            """);
        Assert.NotEqual(first, await _roles.RightsAsync(Site, names));
        await _roles.ApplyAsync(Site, names);

        Assert.Equal(first, await _roles.RightsAsync(Site, names));
        Assert.Equal(3, await _roles.Database.ScalarAsync<long>(
            "SELECT count(*) FROM pg_policy AS p JOIN pg_class AS c ON c.oid = p.polrelid WHERE c.relrowsecurity AND c.relname = 'ingest_batches'"));
    }

    // What a person has who used CobaltGraph without roles: one login owns and does everything.
    [Fact]
    public async Task Site_in_use_without_roles_becomes_the_owners()
    {
        var alone = await _roles.LoginAsync(_roles.Named("alone"));
        await _roles.RunAsync(_roles.Dba, Site, $"GRANT CREATE ON DATABASE {_roles.Database.Name} TO {alone}");
        await _roles.MigrateAsync(alone, Site);
        await _roles.RunAsync(alone, Site, "INSERT INTO connections (src_mac, dst_ip, dst_port) VALUES ('02:00:5e:00:00:01', '192.0.2.1', 443)");
        var names = _roles.NamesFor(Site);
        await _roles.RunAsync(_roles.Dba, Site, $"GRANT {alone} TO {_roles.Dba}");

        await _roles.ApplyAsync(Site, names);

        Assert.Equal([names.Owner], (await _roles.Database.QueryAsync("""
            SELECT DISTINCT pg_get_userbyid(owner)::text FROM (
                SELECT relowner AS owner FROM pg_class WHERE relnamespace = 'site'::regnamespace
                UNION ALL SELECT proowner FROM pg_proc WHERE pronamespace = 'site'::regnamespace
                UNION ALL SELECT nspowner FROM pg_namespace WHERE nspname = 'site') AS o
            """)).Select(row => (string)row[0]!));
        var writer = await _roles.LoginAsync(_roles.Named("edge"), names.Writer);
        await _roles.RunAsync(writer, Site, "INSERT INTO connections (src_mac, dst_ip, dst_port) VALUES ('02:00:5e:00:00:01', '192.0.2.1', 443)");
        Assert.Equal(2, await _roles.ScalarAsync<long>(writer, Site, "SELECT connection_count FROM devices"));
        // The login of before has no right left, and no migration of its own to run.
        await _roles.RefusedAsync(alone, Site, "SELECT * FROM site.devices");
    }

    [Fact]
    public async Task Superuser_makes_the_roles_of_a_migrated_database()
    {
        await using var migrated = await RolesDatabase.CreateAsync(server, migrated: true);
        var names = migrated.NamesFor(Site);
        var schema = (await migrated.Database.ScalarAsync<string>("SELECT current_schema()::text"))!;
        await using (var connection = await migrated.Database.DataSource.OpenConnectionAsync(Cancel))
            await RolesScript.ApplyAsync(connection, schema, names, Cancel);

        var writer = await LoginOfSuperuserAsync(migrated, names.Writer);
        await migrated.RunAsync(writer, schema, "INSERT INTO connections (src_mac, dst_ip, dst_port) VALUES ('02:00:5e:00:00:01', '192.0.2.1', 443)");
        Assert.DoesNotContain(
            await migrated.RightsAsync(schema, names), right => right.StartsWith(RightsMatrix.Everybody, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Migration_grants_anew_what_it_makes()
    {
        var names = _roles.NamesFor(Site);
        await _roles.ApplyAsync(Site, names);
        var deploy = await _roles.LoginAsync(_roles.Named("deploy"), names.Owner);
        var writer = await _roles.LoginAsync(_roles.Named("edge"), names.Writer);
        const string insert = "INSERT INTO connections (src_mac, dst_ip, dst_port) VALUES ('02:00:5e:00:00:01', '192.0.2.1', 443)";

        await _roles.MigrateAsync(deploy, Site, "DeviceInventory");
        await _roles.RunAsync(writer, Site, insert);
        await _roles.MigrateAsync(deploy, Site);
        await _roles.RunAsync(writer, Site, insert + "; SELECT * FROM device_threats");

        Assert.Equal("none", await _roles.ScalarAsync<string>(deploy, Site, "SELECT current_setting('role')"));
        await _roles.MigrateAsync(deploy, Site, "0");
        await _roles.MigrateAsync(deploy, Site);
        await _roles.RunAsync(writer, Site, insert);
    }

    // As a backup does, which would keep all ingest waiting behind whoever waits for it.
    [Fact]
    public async Task Renewing_the_rights_waits_for_nobody_who_reads()
    {
        var names = _roles.NamesFor(Site);
        await _roles.ApplyAsync(Site, names);
        var deploy = await _roles.LoginAsync(_roles.Named("deploy"), names.Owner);
        await _roles.MigrateAsync(deploy, Site);
        await _roles.Database.ExecuteAsync($"REVOKE ALL ON site.connections FROM {names.Writer}");
        await using var backup = await _roles.Database.DataSource.OpenConnectionAsync(Cancel);
        await using (var read = new NpgsqlCommand("BEGIN; LOCK TABLE site.ingest_batches, site.connections, site.devices IN ACCESS SHARE MODE", backup))
            await read.ExecuteNonQueryAsync(Cancel);
        var policies = "SELECT string_agg(oid::text, ',') FROM pg_policy";
        var before = await _roles.Database.ScalarAsync<string>(policies);

        await new SchemaMigrator(_roles.As(deploy, Site)).MigrateAsync(null, [], TimeSpan.FromMinutes(1), _ => { }, _ => { }, Cancel);
        await _roles.ApplyAsync(Site, names);

        Assert.Equal(before, await _roles.Database.ScalarAsync<string>(policies));
        Assert.True(await _roles.Database.ScalarAsync<bool>($"SELECT has_column_privilege('{names.Writer}', 'site.connections', 'dst_ip', 'INSERT')"));
    }

    [Fact]
    public async Task Policy_that_was_altered_is_made_anew()
    {
        var names = _roles.NamesFor(Site);
        await _roles.ApplyAsync(Site, names);
        await _roles.MigrateAsync(await _roles.LoginAsync(_roles.Named("deploy"), names.Owner), Site);
        await _roles.Database.ExecuteAsync("ALTER POLICY ingest_batches_claim ON site.ingest_batches WITH CHECK (true)");

        await _roles.ApplyAsync(Site, names);

        Assert.Contains(
            "SESSION_USER",
            await _roles.Database.ScalarAsync<string>("SELECT pg_get_expr(polwithcheck, polrelid) FROM pg_policy WHERE polname = 'ingest_batches_claim'"),
            StringComparison.OrdinalIgnoreCase);
    }

    // Where everybody may create objects, as in public before PostgreSQL 15.
    [Theory]
    [InlineData("CREATE FUNCTION site.take() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'", "site.take()")]
    [InlineData("CREATE VIEW site.peek AS SELECT 1 AS one", "site.peek")]
    [InlineData("CREATE OPERATOR site.= (LEFTARG = text, RIGHTARG = name, FUNCTION = pg_catalog.texteqname)", "site.=(text,name)")]
    [InlineData("CREATE TYPE site.mood AS ENUM ('calm')", "site.mood")]
    [InlineData("CREATE DOMAIN site.moods AS text[]", "site.moods")]
    [InlineData("CREATE COLLATION site.spelling FROM \"C\"", "collation spelling")]
    public async Task What_a_stranger_has_made_does_not_become_the_owners(string statement, string name)
    {
        var names = _roles.NamesFor(Site);
        await _roles.RunAsync(_roles.Dba, "public", "CREATE SCHEMA site");
        var stranger = await _roles.LoginAsync(_roles.Named("stranger"));
        await _roles.RunAsync(_roles.Dba, Site, $"GRANT USAGE, CREATE ON SCHEMA site TO {stranger}");
        await _roles.RunAsync(stranger, Site, statement);

        var error = await Assert.ThrowsAsync<PostgresException>(() => _roles.ApplyAsync(Site, names));

        Assert.Contains($"{name} of \"{stranger}\"", error.MessageText, StringComparison.Ordinal);
    }

    // It was stopped before it granted, or waited in vain for a lock.
    [Fact]
    public async Task Migrator_grants_what_a_migration_has_left_ungranted()
    {
        var names = _roles.NamesFor(Site);
        await _roles.ApplyAsync(Site, names);
        var deploy = await _roles.LoginAsync(_roles.Named("deploy"), names.Owner);
        await _roles.MigrateAsync(deploy, Site);
        var granted = await _roles.RightsAsync(Site, names);
        await _roles.Database.ExecuteAsync($"""
            REVOKE ALL ON site.connections FROM {names.Writer};
            REVOKE ALL ON FUNCTION site.drop_connection_partitions(timestamptz) FROM {names.Maintainer}
            """);
        Assert.NotEqual(granted, await _roles.RightsAsync(Site, names));

        await new SchemaMigrator(_roles.As(deploy, Site)).MigrateAsync(null, [], TimeSpan.FromMinutes(1), _ => { }, _ => { }, Cancel);

        Assert.Equal(granted, await _roles.RightsAsync(Site, names));
    }

    // The triggers run as the owner, who then has no right on the schema.
    [Theory]
    [InlineData("ALTER SCHEMA site OWNER TO {dba}")]
    [InlineData("ALTER SCHEMA site OWNER TO CURRENT_USER")]
    [InlineData("GRANT USAGE ON SCHEMA site TO {writer} WITH GRANT OPTION")]
    [InlineData("REASSIGN OWNED BY {owner} TO {dba}")]
    public async Task Proof_sees_what_became_of_the_schemas_rights(string sabotage)
    {
        var names = _roles.NamesFor(Site);
        await _roles.ApplyAsync(Site, names);
        await _roles.MigrateAsync(await _roles.LoginAsync(_roles.Named("deploy"), names.Owner), Site);
        await using var source = NpgsqlDataSource.Create(_roles.Database.ConnectionStringWith(c => c.SearchPath = Site));
        Assert.Empty((await new SchemaProof(source).RunAsync(Cancel)).Differences);

        await _roles.Database.ExecuteAsync(sabotage
            .Replace("{dba}", _roles.Dba, StringComparison.Ordinal).Replace("{writer}", names.Writer, StringComparison.Ordinal)
            .Replace("{owner}", names.Owner, StringComparison.Ordinal));

        Assert.Contains((await new SchemaProof(source).RunAsync(Cancel)).Differences, difference => difference.Kind == "schema");
    }

    [Fact]
    public async Task Migrator_runs_as_the_owner_and_says_so_in_its_script()
    {
        var names = _roles.NamesFor(Site);
        await _roles.ApplyAsync(Site, names);
        var deploy = await _roles.LoginAsync(_roles.Named("deploy"), names.Owner);
        var migrator = new SchemaMigrator(_roles.As(deploy, Site));

        var state = await migrator.ReadStateAsync(Cancel);
        Assert.Contains($"SET ROLE \"{names.Owner}\";", await migrator.ScriptAsync(state, SchemaMigrator.Plan(state, null), Cancel), StringComparison.Ordinal);
        await migrator.MigrateAsync(null, [], TimeSpan.FromMinutes(1), _ => { }, _ => { }, Cancel);

        Assert.Equal(names.Owner, await _roles.Database.ScalarAsync<string>(
            "SELECT pg_get_userbyid(relowner)::text FROM pg_class WHERE oid = 'site.devices'::regclass"));
    }

    [Fact]
    public async Task Whoever_runs_it_is_no_member_of_the_owner_afterwards()
    {
        var names = _roles.NamesFor(Site);
        await _roles.ApplyAsync(Site, names);

        await _roles.RefusedAsync(_roles.Dba, "pg_catalog", $"SET ROLE {names.Owner}");
        Assert.Equal("none", await _roles.ScalarAsync<string>(_roles.Dba, Site, "SELECT current_setting('role')"));
    }

    [Fact]
    public async Task Names_are_remembered_and_otherwise_made_of_the_schemas()
    {
        var schema = _roles.Named("s \"x\"");
        await using var connection = await _roles.As(_roles.Dba, schema).OpenConnectionAsync(Cancel);
        await using var transaction = await connection.BeginTransactionAsync(Cancel);

        var (site, made) = await RolesScript.ResolveAsync(connection, schema, null, null, null, null, Cancel);
        Assert.Equal((schema, new RoleNames($"{schema}_owner", $"{schema}_writer", $"{schema}_reader", $"{schema}_maintainer")), (site, made));

        var other = made with { Reader = _roles.Named("a 'reader'") };
        await RolesScript.ApplyAsync(connection, schema, other, Cancel);
        Assert.Equal(other, await RolesScript.FindAsync(connection, schema, Cancel));
        Assert.Equal((schema, other), await RolesScript.ResolveAsync(connection, schema, null, null, null, null, Cancel));
    }

    [Fact]
    public async Task Site_without_roles_has_none()
    {
        await using var connection = await _roles.As(_roles.Dba, Site).OpenConnectionAsync(Cancel);

        Assert.Null(await RolesScript.FindAsync(connection, Site, Cancel));
        Assert.Null(await RolesScript.FindAsync(connection, "pg_catalog", Cancel));
    }

    [Fact]
    public async Task Grants_of_a_scratch_schema_are_taken_back_with_it()
    {
        var names = _roles.NamesFor(Site);
        await _roles.ApplyAsync(Site, names);
        await using var connection = await _roles.As(_roles.Dba, "scratch").OpenConnectionAsync(Cancel);
        await using (var transaction = await connection.BeginTransactionAsync(Cancel))
        {
            await using var create = new NpgsqlCommand("""
                CREATE SCHEMA scratch;
                CREATE TABLE devices (mac_address macaddr, metadata jsonb, connection_count bigint);
                CREATE TABLE ingest_batches (source text, committed_at timestamptz)
                """, connection);
            await create.ExecuteNonQueryAsync(Cancel);
            await RolesScript.GrantAsync(connection, "scratch", names, Cancel);

            var rights = await RightsMatrix.ReadAsync(connection, "scratch", [names.Writer], Cancel);
            Assert.Contains(new Right(names.Writer, "table", "devices", "UPDATE", "metadata"), rights);
            await using var path = new NpgsqlCommand("SELECT current_setting('search_path')", connection);
            Assert.Equal("\"scratch\"", await path.ExecuteScalarAsync(Cancel));
        }

        Assert.Equal(0, await _roles.Database.ScalarAsync<long>("SELECT count(*) FROM pg_namespace WHERE nspname = 'scratch'"));
        Assert.Equal(0, await _roles.Database.ScalarAsync<long>(
            $"SELECT count(*) FROM pg_default_acl WHERE pg_get_userbyid(defaclrole) = '{_roles.Dba}'"));
    }

    // A site of another database, whose schema has the same name.
    [Fact]
    public async Task Members_of_a_role_that_another_site_may_have_made_are_named()
    {
        var site = _roles.Named("site");
        var edge = await _roles.LoginAsync(_roles.Named("edge"));
        await _roles.RunAsync(_roles.Dba, "pg_catalog", $"CREATE ROLE {site}_writer; GRANT {site}_writer TO {edge}");

        var warnings = await WarningsAsync(connection => RolesScript.ResolveAsync(connection, site, null, null, null, null, Cancel));
        var said = Assert.Single(warnings);
        Assert.Contains($"\"{site}_writer\" existed already", said.MessageText, StringComparison.Ordinal);
        Assert.Contains(edge, said.MessageText, StringComparison.Ordinal);

        Assert.Empty(await WarningsAsync(connection => RolesScript.ResolveAsync(connection, site, null, $"{site}_writer", null, null, Cancel)));
    }

    [Fact]
    public async Task Whoever_else_may_create_in_the_schema_is_named()
    {
        var names = _roles.NamesFor(Site);
        var guest = await _roles.LoginAsync(_roles.Named("guest"));
        await _roles.RunAsync(_roles.Dba, "public", $"CREATE SCHEMA site; GRANT CREATE ON SCHEMA site TO {guest}");

        var warnings = await WarningsAsync(connection => RolesScript.ApplyAsync(connection, Site, names, Cancel));

        var said = Assert.Single(warnings, notice => notice.MessageText.Contains($"in schema \"site\": {guest}", StringComparison.Ordinal));
        await _roles.Database.ExecuteAsync(said.Hint!["Unless that is wanted: ".Length..]);
        Assert.DoesNotContain(
            await WarningsAsync(connection => RolesScript.ApplyAsync(connection, Site, names, Cancel)),
            notice => notice.MessageText.Contains(guest, StringComparison.Ordinal));
    }

    // On servers before 15 initdb gave it, and the roles' script took it away.
    [Fact]
    public async Task Proof_sees_that_everybody_may_create_again()
    {
        var names = _roles.NamesFor(Site);
        await _roles.Database.ExecuteAsync($"ALTER SCHEMA public OWNER TO {_roles.Dba}");
        await _roles.ApplyAsync("public", names);
        await _roles.MigrateAsync(await _roles.LoginAsync(_roles.Named("deploy"), names.Owner), "public");
        var proof = new SchemaProof(_roles.Database.DataSource);
        Assert.Empty((await proof.RunAsync(Cancel)).Differences);

        await _roles.Database.ExecuteAsync("GRANT CREATE ON SCHEMA public TO PUBLIC");

        var difference = Assert.Single((await proof.RunAsync(Cancel)).Differences);
        Assert.Equal(("schema", "grants to PUBLIC", "CREATE"), (difference.Kind, difference.Property, difference.Found));
    }

    [Fact]
    public async Task Database_of_another_keeps_its_rights_and_that_is_said()
    {
        await _roles.Database.ExecuteAsync($"""
            ALTER DATABASE {_roles.Database.Name} OWNER TO postgres;
            GRANT CREATE ON DATABASE {_roles.Database.Name} TO {_roles.Dba}
            """);
        var names = _roles.NamesFor(Site);
        var warnings = await WarningsAsync(connection => RolesScript.ApplyAsync(connection, Site, names, Cancel));

        var said = Assert.Single(warnings, notice => notice.MessageText.Contains("PUBLIC", StringComparison.Ordinal));
        // What is to be done is SQL that its owner can run.
        await _roles.Database.ExecuteAsync(said.Hint!["Have its owner run: ".Length..]);
        var reader = await LoginOfSuperuserAsync(_roles, names.Reader);
        Assert.False(await _roles.ScalarAsync<bool>(reader, Site, "SELECT has_database_privilege(current_database(), 'TEMPORARY')"));
    }

    [Theory]
    [InlineData("owner is a superuser", "has SUPERUSER")]
    [InlineData("owner logs in", "has LOGIN")]
    [InlineData("writer bypasses policies", "has BYPASSRLS")]
    [InlineData("two alike", "is named twice")]
    [InlineData("too long", "has 64 bytes, the server takes 63")]
    [InlineData("reader is a writer", "is a member of a role that may do more")]
    [InlineData("maintainer is an owner", "is a member of a role that may do more")]
    [InlineData("maintainer is a reader", "is a member of a role that may do more")]
    [InlineData("writer is a maintainer", "is a member of a role that may do more")]
    [InlineData("reader reads files", "is a member of a role that may do more: pg_read_server_files")]
    [InlineData("owner runs programs", "is a member of a role that may do more: pg_execute_server_program")]
    [InlineData("reserved", "reserved")]
    public async Task Names_that_would_give_more_are_refused(string what, string message)
    {
        var names = _roles.NamesFor(Site);
        switch (what)
        {
            case "owner is a superuser":
                await _roles.Database.ExecuteAsync($"CREATE ROLE {names.Owner} SUPERUSER");
                break;
            case "owner logs in":
                await _roles.Database.ExecuteAsync($"CREATE ROLE {names.Owner} LOGIN");
                break;
            case "writer bypasses policies":
                await _roles.Database.ExecuteAsync($"CREATE ROLE {names.Writer} BYPASSRLS");
                break;
            case "two alike":
                names = names with { Reader = names.Writer };
                break;
            case "too long":
                names = names with { Reader = _roles.Named("x").PadRight(62, 'x') + "é" };
                break;
            case "reader is a writer":
                await _roles.Database.ExecuteAsync($"CREATE ROLE {names.Writer}; CREATE ROLE {names.Reader} IN ROLE {names.Writer}");
                break;
            case "maintainer is an owner":
                await _roles.Database.ExecuteAsync($"CREATE ROLE {names.Owner}; CREATE ROLE {names.Maintainer} IN ROLE {names.Owner}");
                break;
            case "maintainer is a reader":
                await _roles.Database.ExecuteAsync($"CREATE ROLE {names.Reader}; CREATE ROLE {names.Maintainer} IN ROLE {names.Reader}");
                break;
            case "writer is a maintainer":
                await _roles.Database.ExecuteAsync($"CREATE ROLE {names.Maintainer}; CREATE ROLE {names.Writer} IN ROLE {names.Maintainer}");
                break;
            case "reader reads files":
                await _roles.Database.ExecuteAsync($"CREATE ROLE {names.Reader} IN ROLE pg_read_server_files");
                break;
            case "owner runs programs":
                await _roles.Database.ExecuteAsync($"CREATE ROLE {names.Owner} IN ROLE pg_execute_server_program");
                break;
            default:
                names = names with { Reader = "pg_reader" };
                break;
        }

        var error = await Assert.ThrowsAsync<PostgresException>(() => _roles.ApplyAsync(Site, names));

        Assert.Contains(message, error.MessageText, StringComparison.Ordinal);
        Assert.Equal(0, await _roles.Database.ScalarAsync<long>("SELECT count(*) FROM pg_namespace WHERE nspname = 'site'"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("pg_catalog")]
    [InlineData("information_schema")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123")]
    public async Task Schema_that_cannot_be_a_site_is_refused(string schema)
    {
        var error = await Assert.ThrowsAsync<PostgresException>(() => _roles.ApplyAsync(schema, _roles.NamesFor(Site)));

        Assert.Contains("roles: ", error.MessageText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_rights_it_takes_nothing_is_changed_and_what_is_missing_is_said()
    {
        var nobody = await _roles.LoginAsync(_roles.Named("nobody"));
        var noRole = await Assert.ThrowsAsync<PostgresException>(() => _roles.ApplyAsync(Site, _roles.NamesFor(Site), nobody));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, noRole.SqlState);

        await _roles.Database.ExecuteAsync($"ALTER ROLE {nobody} CREATEROLE");
        var noSchema = await Assert.ThrowsAsync<PostgresException>(() => _roles.ApplyAsync(Site, _roles.NamesFor(Site), nobody));
        Assert.Contains("GRANT CREATE ON DATABASE", noSchema.Hint, StringComparison.Ordinal);

        await _roles.RunAsync(_roles.Dba, Site, "CREATE SCHEMA site");
        var foreign = await Assert.ThrowsAsync<PostgresException>(() => _roles.ApplyAsync(Site, _roles.NamesFor(Site), nobody));
        Assert.Contains($"belongs to \"{_roles.Dba}\"", foreign.MessageText, StringComparison.Ordinal);
        Assert.Equal(0, await _roles.Database.ScalarAsync<long>(
            $"SELECT count(*) FROM pg_roles WHERE rolname IN ('{string.Join("', '", _roles.NamesFor(Site).All)}')"));
    }

    [Fact]
    public async Task Two_runs_at_once_take_turns()
    {
        var names = _roles.NamesFor(Site);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => _roles.ApplyAsync(Site, names)));

        Assert.Contains(await _roles.RightsAsync(Site, names), right => right.StartsWith("site_owner schema site OWNER", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("site")]
    [InlineData("Odd \"site\"; it's $names$ \\")]
    public async Task Psql_runs_it_before_and_after_the_migrations(string schema)
    {
        if (Psql.Find() is not { } psql)
        {
            Assert.Skip("psql is not on the PATH.");
            return;
        }

        schema = _roles.Named(schema);
        var names = _roles.NamesFor("r'\"x");
        var script = await File.ReadAllTextAsync(Repository.PathOf("Migrations.Sql", "roles.sql"), Cancel);
        string[] variables =
        [
            $"schema={schema}", $"owner={names.Owner}", $"writer={names.Writer}", $"reader={names.Reader}", $"maintainer={names.Maintainer}",
        ];

        await Psql.RunAsync(psql, _roles.ConnectionString(_roles.Dba, schema), script, variables, Cancel);
        var deploy = await _roles.LoginAsync(_roles.Named("deploy"), names.Owner);
        await _roles.MigrateAsync(deploy, schema);
        var byMigration = await _roles.RightsAsync(schema, names);
        await Psql.RunAsync(psql, _roles.ConnectionString(_roles.Dba, schema), script, [$"schema={schema}"], Cancel);

        Assert.Equal(byMigration, await _roles.RightsAsync(schema, names));
        var writer = await _roles.LoginAsync(_roles.Named("edge"), names.Writer);
        await _roles.RunAsync(writer, schema, "INSERT INTO connections (dst_ip, dst_port) VALUES ('192.0.2.1', 443)");
    }

    private async Task<List<PostgresNotice>> WarningsAsync(Func<NpgsqlConnection, Task> run)
    {
        var warnings = new List<PostgresNotice>();
        await using var connection = await _roles.As(_roles.Dba, Site).OpenConnectionAsync(Cancel);
        connection.Notice += (_, e) => warnings.Add(e.Notice);
        await run(connection);
        return warnings;
    }

    // A member of the roles that the DBA made is not the DBA's to make where a superuser made the roles.
    private static async Task<string> LoginOfSuperuserAsync(RolesDatabase roles, string memberOf)
    {
        var login = roles.Named("login");
        await roles.Database.ExecuteAsync($"CREATE ROLE {login} LOGIN PASSWORD '{RolesDatabase.Password}' IN ROLE {memberOf}");
        return login;
    }
}
