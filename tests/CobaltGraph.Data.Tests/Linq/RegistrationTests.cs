using CobaltGraph.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace CobaltGraph.Data.Tests.Linq;

public class RegistrationTests(PostgresServerFixture server) : DatabaseTest(server)
{
    [Fact]
    public async Task Context_factory_and_data_source_come_from_one_call_that_may_be_repeated()
    {
        var services = new ServiceCollection();
        services.AddCobaltGraph(Database.ConnectionString);
        var once = services.Count;
        services.AddCobaltGraph(Database.ConnectionString);
        Assert.Equal(once, services.Count);
        await using var provider = services.BuildServiceProvider(validateScopes: true);

        await using var scope = provider.CreateAsyncScope();
        Assert.Equal(0, await scope.ServiceProvider.GetRequiredService<CobaltGraphContext>().Devices.CountAsync(Cancel));
        await using var context = await provider.GetRequiredService<IDbContextFactory<CobaltGraphContext>>()
            .CreateDbContextAsync(Cancel);
        Assert.Equal(0, await context.Devices.CountAsync(Cancel));
        await using var command = provider.GetRequiredService<NpgsqlDataSource>().CreateCommand("SELECT 1");
        Assert.Equal(1, await command.ExecuteScalarAsync(Cancel));
    }

    [Fact]
    public async Task Data_source_of_the_application_is_used_and_not_disposed()
    {
        await using var own = NpgsqlDataSource.Create(Database.ConnectionStringWith(c => c.ApplicationName = "own"));
        await using (var provider = new ServiceCollection().AddCobaltGraph(own).BuildServiceProvider())
        await using (var scope = provider.CreateAsyncScope())
        {
            var context = scope.ServiceProvider.GetRequiredService<CobaltGraphContext>();
            Assert.Equal(["own"], await context.Database
                .SqlQueryRaw<string>("SELECT current_setting('application_name') AS \"Value\"").ToListAsync(Cancel));
        }

        await using var command = own.CreateCommand("SELECT 1");
        Assert.Equal(1, await command.ExecuteScalarAsync(Cancel));
    }

    [Fact]
    public async Task Data_source_of_the_application_for_another_database_is_left_alone()
    {
        await using var other = NpgsqlDataSource.Create("Host=other.invalid;Database=other");
        await using var provider = new ServiceCollection().AddSingleton(other)
            .AddCobaltGraph(Database.ConnectionString).BuildServiceProvider();
        await using var scope = provider.CreateAsyncScope();

        var context = scope.ServiceProvider.GetRequiredService<CobaltGraphContext>();

        Assert.Equal(0, await context.Devices.CountAsync(Cancel));
        Assert.Same(other, provider.GetRequiredService<NpgsqlDataSource>());
    }

    [Fact]
    public async Task Contexts_are_pooled_and_retry_transient_faults()
    {
        await using var provider = new ServiceCollection().AddCobaltGraph(Database.ConnectionString).BuildServiceProvider();
        var factory = provider.GetRequiredService<IDbContextFactory<CobaltGraphContext>>();
        CobaltGraphContext first;
        await using (first = await factory.CreateDbContextAsync(Cancel))
            Assert.True(first.Database.CreateExecutionStrategy().RetriesOnFailure);

        await using var second = await factory.CreateDbContextAsync(Cancel);

        Assert.Same(first, second);
    }

    [Fact]
    public async Task Transaction_of_the_application_runs_under_the_retry_strategy()
    {
        await using var context = Database.NewContext();

        await context.Database.CreateExecutionStrategy().ExecuteAsync(async () =>
        {
            await using var transaction = await context.Database.BeginTransactionAsync(Cancel);
            await context.Database.ExecuteSqlRawAsync("INSERT INTO devices (mac_address) VALUES ('02:00:5e:00:00:01')", Cancel);
            await transaction.CommitAsync(Cancel);
        });

        Assert.Equal(1, await Count("devices"));
    }

    [Fact]
    public void Blank_connection_string_is_refused()
        => Assert.Throws<ArgumentException>(() => new ServiceCollection().AddCobaltGraph(" "));
}
