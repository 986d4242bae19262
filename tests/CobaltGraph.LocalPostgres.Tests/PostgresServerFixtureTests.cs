using CobaltGraph.Testing;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace CobaltGraph.LocalPostgres.Tests;

public sealed class PostgresServerFixtureTests(PostgresServerFixture server)
{
    [Fact]
    public async Task Migrated_database_has_every_migration_and_no_row()
    {
        await using var database = await server.CreateDatabaseAsync();
        await using var context = database.NewContext();

        Assert.Empty(await context.Database.GetPendingMigrationsAsync(TestContext.Current.CancellationToken));
        Assert.Equal(0, await context.Devices.CountAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Empty_database_has_no_table()
    {
        await using var database = await server.CreateDatabaseAsync(migrated: false);

        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"));
    }

    [Fact]
    public async Task Databases_do_not_see_each_other()
    {
        await using var one = await server.CreateDatabaseAsync();
        await using var other = await server.CreateDatabaseAsync();

        await one.ExecuteAsync("INSERT INTO devices (mac_address) VALUES ('02:00:00:00:00:01')");

        Assert.Equal(1, await one.ScalarAsync<long>("SELECT count(*) FROM devices"));
        Assert.Equal(0, await other.ScalarAsync<long>("SELECT count(*) FROM devices"));
    }

    [Fact]
    public async Task Database_is_dropped_on_dispose_whoever_is_connected()
    {
        string name;
        await using var admin = NpgsqlDataSource.Create(await server.GetAdminConnectionStringAsync());
        await using (var database = await server.CreateDatabaseAsync())
        {
            name = database.Name;
            var stranger = new NpgsqlConnection(database.ConnectionStringWith(connection => connection.Pooling = false));
            await stranger.OpenAsync(TestContext.Current.CancellationToken);
        }

        await using var count = admin.CreateCommand($"SELECT count(*) FROM pg_database WHERE datname = '{name}'");
        Assert.Equal(0L, await count.ExecuteScalarAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Last_user_of_a_server_leaves_nothing_not_even_of_tests_that_were_killed()
    {
        const string count = "SELECT count(*) FROM pg_database WHERE datname LIKE 'cobaltgraph%' OR datname LIKE 'test%'";
        var cancellation = TestContext.Current.CancellationToken;
        await using var external = await TemporaryServer.StartAsync(cancellationToken: cancellation);
        await using var admin = NpgsqlDataSource.Create(external.ConnectionString);
        await using var look = admin.CreateCommand(count);
        var killed = PostgresServerFixture.On(external.ConnectionString);
        var last = PostgresServerFixture.On(external.ConnectionString);
        await killed.CreateDatabaseAsync();
        await using (await last.CreateDatabaseAsync())
        {
            // Another user of the server is still there: nothing of its own goes.
            await killed.DisposeAsync();
            Assert.Equal(3L, await look.ExecuteScalarAsync(cancellation));
        }

        await last.DisposeAsync();

        Assert.Equal(0L, await look.ExecuteScalarAsync(cancellation));
    }

    [Fact]
    public async Task Helpers_give_null_for_NULL()
    {
        await using var database = await server.CreateDatabaseAsync(migrated: false);

        Assert.Null(await database.ScalarAsync<string>("SELECT NULL::text"));
        Assert.Equal([1, null, "a"], Assert.Single(await database.QueryAsync("SELECT 1, NULL::text, 'a'")));
    }

    [Fact]
    public async Task Many_databases_are_made_at_once()
    {
        var databases = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => server.CreateDatabaseAsync()));

        Assert.Equal(8, databases.Select(database => database.Name).Distinct().Count());
        foreach (var database in databases)
            await database.DisposeAsync();
    }
}
