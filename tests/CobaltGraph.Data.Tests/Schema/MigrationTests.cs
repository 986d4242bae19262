using CobaltGraph.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;

namespace CobaltGraph.Data.Tests.Schema;

public class MigrationTests(PostgresServerFixture server) : DatabaseTest(server)
{
    [Fact]
    public async Task Model_has_no_changes_that_wait_for_a_migration()
    {
        await using var context = Database.NewContext();
        var services = context.GetInfrastructure();
        var snapshot = services.GetRequiredServiceOf<IMigrationsAssembly>().ModelSnapshot!.Model;
        var source = services.GetRequiredServiceOf<IModelRuntimeInitializer>()
            .Initialize(((IMutableModel)snapshot).FinalizeModel(), designTime: true);
        var target = services.GetRequiredServiceOf<IDesignTimeModel>().Model;

        var changes = services.GetRequiredServiceOf<IMigrationsModelDiffer>()
            .GetDifferences(source.GetRelationalModel(), target.GetRelationalModel());

        Assert.Empty(changes.Select(change => change.ToString()));
        Assert.False(context.Database.HasPendingModelChanges());
    }

    [Fact]
    public async Task Migration_down_to_zero_leaves_nothing_and_up_again_leaves_the_same()
    {
        var before = await Catalogue.ReadAsync(Database);
        await using var context = Database.NewContext();

        await context.Database.MigrateAsync("0", Cancel);
        Assert.Empty(from line in await Catalogue.ReadAsync(Database)
                     where !line.Contains("__EFMigrationsHistory", StringComparison.Ordinal)
                        && !line.Contains("pk___ef_migrations_history", StringComparison.Ordinal)
                     select line);

        await context.Database.MigrateAsync(Cancel);
        Assert.Equal(before, await Catalogue.ReadAsync(Database));
    }

    [Fact]
    public async Task Idempotent_script_leaves_what_a_migration_leaves_and_changes_nothing_when_run_again()
    {
        var script = Script(MigrationsSqlGenerationOptions.Idempotent);
        await using var other = await Server.CreateDatabaseAsync(migrated: false);

        await other.ExecuteAsync(script);
        Assert.Equal(await Catalogue.ReadAsync(Database), await Catalogue.ReadAsync(other));
        await other.ExecuteAsync("INSERT INTO connections (src_mac, dst_ip, dst_port) VALUES ('02:00:5e:00:00:01', '192.0.2.1', 443)");

        await other.ExecuteAsync(script);
        Assert.Equal(await Catalogue.ReadAsync(Database), await Catalogue.ReadAsync(other));
        Assert.Equal(1, await other.ScalarAsync<long>("SELECT connection_count FROM devices"));
        Assert.Equal(2, await other.ScalarAsync<long>("""SELECT count(*) FROM "__EFMigrationsHistory" """));
    }

    [Fact]
    public async Task Idempotent_script_run_by_psql_leaves_what_a_migration_leaves()
    {
        var psql = Psql.Find();
        Assert.SkipWhen(psql is null, "psql is not installed; the same script is run through Npgsql by another test.");
        await using var other = await Server.CreateDatabaseAsync(migrated: false);

        for (var run = 1; run <= 2; run++)
        {
            await Psql.RunAsync(psql, other, Script(MigrationsSqlGenerationOptions.Idempotent), Cancel);
            Assert.Equal(await Catalogue.ReadAsync(Database), await Catalogue.ReadAsync(other));
        }
    }

    [Theory]
    [InlineData(MigrationsSqlGenerationOptions.NoTransactions)]
    [InlineData(MigrationsSqlGenerationOptions.Idempotent | MigrationsSqlGenerationOptions.NoTransactions)]
    public async Task Script_without_transactions_leaves_what_a_migration_leaves(MigrationsSqlGenerationOptions options)
    {
        var psql = Psql.Find();
        Assert.SkipWhen(psql is null, "psql is not installed; Npgsql would run the script as one transaction.");
        await using var other = await Server.CreateDatabaseAsync(migrated: false);

        await Psql.RunAsync(psql, other, Script(options), Cancel);

        Assert.Equal(await Catalogue.ReadAsync(Database), await Catalogue.ReadAsync(other));
    }

    [Fact]
    public async Task Plain_script_leaves_what_a_migration_leaves()
    {
        await using var other = await Server.CreateDatabaseAsync(migrated: false);

        await other.ExecuteAsync(Script(MigrationsSqlGenerationOptions.Default));

        Assert.Equal(await Catalogue.ReadAsync(Database), await Catalogue.ReadAsync(other));
    }

    [Fact]
    public async Task Two_migrators_at_once_migrate_once()
    {
        await using var other = await Server.CreateDatabaseAsync(migrated: false);

        await Task.WhenAll(Enumerable.Range(0, 3).Select(async _ =>
        {
            await using var context = other.NewContext();
            await context.Database.MigrateAsync(Cancel);
        }));

        Assert.Equal(await Catalogue.ReadAsync(Database), await Catalogue.ReadAsync(other));
    }

    // What EF Core believes, held against what the server has.
    [Fact]
    public async Task Model_agrees_with_the_database()
    {
        await using var context = Database.NewContext();
        var model = context.GetInfrastructure().GetRequiredServiceOf<IDesignTimeModel>().Model.GetRelationalModel();
        var relations = model.Tables
            .Select(t => (t.Name, Columns: t.Columns.Cast<IColumnBase>()))
            .Concat(model.Views.Select(v => (v.Name, Columns: v.Columns.Cast<IColumnBase>())))
            .ToArray();

        Assert.Equal(
            from relation in relations
            from column in relation.Columns
            let line = $"{relation.Name}.{column.Name} {column.StoreType}"
            orderby line
            select line,
            (await Texts($"""
                SELECT attrelid::regclass || '.' || attname || ' ' || format_type(atttypid, atttypmod) FROM pg_attribute
                WHERE attrelid::regclass::text IN ({List(relations.Select(r => r.Name))}) AND attnum > 0 AND NOT attisdropped
                """)).Order());
        Assert.Equal(
            from table in model.Tables
            from column in table.Columns
            where !column.IsNullable
            let line = $"{table.Name}.{column.Name}"
            orderby line
            select line,
            (await Texts($"""
                SELECT attrelid::regclass || '.' || attname FROM pg_attribute
                WHERE attrelid::regclass::text IN ({List(model.Tables.Select(t => t.Name))}) AND attnum > 0 AND attnotnull
                """)).Order());
        Assert.Equal(
            model.Tables.SelectMany(t => t.Indexes.Select(i => i.Name)
                .Concat(t.UniqueConstraints.Select(c => c.Name))
                .Concat(t.ForeignKeyConstraints.Select(c => c.Name))
                .Concat(t.CheckConstraints.Select(c => c.Name!))).Order(),
            (await Texts($"""
                SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid::regclass::text IN ({List(model.Tables.Select(t => t.Name))})
                UNION
                SELECT conname FROM pg_constraint
                WHERE conrelid::regclass::text IN ({List(model.Tables.Select(t => t.Name))}) AND contype IN ('p', 'u', 'f', 'c')
                """)).Order());

        static string List(IEnumerable<string> names) => string.Join(", ", names.Select(name => $"'{name}'"));
    }

    private string Script(MigrationsSqlGenerationOptions options)
    {
        using var context = Database.NewContext();
        return context.GetInfrastructure().GetRequiredServiceOf<IMigrator>().GenerateScript(options: options);
    }
}
