using System.Diagnostics;
using CobaltGraph.Data.Schema;
using CobaltGraph.Testing;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace CobaltGraph.Data.Tests.Schema;

public class SchemaProofTests(PostgresServerFixture server) : DatabaseTest(server)
{
    private const string First = "20261124000001_DeviceInventory";

    [Fact]
    public async Task Fresh_database_is_as_expected_and_nothing_is_left_behind()
    {
        var report = await ProveAsync(Database.DataSource);

        AssertClean(report);
        Assert.True(report.Found.Objects.Count > 400, $"{report.Found.Objects.Count} objects");
        Assert.Equal(0, await Count("pg_namespace WHERE nspname LIKE 'cobaltgraph%'"));
    }

    [Fact]
    public async Task Months_that_were_made_filled_and_dropped_are_no_difference()
    {
        await Run("""
            SET timezone = 'America/New_York';
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port) SELECT '2031-01-15Z'::timestamptz + n * interval '10 days', '02:00:5e:00:00:01', '192.0.2.1', 443
            FROM generate_series(0, 60) AS n;
            SELECT ensure_connection_partitions('2031-01-01Z', '2032-06-01Z');
            DROP TABLE connections_y2031m02;
            SELECT ensure_connection_partitions('2020-01-01Z', '2021-06-01Z');
            SELECT drop_connection_partitions('2020-08-15Z');
            """);
        var month = await Scalar<string>("SELECT min(inhrelid::regclass::text) FROM pg_inherits WHERE inhparent = 'connections'::regclass AND inhrelid::regclass::text LIKE '%\\_y%'");
        await Run($"DROP TABLE {month}");
        await using var source = NpgsqlDataSource.Create(Database.ConnectionStringWith(c => c.Timezone = "Asia/Kathmandu"));

        AssertClean(await ProveAsync(source));

        await Run("DO $$ DECLARE t text; BEGIN FOR t IN SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'connections'::regclass AND inhrelid <> 'connections_default'::regclass LOOP EXECUTE 'DROP TABLE ' || t; END LOOP; END $$");
        AssertClean(await ProveAsync(source));
    }

    [Fact]
    public async Task Database_of_the_first_migration_is_compared_with_that_one_and_after_an_upgrade_with_all()
    {
        await using var old = await Server.CreateDatabaseAsync(migrated: false);
        await using var context = old.NewContext();
        await context.Database.MigrateAsync(First, Cancel);
        await old.ExecuteAsync("""
            INSERT INTO connections (src_mac, src_ip, dst_ip, dst_port, threat_score, threat_category)
            SELECT '02:00:5e:00:00:01', '192.0.2.7', '192.0.2.1', n, n % 10, 'c2' FROM generate_series(1, 100) AS n
            """);

        var before = await ProveAsync(old.DataSource);
        AssertClean(before);
        Assert.Equal([First], before.State.Applied);
        Assert.NotEmpty(before.State.Pending);

        await context.Database.MigrateAsync(Cancel);
        AssertClean(await ProveAsync(old.DataSource));
    }

    [Fact]
    public async Task Two_sites_of_an_owner_that_is_no_superuser_are_each_as_expected()
    {
        await using var database = await Server.CreateDatabaseAsync(migrated: false);
        var owner = $"owner \"{database.Name[^8..]}";
        var quoted = $"\"{owner.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
        await database.ExecuteAsync($"CREATE ROLE {quoted} LOGIN PASSWORD 'p'; GRANT CREATE ON DATABASE {database.Name} TO {quoted}");
        try
        {
            foreach (var site in (string[])["\"Site A\"", "\"a\"\";{0}'--\""])
            {
                await using var source = NpgsqlDataSource.Create(database.ConnectionStringWith(c => (c.Username, c.Password, c.SearchPath) = (owner, "p", site)));
                await new SchemaMigrator(source).MigrateAsync(null, mayRevert: [], TimeSpan.FromSeconds(30), _ => { }, _ => { }, Cancel);

                var report = await ProveAsync(source);
                AssertClean(report);
                Assert.Equal(owner, report.Found.OwnerName);
                // Whoever else looks sees the same.
                await using var admin = NpgsqlDataSource.Create(database.ConnectionStringWith(c => c.SearchPath = site));
                AssertClean(await ProveAsync(admin));
            }

            await database.ExecuteAsync($"REVOKE CREATE ON DATABASE {database.Name} FROM {quoted}");
            await using var poor = NpgsqlDataSource.Create(database.ConnectionStringWith(c => (c.Username, c.Password, c.SearchPath) = (owner, "p", "\"Site A\"")));
            var error = await Assert.ThrowsAsync<SchemaProofException>(() => ProveAsync(poor));
            Assert.False(error.IsNotOurs);
            Assert.Contains("GRANT CREATE ON DATABASE", error.Message, StringComparison.Ordinal);
        }
        finally
        {
            NpgsqlConnection.ClearAllPools();
            await database.ExecuteAsync($"DROP OWNED BY {quoted} CASCADE; DROP ROLE {quoted}");
        }
    }

    [Fact]
    public async Task Expressions_as_a_restored_dump_spells_them_are_no_difference()
    {
        await Run(SchemaProof.Respell((await Database.ScalarAsync<string>("SELECT current_schema()::text"))!));

        AssertClean(await ProveAsync(Database.DataSource));
    }

    [Fact]
    public async Task Restored_dump_is_as_expected()
    {
        var psql = Psql.Find();
        var dump = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, "pg_dump")).FirstOrDefault(File.Exists);
        Assert.SkipWhen(psql is null || dump is null, "pg_dump is not installed; another test does to the texts what it does.");
        await Run("INSERT INTO connections (src_mac, dst_ip, dst_port) VALUES ('02:00:5e:00:00:01', '192.0.2.1', 443)");
        var connection = new NpgsqlConnectionStringBuilder(Database.ConnectionString);
        using var process = Process.Start(new ProcessStartInfo(dump!)
        {
            ArgumentList = { "-h", connection.Host!, "-p", $"{connection.Port}", "-U", connection.Username!, Database.Name },
            Environment = { ["PGPASSWORD"] = connection.Password ?? "" },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var error = process.StandardError.ReadToEndAsync(Cancel);
        var script = await process.StandardOutput.ReadToEndAsync(Cancel);
        await process.WaitForExitAsync(Cancel);
        Assert.SkipWhen((await error).Contains("version mismatch", StringComparison.Ordinal), "The installed pg_dump is older than the server.");
        Assert.Equal(0, process.ExitCode);

        await using var restored = await Server.CreateDatabaseAsync(migrated: false);
        await Psql.RunAsync(psql!, restored, script, Cancel);

        AssertClean(await ProveAsync(restored.DataSource));
    }

    [Fact]
    public async Task Rights_that_belong_to_the_database_are_expected_when_they_are_given()
    {
        const string grants = "GRANT SELECT ON devices, active_devices TO pg_monitor; GRANT UPDATE (vendor) ON devices TO pg_monitor";
        await Run(grants);

        Assert.Equal(3, (await ProveAsync(Database.DataSource)).Differences.Count);
        AssertClean(await new SchemaProof(Database.DataSource, async (connection, cancel) =>
        {
            await using var command = new NpgsqlCommand(grants, connection);
            await command.ExecuteNonQueryAsync(cancel);
        }).RunAsync(Cancel));
    }

    [Theory]
    [InlineData("BEGIN; GRANT SELECT ON devices TO pg_monitor; COMMIT", "leave out BEGIN, COMMIT and ROLLBACK")]
    [InlineData("COMMIT; BEGIN", "leave out BEGIN, COMMIT and ROLLBACK")]
    [InlineData("COMMIT; SELECT 1 / 0", "leave out BEGIN, COMMIT and ROLLBACK")]
    [InlineData("ROLLBACK", "leave out BEGIN, COMMIT and ROLLBACK")]
    [InlineData("SET search_path = public", "leave out SET search_path")]
    public async Task What_is_also_expected_cannot_lead_the_comparison_to_the_site_itself(string sql, string message)
    {
        var before = await Texts("SELECT oid::text FROM pg_class WHERE relkind = 'i' ORDER BY oid");

        var proof = new SchemaProof(Database.DataSource, async (connection, cancel) =>
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync(cancel);
        });
        var error = await Assert.ThrowsAsync<SchemaProofException>(() => proof.RunAsync(Cancel));

        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Equal(before, await Texts("SELECT oid::text FROM pg_class WHERE relkind = 'i' ORDER BY oid"));
        Assert.Equal(0, await Count("pg_namespace WHERE nspname LIKE 'cobaltgraph_expected%'"));
        AssertClean(await ProveAsync(Database.DataSource));
    }

    // An operator or function that fits the types exactly is taken before one of the server's that needs a cast.
    [Fact]
    public async Task What_others_have_put_into_the_schema_is_not_called()
    {
        string[] types = ["text", "name", "varchar", "\"char\"", "oid", "regclass", "regproc", "int2", "int4", "int8", "float4", "jsonb", "text[]", "name[]", "int2[]", "oid[]", "regclass[]"];
        string[] booleans = ["=", "<>", "<", ">", "~~"];
        await Run(string.Join('\n', types.SelectMany(left => types.Select(right => $"""
            CREATE FUNCTION trap_text({left}, {right}) RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''trapped: %, %'', pg_typeof($1), pg_typeof($2); END';
            CREATE FUNCTION trap_boolean({left}, {right}) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''trapped: %, %'', pg_typeof($1), pg_typeof($2); END';
            {string.Concat(((string[])["||", "->>", "+"]).Select(name => $"CREATE OPERATOR {name} (LEFTARG = {left}, RIGHTARG = {right}, FUNCTION = trap_text);"))}
            {string.Concat(booleans.Select(name => $"CREATE OPERATOR {name} (LEFTARG = {left}, RIGHTARG = {right}, FUNCTION = trap_boolean);"))}
            """))) + """
            CREATE FUNCTION format(text, text) RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''trapped''; END';
            CREATE FUNCTION format(text, text, text) RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''trapped''; END';
            CREATE FUNCTION cardinality(text[]) RETURNS integer LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''trapped''; END';
            CREATE FUNCTION array_to_string(text[], text) RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''trapped''; END';
            CREATE AGGREGATE array_agg(text) (SFUNC = trap_text, STYPE = text)
            """);

        var report = await ProveAsync(Database.DataSource);

        Assert.NotEmpty(report.Differences);
        Assert.All(report.Differences, difference => Assert.Null(difference.Expected));
        await using var connection = await Database.DataSource.OpenConnectionAsync(Cancel);
        Assert.NotEmpty(await RightsMatrix.ReadAsync(connection, "public", [], Cancel));
        if (Psql.Find() is { } psql)
        {
            foreach (var script in (string[])["0001_DeviceInventory.up.sql", "0002_ThreatScoring.up.sql", "cobaltgraph.idempotent.sql"])
                await Psql.RunAsync(psql, Database, await File.ReadAllTextAsync(Repository.PathOf("Migrations.Sql", "scripts", script), Cancel), Cancel);
        }
    }

    // What goes with a table: its sequence, the rights on it and on its columns.
    [Fact]
    public async Task Patch_makes_a_lost_table_with_its_sequence_and_rights()
    {
        const string grants = "GRANT SELECT ON device_events TO pg_monitor; GRANT INSERT (device_mac, event_type), UPDATE (event_type) ON device_events TO pg_monitor";
        var proof = new SchemaProof(Database.DataSource, async (connection, cancel) =>
        {
            await using var command = new NpgsqlCommand(grants, connection);
            await command.ExecuteNonQueryAsync(cancel);
        });
        await Run(grants);
        AssertClean(await proof.RunAsync(Cancel));
        await Run("DROP TABLE device_events CASCADE");

        var patch = SchemaPatch.Write(await proof.RunAsync(Cancel));
        await Run(patch.Replace("\\set ON_ERROR_STOP on\n", "", StringComparison.Ordinal));

        AssertClean(await proof.RunAsync(Cancel));
    }

    [Fact]
    public async Task Trigram_indexes_are_expected_only_together()
    {
        Assert.SkipUnless(await Count("pg_available_extensions WHERE name = 'pg_trgm'") == 1, "This server has no pg_trgm.");
        await Run("CREATE EXTENSION pg_trgm");
        var before = await ProveAsync(Database.DataSource);
        Assert.Empty(before.Differences);
        Assert.Contains("ensure_text_search", Assert.Single(before.Notes), StringComparison.Ordinal);

        await Run("SELECT ensure_text_search()");
        AssertClean(await ProveAsync(Database.DataSource));

        await Run("DROP INDEX ix_destinations_dst_org_trgm");
        Assert.Equal("destinations.ix_destinations_dst_org_trgm", Assert.Single((await ProveAsync(Database.DataSource)).Differences).Name);
    }

    [Fact]
    public async Task What_is_no_database_of_ours_or_of_a_newer_version_is_said()
    {
        await using var empty = await Server.CreateDatabaseAsync(migrated: false);
        Assert.Contains("is empty", (await Assert.ThrowsAsync<SchemaProofException>(() => ProveAsync(empty.DataSource))).Message, StringComparison.Ordinal);

        await empty.ExecuteAsync("CREATE TABLE theirs (id integer)");
        var theirs = await Assert.ThrowsAsync<SchemaProofException>(() => ProveAsync(empty.DataSource));
        Assert.True(theirs.IsNotOurs);
        Assert.Contains("no record of migrations", theirs.Message, StringComparison.Ordinal);

        await using var nowhere = NpgsqlDataSource.Create(empty.ConnectionStringWith(c => c.SearchPath = "nowhere"));
        Assert.Contains("no schema \"nowhere\"", (await Assert.ThrowsAsync<SchemaProofException>(() => ProveAsync(nowhere))).Message, StringComparison.Ordinal);

        await Run("""INSERT INTO "__EFMigrationsHistory" VALUES ('20991231000000_Later', '10.0.0')""");
        Assert.Contains("20991231000000_Later", (await Assert.ThrowsAsync<MigrationRefusedException>(() => ProveAsync(Database.DataSource))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Patch_is_one_transaction_of_the_site_that_mends_it_and_drops_nothing_by_itself()
    {
        await Run("""
            DROP INDEX ix_connections_dst_ip_timestamp;
            ALTER FUNCTION connections_count() VOLATILE SECURITY INVOKER;
            ALTER TABLE device_events DISABLE TRIGGER device_events_refuse_change;
            CREATE TABLE theirs (id integer)
            """);

        var patch = SchemaPatch.Write(await ProveAsync(Database.DataSource));

        Assert.Contains("\n-- DROP TABLE \"theirs\";\n", patch, StringComparison.Ordinal);
        await Run(patch.Replace("\\set ON_ERROR_STOP on\n", "", StringComparison.Ordinal));
        Assert.Equal("theirs", Assert.Single((await ProveAsync(Database.DataSource)).Differences).Name);
    }

    [Fact]
    public async Task Name_with_a_line_break_does_not_break_out_of_a_comment()
    {
        await Run("CREATE TABLE \"theirs\n\\! true\nDROP TABLE devices; --\" (id integer)");

        var patch = SchemaPatch.Write(await ProveAsync(Database.DataSource));

        Assert.DoesNotContain(patch.Split('\n'), line => line.StartsWith("\\!", StringComparison.Ordinal) || line.StartsWith("DROP", StringComparison.Ordinal));
        Assert.Contains("-- Its name has a line break", patch, StringComparison.Ordinal);
    }

    // What only says of itself that it was set aside is too many all the same.
    [Fact]
    public async Task Comment_of_an_adoption_hides_nothing_else()
    {
        await Run("""
            CREATE FUNCTION threat_threshold(integer) RETURNS real LANGUAGE sql AS 'SELECT 0::real';
            COMMENT ON FUNCTION threat_threshold(integer) IS 'Set aside by cobaltgraph adopt for schema "public".'
            """);

        Assert.Equal("threat_threshold(integer)", Assert.Single((await ProveAsync(Database.DataSource)).Differences).Name);
    }

    // COBALTGRAPH_UPDATE_DOCS=1 rewrites it, so that the change shows in the review.
    [Fact]
    public async Task Committed_schema_is_what_the_migrations_make()
    {
        const int newest = 18;
        Assert.SkipUnless((await Server.GetVersionAsync()).Major == newest, "Servers of other versions write the same in other words.");
        var path = Repository.PathOf("Migrations.Sql", "schema.sql");

        var text = await new SchemaProof(Database.DataSource).DescribeAsync(Cancel);

        if (Environment.GetEnvironmentVariable("COBALTGRAPH_UPDATE_DOCS") == "1")
            await File.WriteAllTextAsync(path, text, Cancel);
        Assert.Equal(await File.ReadAllTextAsync(path, Cancel), text);
        await using var empty = await Server.CreateDatabaseAsync(migrated: false);
        Assert.Equal(text, await new SchemaProof(empty.DataSource).DescribeAsync(Cancel));
    }

    private static Task<SchemaProofReport> ProveAsync(NpgsqlDataSource source) => new SchemaProof(source).RunAsync(Cancel);

    private static void AssertClean(SchemaProofReport report)
    {
        Assert.Empty(report.Differences.Select(d => $"{d.Kind} {d.Name} {d.Property}: {d.Expected} / {d.Found}"));
        Assert.Empty(report.Notes);
    }
}
