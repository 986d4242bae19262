using CobaltGraph.Data.Schema;
using CobaltGraph.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace CobaltGraph.Data.Tests.Schema;

public class SchemaGuardTests(PostgresServerFixture server) : DatabaseTest(server)
{
    [Fact]
    public async Task Application_starts_on_a_schema_of_its_version_and_asks_once()
    {
        await using var services = new ServiceCollection().AddCobaltGraph(Database.ConnectionString)
            .RequireCurrentSchema().RequireCurrentSchema().BuildServiceProvider();

        await Assert.Single(services.GetServices<IHostedService>()).StartAsync(Cancel);
    }

    // As behind a pooler that resets nothing.
    [Fact]
    public async Task Application_that_asked_has_its_own_settings_still()
    {
        var connectionString = Database.ConnectionStringWith(c => (c.NoResetOnClose, c.MaxPoolSize) = (true, 1));
        await using var services = new ServiceCollection().AddCobaltGraph(connectionString).RequireCurrentSchema().BuildServiceProvider();
        var source = services.GetRequiredService<NpgsqlDataSource>();
        await using (var set = source.CreateCommand("SET statement_timeout = '7s'; SET lock_timeout = '3s'"))
            await set.ExecuteNonQueryAsync(Cancel);

        await Assert.Single(services.GetServices<IHostedService>()).StartAsync(Cancel);

        await using var ask = source.CreateCommand("SELECT concat_ws(' ', current_setting('statement_timeout'), current_setting('lock_timeout'))");
        Assert.Equal("7s 3s", await ask.ExecuteScalarAsync(Cancel));
    }

    [Fact]
    public async Task Application_does_not_start_while_migrations_are_pending_or_unknown_and_says_which()
    {
        await using (var context = Database.NewContext())
            await context.Database.MigrateAsync("20261124000001_DeviceInventory", Cancel);
        await Run("""INSERT INTO "__EFMigrationsHistory" VALUES ('20991231000000_Later', '10.0.0')""");

        var error = await StartAsync(Database.ConnectionString);

        Assert.Equal("public", error.Schema);
        Assert.Equal(["20261124000002_ThreatScoring"], error.Pending);
        Assert.Equal(["20991231000000_Later"], error.Unknown);
        Assert.Contains("20261124000002_ThreatScoring: run `cobaltgraph migrate`", error.Message, StringComparison.Ordinal);
        Assert.Contains("20991231000000_Later, which this version does not know", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Application_does_not_start_without_its_schema()
        => Assert.Contains(
            "\"nowhere\" is not of this version of CobaltGraph. It does not exist.",
            (await StartAsync(Database.ConnectionStringWith(c => c.SearchPath = "nowhere"))).Message,
            StringComparison.Ordinal);

    [Fact]
    public async Task Migration_by_another_tool_shows_who_makes_it()
    {
        await using var other = await Database.DataSource.OpenConnectionAsync(Cancel);
        await using (var take = new NpgsqlCommand($"SELECT pg_advisory_lock({SiteMigrator.LockClass}, hashtext('public'))", other))
            await take.ExecuteNonQueryAsync(Cancel);
        await using var connection = await Database.DataSource.OpenConnectionAsync(Cancel);

        Assert.Equal(other.ProcessID, (await MigrationLock.FindHolderAsync(connection, "public", Cancel))?.ProcessId);
        Assert.Null(await MigrationLock.FindHolderAsync(connection, "site_b", Cancel));
    }

    private static async Task<SchemaMismatchException> StartAsync(string connectionString)
    {
        await using var services = new ServiceCollection().AddCobaltGraph(connectionString).RequireCurrentSchema().BuildServiceProvider();
        return await Assert.ThrowsAsync<SchemaMismatchException>(
            () => Assert.Single(services.GetServices<IHostedService>()).StartAsync(Cancel));
    }
}
