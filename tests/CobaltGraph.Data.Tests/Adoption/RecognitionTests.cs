using CobaltGraph.Data.Adoption;
using CobaltGraph.Testing;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace CobaltGraph.Data.Tests.Adoption;

// Which database is taken for one of the original, in which schemas, and by whom.
public class RecognitionTests(PostgresServerFixture server) : AdoptionTest(server)
{
    [Fact]
    public async Task Database_of_ours_is_refused()
    {
        await using var ours = await Server.CreateDatabaseAsync();
        await ours.ExecuteAsync("INSERT INTO connections (src_mac, dst_ip, dst_port) VALUES ('02:00:5e:00:00:01', '192.0.2.1', 443)");
        var before = await ContentsAsync(ours);

        var error = await Refused(() => Adopt(ours.DataSource));

        Assert.Equal(before, await ContentsAsync(ours));
        Assert.Contains("already", error.Message, StringComparison.Ordinal);
        Assert.Contains("migrate", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Database_of_nobody_is_refused()
    {
        await using var empty = await Server.CreateDatabaseAsync(migrated: false);

        var error = await Refused(() => Adopt(empty.DataSource));

        Assert.Contains("There is no database of the original in \"public\"", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ALTER TABLE connections DROP COLUMN dst_org", "connections has no column dst_org")]
    [InlineData("ALTER TABLE device_events RENAME TO happenings", "there is no table device_events")]
    [InlineData("ALTER TABLE connections ALTER dst_port TYPE text", "connections.dst_port is text, the original has int2")]
    [InlineData("ALTER TABLE connections ALTER \"timestamp\" TYPE timestamp", "connections.timestamp is timestamp, the original has timestamptz")]
    [InlineData("DROP TABLE connections; CREATE VIEW connections AS SELECT 1 AS id", "connections is not a plain table")]
    public async Task Database_of_others_is_left_alone_and_told_what_differs(string change, string problem)
    {
        await Run(OriginalSchema.Fill(devices: 2, connections: 5));
        await Run("DROP VIEW active_devices, device_summary");
        await Run(change);
        var before = await ContentsAsync(Database);

        var error = await Refused(() => Adopt());

        Assert.Equal(before, await ContentsAsync(Database));
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
        Assert.Contains("neither", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_of_migrations_of_another_program_stays_and_none_is_needed()
    {
        await Run("DROP TABLE schema_migrations; CREATE TABLE schema_migrations (version text PRIMARY KEY)");

        var report = await Adopt();

        Assert.Equal(3, report.OldTables.Count);
        Assert.Equal(["version"], await Rows("SELECT attname FROM pg_attribute WHERE attrelid = 'schema_migrations'::regclass AND attnum > 0"));
    }

    [Fact]
    public async Task Migration_that_failed_on_it_does_not_make_it_ours()
    {
        await using (var context = Database.NewContext())
            await Assert.ThrowsAsync<PostgresException>(() => context.Database.MigrateAsync(Cancel));

        Assert.Equal(4, (await Adopt()).OldTables.Count);
        Assert.Equal(2, await Database.ScalarAsync<long>("""SELECT count(*) FROM "__EFMigrationsHistory" """));
    }

    [Theory]
    [InlineData("CREATE TABLE destinations (x int)")]
    [InlineData("CREATE VIEW device_threats AS SELECT 1 AS mac_address")]
    [InlineData("CREATE TABLE connections_default (x int)")]
    [InlineData("CREATE FUNCTION threat_threshold() RETURNS int LANGUAGE sql AS 'SELECT 1'")]
    [InlineData("DROP VIEW active_devices; CREATE VIEW active_devices AS SELECT 1 AS mac_address")]
    public async Task Something_of_another_program_with_one_of_our_names_is_refused_and_nothing_changes(string sql)
    {
        await Run(OriginalSchema.Fill(devices: 2, connections: 2));
        await Run(sql);

        if (!sql.Contains("default", StringComparison.Ordinal))
            await Refused(() => Survey());
        var error = await Refused(() => Adopt());

        Assert.Contains("Search Path", error.Message, StringComparison.Ordinal);
        Assert.Equal(2, await Database.ScalarAsync<long>("SELECT count(*) FROM connections"));
        Assert.Empty(await Rows("SELECT 1 FROM pg_class WHERE relname LIKE 'original%'"));
    }

    [Theory]
    [InlineData("\"Site \"\"A\"\"\", public", "Site \"A\"", true)]
    [InlineData("site_b,public", "site_b", false)]
    public async Task Database_further_down_the_path_is_adopted_into_the_first_schema(string path, string schema, bool exists)
    {
        await Run(OriginalSchema.Fill(devices: 3, connections: 30));
        if (exists) await Run($"CREATE SCHEMA \"{schema.Replace("\"", "\"\"", StringComparison.Ordinal)}\"");
        await using var source = NpgsqlDataSource.Create(Database.ConnectionStringWith(c => c.SearchPath = path));

        var report = await Adopt(source);

        Assert.Equal(("public", schema), (report.Survey!.Original.Schema, report.Survey.Original.Target));
        Assert.Equal(
            [$"{schema}|3|30"],
            await Rows($"""
                SELECT n.nspname, (xpath('//x/text()', query_to_xml(format('SELECT count(*) AS x FROM %I.devices', n.nspname), false, true, '')))[1]::text,
                       (xpath('//x/text()', query_to_xml(format('SELECT count(*) AS x FROM %I.connections', n.nspname), false, true, '')))[1]::text
                FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.relname = 'device_threat_counts'
                """));
        Assert.Equal(30, await Database.ScalarAsync<long>("SELECT count(*) FROM public.original_connections"));
        Assert.Null((await Adopt(source)).Survey);

        var error = await Refused(() => Adopt());
        Assert.Contains("There is no database of the original", error.Message, StringComparison.Ordinal);
        Assert.True((await new Adopter(Database.DataSource).FindOldAsync(Cancel)).IsEmpty);
        Assert.Equal("public", (await new Adopter(source).DropOldAsync(Cancel)).Schema);
    }

    [Fact]
    public async Task Two_sites_of_one_database_are_adopted_each_on_its_own()
    {
        await Run(OriginalSchema.Fill(devices: 3, connections: 30));
        await Run("CREATE SCHEMA other");
        await using var other = NpgsqlDataSource.Create(Database.ConnectionStringWith(c => c.SearchPath = "other"));
        await using (var create = other.CreateCommand(OriginalSchema.Create + OriginalSchema.Fill(devices: 5, connections: 50)))
            await create.ExecuteNonQueryAsync(Cancel);

        await Adopt(other);
        Assert.Equal([5L, 50], (await Rows("SELECT count(*) FROM other.devices UNION ALL SELECT count(*) FROM other.connections")).Select(long.Parse));
        Assert.Equal(3, (await Survey()).Tables[0].Rows);

        await Adopt();
        await new Adopter(other).DropOldAsync(Cancel);

        Assert.Equal([3L, 30], (await Rows("SELECT count(*) FROM devices UNION ALL SELECT count(*) FROM original_connections")).Select(long.Parse));
    }

    [Fact]
    public async Task Ordinary_owner_adopts_and_another_user_is_told_who_may()
    {
        var owner = $"owner_{Guid.NewGuid():N}"[..20];
        await Run($"""
            CREATE ROLE {owner} LOGIN PASSWORD 'x';
            CREATE SCHEMA AUTHORIZATION {owner};
            REVOKE TEMPORARY ON DATABASE {Database.Name} FROM PUBLIC
            """);
        await using var source = NpgsqlDataSource.Create(Database.ConnectionStringWith(c => (c.Username, c.Password, c.SearchPath) = (owner, "x", null)));
        try
        {
            await using (var create = source.CreateCommand(OriginalSchema.Create + OriginalSchema.Fill(devices: 3, connections: 30)))
                await create.ExecuteNonQueryAsync(Cancel);
            await using (var odd = source.CreateCommand("INSERT INTO devices (mac_address) VALUES ('odd')"))
                await odd.ExecuteNonQueryAsync(Cancel);

            var report = await Adopt(source);

            Assert.Equal((owner, 2L), (report.Survey!.Original.Target, report.Survey.SetAside));
            Assert.Empty(await Rows($"SELECT relname FROM pg_class WHERE relnamespace = '{owner}'::regnamespace AND relowner <> '{owner}'::regrole"));

            await using var stranger = NpgsqlDataSource.Create(
                Database.ConnectionStringWith(c => (c.Username, c.Password, c.SearchPath) = (owner, "x", "public")));
            var error = await Refused(() => Adopt(stranger));
            Assert.Contains("Only their owner", error.Message, StringComparison.Ordinal);
            await new Adopter(source).DropOldAsync(Cancel);
        }
        finally
        {
            await source.DisposeAsync();
            await Run($"DROP OWNED BY {owner} CASCADE; DROP ROLE {owner}");
        }
    }
}
