using System.Text.RegularExpressions;
using CobaltGraph.Data.Schema;
using CobaltGraph.Testing;
using Npgsql;

namespace CobaltGraph.Data.Tests.Schema.Scripts;

public class ScriptRefusalTests(PostgresServerFixture server) : ScriptTest(server)
{
    private static readonly string Second = $"{Migrations[1].FileName}.up.sql";

    [Fact]
    public async Task Script_on_a_schema_without_the_migration_before_is_refused()
    {
        var refused = await Refuses($"goes onto {Migrations[0].Id} and no later one; schema \"public\" has no migration.", ["-f", Second]);

        Assert.Contains("HINT:  Run the scripts in the order of their numbers", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Script_of_an_older_release_is_refused_on_a_newer_database()
    {
        await Passes(["-f", AllUp.First()]);
        await Database.ExecuteAsync("""INSERT INTO "__EFMigrationsHistory" VALUES ('29990101000000_FromTheFuture', '99.0')""");

        await Refuses("has 20261124000001_DeviceInventory, 29990101000000_FromTheFuture.", ["-f", Second]);
        await Refuses("29990101000000_FromTheFuture", ["-f", Idempotent]);
        await Refuses("is not the newest migration", ["-f", AllDown.Last()]);
    }

    [Fact]
    public async Task Reverting_another_migration_than_the_newest_is_refused()
    {
        await Refuses("schema \"public\" has no migration.", ["-f", AllDown.Last()]);
        await Passes(Files(AllUp));

        await Refuses($"{Migrations[0].Id} is not the newest migration", ["-f", AllDown.Last()]);
        await Passes(["-f", AllDown.First()]);
        await Refuses($"{Migrations[^1].Id} is not the newest migration", ["-f", AllDown.First()]);
    }

    [Fact]
    public async Task Schema_that_does_not_exist_is_refused_but_by_the_first_script()
    {
        await Refuses("The schema does not exist", ["-v", "schema=nowhere", "-f", Second]);
        await Refuses("The schema does not exist", ["-v", "schema=nowhere", "-f", AllDown.First()]);

        await Passes(["-v", "schema=nowhere", "-f", AllUp.First()]);
    }

    // What another role made there, the owner's triggers could not write.
    [Fact]
    public async Task Script_by_another_than_the_owner_is_refused_where_the_owner_cannot_log_in()
    {
        var owner = $"owner_{Database.Name}";
        await Database.ExecuteAsync($"CREATE ROLE {owner}; CREATE SCHEMA site AUTHORIZATION {owner}");
        try
        {
            var refused = await Refuses($"Schema \"site\" belongs to role \"{owner}\"", ["-v", "schema=site", "-f", Idempotent]);
            Assert.Contains($"SET ROLE {owner}", refused.Error, StringComparison.Ordinal);

            await Passes(["-c", $"SET ROLE {owner}", "-v", "schema=site", "-f", AllUp.First()]);
            await Refuses($"belongs to role \"{owner}\"", ["-v", "schema=site", "-f", Second]);
            await Passes(["-c", $"SET ROLE {owner}", "-v", "schema=site", "-f", Idempotent]);
            // Nothing is made: anybody may find out.
            await Passes(["-v", "schema=site", "-f", Idempotent]);
            await Refuses($"belongs to role \"{owner}\"", ["-v", "schema=site", "-f", AllDown.First()]);
        }
        finally
        {
            await Database.ExecuteAsync($"DROP OWNED BY {owner} CASCADE; DROP ROLE {owner}");
        }
    }

    // No server here is that old; so the script asks for one that no server is.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Server_that_is_too_old_is_refused(bool all)
    {
        var script = Read(all ? Idempotent : AllUp.First());
        Assert.Contains("< 120000 THEN", script, StringComparison.Ordinal);

        await Refuses("CobaltGraph needs 12 or later.", ["-f", "-"], script.Replace("< 120000 THEN", "< 990000 THEN", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Script_that_leaves_no_row_in_the_history_is_taken_back()
    {
        var script = Regex.Replace(Read(AllUp.First()), """INSERT INTO "__EFMigrationsHistory"[^;]*;""", "");

        await Refuses("was not applied", ["-f", "-"], script);
    }

    [Fact]
    public async Task Down_script_that_leaves_the_row_in_the_history_is_taken_back()
    {
        await Passes(Files(AllUp));
        var script = Regex.Replace(Read(AllDown.First()), """DELETE FROM "__EFMigrationsHistory"[^;]*;""", "");

        await Refuses("was not reverted", ["-f", "-"], script);
    }

    [Fact]
    public async Task Statement_that_fails_takes_back_all_of_its_script_and_ends_the_run()
    {
        await Database.ExecuteAsync("CREATE VIEW device_threats AS SELECT 1 AS already_there");

        var failed = await Run(["-f", Idempotent]);

        Assert.Equal(3, failed.ExitCode);
        Assert.Contains("already_there", failed.Error, StringComparison.Ordinal);
        await Database.ExecuteAsync("DROP VIEW device_threats");
        Assert.Equal(await StateAfter(Migrations[0].Id), await StateOf(Database));
    }

    [Fact]
    public async Task Script_is_refused_while_another_session_migrates_the_schema()
    {
        await using var session = await Database.DataSource.OpenConnectionAsync(Cancel);
        await using var take = new NpgsqlCommand($"SELECT pg_advisory_lock({SiteMigrator.LockClass}, hashtext('public'))", session);
        await take.ExecuteNonQueryAsync(Cancel);

        await Refuses("Another session is migrating schema \"public\".", ["-f", Idempotent]);
        await Passes(["-v", "schema=another", "-f", Idempotent]);
    }

    [Fact]
    public async Task Scripts_at_the_same_time_are_done_once()
    {
        var runs = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Run(["-f", Idempotent])));

        Assert.Contains(runs, run => run.ExitCode == 0);
        Assert.All(
            runs.Where(run => run.ExitCode != 0),
            run => Assert.Contains("Another session is migrating", run.Error, StringComparison.Ordinal));
        Assert.Equal(await StateAfter(null), await StateOf(Database));
    }

    [Fact]
    public async Task Script_gives_up_on_a_lock_that_others_keep()
    {
        await Passes(["-f", AllUp.First()]);
        await using var session = await Database.DataSource.OpenConnectionAsync(Cancel);
        await using var transaction = await session.BeginTransactionAsync(Cancel);
        await using var take = new NpgsqlCommand("LOCK TABLE devices IN ACCESS SHARE MODE; LOCK TABLE connections IN ROW EXCLUSIVE MODE", session);
        await take.ExecuteNonQueryAsync(Cancel);

        await Refuses("lock timeout", ["-v", "lock_timeout=50ms", "-f", Second]);
    }

    // A timeout that hits the very end of a statement is told by the next one, as a request of the user.
    [Fact]
    public async Task Script_gives_up_when_its_time_is_up()
        => await Refuses("canceling statement due to", ["-v", "statement_timeout=1ms", "-f", AllUp.First()]);
}
