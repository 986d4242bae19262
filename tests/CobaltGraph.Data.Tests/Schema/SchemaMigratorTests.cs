using CobaltGraph.Data.Schema;
using CobaltGraph.Testing;
using Npgsql;

namespace CobaltGraph.Data.Tests.Schema;

public class SchemaMigratorTests(PostgresServerFixture server)
{
    [Fact]
    public async Task Run_that_ends_just_before_the_lock_is_taken_is_noticed()
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var database = await server.CreateDatabaseAsync(migrated: false);
        var connections = 0;
        var builder = new NpgsqlDataSourceBuilder(database.ConnectionString);
        builder.UsePhysicalConnectionInitializer(
            _ => throw new NotSupportedException(),
            async _ =>
            {
                // The second connection is the lock's: the state was read, the lock is not yet tried for.
                if (++connections == 2)
                    await MigrateAsync(new SchemaMigrator(database.DataSource));
            });
        await using var source = builder.Build();

        var report = await MigrateAsync(new SchemaMigrator(source));

        Assert.Empty(report.Steps);
        Assert.Empty(report.Before.Pending);
        Assert.NotEmpty(report.ByOthers);

        Task<MigrationReport> MigrateAsync(SchemaMigrator migrator)
            => migrator.MigrateAsync(null, mayRevert: [], TimeSpan.FromSeconds(30), _ => { }, _ => { }, cancel);
    }

    [Fact]
    public async Task Only_reverts_that_were_agreed_to_are_made()
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var database = await server.CreateDatabaseAsync();
        var migrator = new SchemaMigrator(database.DataSource);
        var applied = (await migrator.ReadStateAsync(cancel)).Applied;

        var error = await Assert.ThrowsAsync<MigrationRefusedException>(() => RevertAsync([]));
        Assert.Contains(applied[0], error.Message);
        Assert.Equal(applied, (await migrator.ReadStateAsync(cancel)).Applied);

        await RevertAsync([.. applied]);
        Assert.Empty((await migrator.ReadStateAsync(cancel)).Applied);

        Task<MigrationReport> RevertAsync(string[] mayRevert)
            => migrator.MigrateAsync("0", mayRevert, TimeSpan.FromSeconds(30), _ => { }, _ => { }, cancel);
    }
}
