using System.Diagnostics;
using CobaltGraph.Testing;
using Microsoft.EntityFrameworkCore;

namespace CobaltGraph.Data.Tests.Schema.Scripts;

public class ScriptRunTests(PostgresServerFixture server) : ScriptTest(server)
{
    [Fact]
    public async Task All_in_order_and_all_once_more_leave_what_a_migration_leaves()
    {
        await Passes(Files(AllUp));
        Assert.Equal(await StateAfter(null), await StateOf(Database));
        await Database.ExecuteAsync("INSERT INTO connections (src_mac, dst_ip, dst_port) VALUES ('02:00:5e:00:00:01', '192.0.2.1', 443)");

        var again = await Passes(Files(AllUp));

        Assert.All(Migrations, migration => Assert.Contains($"has {migration.Id} already", again.Error, StringComparison.Ordinal));
        Assert.Equal(await StateAfter(null), await StateOf(Database));
        Assert.Equal(1, await Database.ScalarAsync<long>("SELECT connection_count FROM devices"));
        Assert.Equal(Migrations.Count, await Database.ScalarAsync<long>("""SELECT count(*) FROM "__EFMigrationsHistory" """));
    }

    [Fact]
    public async Task Command_of_EF_Core_leaves_what_the_scripts_leave()
    {
        await using var other = await Server.CreateDatabaseAsync(migrated: false);
        var configuration = AppContext.BaseDirectory.Contains("Release", StringComparison.Ordinal) ? "Release" : "Debug";
        using var process = Process.Start(new ProcessStartInfo("dotnet")
        {
            ArgumentList = { "ef", "database", "update", "--no-build", "--configuration", configuration, "--project", Repository.PathOf("src", "CobaltGraph.Data") },
            Environment = { ["COBALTGRAPH_CONNECTION"] = other.ConnectionString, ["DOTNET_NOLOGO"] = "1" },
            WorkingDirectory = Repository.Root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var error = process.StandardError.ReadToEndAsync(Cancel);
        var output = await process.StandardOutput.ReadToEndAsync(Cancel) + await error;
        await process.WaitForExitAsync(Cancel);
        Assert.SkipWhen(output.Contains("dotnet tool restore", StringComparison.Ordinal), "dotnet-ef is not there: dotnet tool restore fetches it.");
        Assert.True(process.ExitCode == 0, output);

        await Passes(Files(AllUp));

        Assert.Equal(await StateOf(other), await StateOf(Database));
    }

    [Fact]
    public async Task All_at_once_twice_leave_what_a_migration_leaves()
    {
        for (var run = 1; run <= 2; run++)
        {
            await Passes(["-f", Idempotent]);
            await Passes(["-v", "schema=site", "-f", Idempotent]);
            Assert.Equal(await StateAfter(null), await StateOf(Database));
            await using var migrated = await Migrated();
            await AssertAlike(migrated, "public");
            await AssertAlike(migrated, "site");
        }
    }

    [Fact]
    public async Task Each_script_and_the_one_of_all_lead_on_from_the_migration_before()
    {
        foreach (var migration in Migrations)
        {
            var before = migration.Number == 1 ? "0" : Migrations[migration.Number - 2].Id;
            await using var one = await Migrated(before);
            await using var all = await Migrated(before);

            await Passes(["-f", $"{migration.FileName}.up.sql"], connection: one.ConnectionString);
            await Passes(["-f", Idempotent], connection: all.ConnectionString);

            Assert.Equal(await StateAfter(migration.Id), await StateOf(one));
            Assert.Equal(await StateAfter(null), await StateOf(all));
        }
    }

    [Fact]
    public async Task Prepared_migration_leaves_what_the_rows_give_and_what_a_migration_leaves()
    {
        const string Prepare = "0002_ThreatScoring.prepare.sql";
        const string Hours = "SELECT string_agg(concat_ws(' ', src_mac, hour, connection_count), ', ' ORDER BY src_mac, hour) FROM device_activity_hourly";
        string[] large = ["-c", "SET cobaltgraph.prepare_from = '0'", "-c", "SET cobaltgraph.prepare_rows = '3'"];
        await Refuses("goes onto 20261124000001_DeviceInventory", ["-f", Prepare]);
        await Passes(Files(AllUp.Take(1)));
        await Database.ExecuteAsync("""
            INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port)
            SELECT '2026-03-01Z'::timestamptz + n * interval '20 minutes', '02:00:5e:00:00:01', '192.0.2.1', 443 FROM generate_series(1, 12) AS n
            """);

        var first = await Passes([.. large, "-f", Prepare]);
        var again = await Passes([.. large, "-f", Prepare]);
        Assert.Equal(5, first.Error.Split("Read connections until").Length - 1);
        Assert.DoesNotContain("Read connections until", again.Error, StringComparison.Ordinal);
        await Database.ExecuteAsync("INSERT INTO connections (\"timestamp\", src_mac, dst_ip, dst_port) VALUES ('2026-03-01 01:00Z', '02:00:5e:00:00:01', '192.0.2.1', 443)");
        await Passes(Files(AllUp.Skip(1)));

        Assert.Equal(await StateAfter(null), await StateOf(Database));
        Assert.Equal(
            await Database.ScalarAsync<string>("""
                SELECT string_agg(concat_ws(' ', src_mac, hour, n), ', ' ORDER BY src_mac, hour)
                FROM (SELECT src_mac, date_trunc('hour', "timestamp") AS hour, count(*) AS n FROM connections GROUP BY 1, 2) AS h
                """),
            await Database.ScalarAsync<string>(Hours));
        Assert.Contains("already", (await Passes(["-f", Prepare])).Error, StringComparison.Ordinal);
        Assert.Equal(await StateAfter(null), await StateOf(Database));
    }

    [Fact]
    public async Task A_migrator_goes_on_after_a_script_and_has_nothing_to_do_after_all()
    {
        await Passes(["-f", $"{Migrations[0].FileName}.up.sql"]);
        await using (var context = Database.NewContext())
        {
            Assert.Equal(Migrations.Skip(1).Select(migration => migration.Id), await context.Database.GetPendingMigrationsAsync(Cancel));
            await context.Database.MigrateAsync(Cancel);
        }

        await Passes(["-f", Idempotent]);

        Assert.Equal(await StateAfter(null), await StateOf(Database));
    }

    [Fact]
    public async Task Down_leaves_the_migration_before_and_up_again_the_same()
    {
        await Passes(Files(AllUp));
        var full = await StateOf(Database);

        foreach (var migration in Migrations.Reverse())
        {
            await Passes(["-f", $"{migration.FileName}.down.sql"]);
            Assert.Equal(
                await StateAfter(migration.Number == 1 ? "0" : Migrations[migration.Number - 2].Id),
                await StateOf(Database));
        }

        await Passes(Files(AllUp));
        Assert.Equal(full, await StateOf(Database));
    }

    [Fact]
    public async Task Up_again_after_the_newest_down_gives_the_same_columns_behind_those_that_were_dropped()
    {
        await Passes(Files(AllUp));
        var full = await StateOf(Database);

        await Passes(["-f", AllDown.First(), "-f", AllUp.Last()]);
        await using var migrated = await Migrated();
        await AssertAlike(migrated, "public");

        Assert.Equal(full.Select(WithoutPosition).Order(), (await StateOf(Database)).Select(WithoutPosition).Order());

        static string WithoutPosition(string line)
            => line.StartsWith("column ", StringComparison.Ordinal)
                ? string.Join(' ', line.Split(' ').Where((_, word) => word != 2))
                : line;
    }

    [Fact]
    public async Task Scripts_work_whatever_the_client_takes_for_its_encoding()
    {
        var latin = Database.ConnectionStringWith(settings => settings.ApplicationName = "latin");

        await Passes(["-c", "SET client_encoding = 'LATIN1'", "-f", Idempotent], connection: latin);

        Assert.Equal(await StateAfter(null), await StateOf(Database));
    }

    [Fact]
    public async Task Session_is_left_as_it_was()
    {
        const string show = """
            SELECT current_setting('search_path'), current_setting('lock_timeout'), current_setting('statement_timeout'), current_setting('client_encoding')
            """;
        string[] settings = ["-c", "SET search_path = \"$user\", public; SET lock_timeout = '7s'; SET statement_timeout = '8s'"];

        var result = await Passes(
            ["-q", "-At", "-v", "schema=site", .. settings, "-c", show, .. Files(AllUp), "-c", show, .. Files(AllDown), "-c", show]);

        Assert.Equal(Enumerable.Repeat("\"$user\", public|7s|8s|UTF8", 3), result.Output.TrimEnd().Split('\n'));
    }
}
