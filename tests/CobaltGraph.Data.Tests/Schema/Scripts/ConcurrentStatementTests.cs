using CobaltGraph.Data.Schema.Scripts;
using CobaltGraph.Testing;

namespace CobaltGraph.Data.Tests.Schema.Scripts;

// No migration has such a statement yet; so one is made up.
public class ConcurrentStatementTests(PostgresServerFixture server) : ScriptTest(server)
{
    private const string Id = "20990101000000_VendorIndex";

    private static readonly ScriptedMigration Index = new(
        Migrations.Count + 1,
        Id,
        new(
            ["creates index ix_devices_vendor"],
            [new("CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_devices_vendor ON devices (vendor);\n", OutsideTransaction: true)],
            $"INSERT INTO \"__EFMigrationsHistory\" (migration_id, product_version) VALUES ('{Id}', '10');\n"),
        new(
            ["drops index ix_devices_vendor"],
            [new("DROP INDEX CONCURRENTLY IF EXISTS ix_devices_vendor;\n", OutsideTransaction: true)],
            $"DELETE FROM \"__EFMigrationsHistory\" WHERE migration_id = '{Id}';\n"));

    private static readonly IReadOnlyList<ScriptedMigration> WithIndex = [.. Migrations, Index];

    private static readonly string[] Arguments = ["-v", "schema=Site A", "-f", "-"];

    [Fact]
    public async Task Statement_that_cannot_run_in_a_transaction_runs_by_its_script_and_by_the_one_of_all()
    {
        var up = MigrationScripts.Up(WithIndex, Index);

        await Refuses("The schema does not exist", Arguments, up);
        await Passes(Arguments, MigrationScripts.Idempotent(WithIndex));
        await Passes(Arguments, up);
        Assert.True(await IsValid());

        await Passes(Arguments, MigrationScripts.Down(WithIndex, Index));
        Assert.Null(await IsValid());
        await Refuses("is not the newest migration", Arguments, MigrationScripts.Down(WithIndex, Index));

        await Passes(Arguments, up);
        Assert.True(await IsValid());
    }

    [Fact]
    public async Task Script_that_was_interrupted_goes_on_and_builds_the_index_anew()
    {
        await Passes(Arguments, MigrationScripts.Idempotent(Migrations));
        await Database.ExecuteAsync("""
            CREATE INDEX ix_devices_vendor ON "Site A".devices (vendor);
            UPDATE pg_index SET indisvalid = false WHERE indexrelid = '"Site A".ix_devices_vendor'::regclass;
            """);

        await Passes(Arguments, MigrationScripts.Up(WithIndex, Index));

        Assert.True(await IsValid());
        Assert.Equal(WithIndex.Count, await Database.ScalarAsync<long>("""SELECT count(*) FROM "Site A"."__EFMigrationsHistory" """));
    }

    [Fact]
    public async Task Session_has_its_settings_back_and_nobody_waits_for_its_lock()
    {
        await Passes(Arguments, MigrationScripts.Idempotent(Migrations));

        var result = await Passes(
            ["-q", "-At", "-c", "SET lock_timeout = '7s'", "-v", "schema=Site A", "-f", "-", "-c",
                "SELECT current_setting('search_path'), current_setting('lock_timeout'), current_setting('statement_timeout'), count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"],
            MigrationScripts.Up(WithIndex, Index));

        Assert.Equal("\"$user\", public|7s|0|0", result.Output.Trim());
    }

    private Task<bool?> IsValid()
        => Database.ScalarAsync<bool?>("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('\"Site A\".ix_devices_vendor')");
}
