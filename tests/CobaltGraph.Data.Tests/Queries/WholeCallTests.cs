using System.Data.Common;
using CobaltGraph.Data.Queries;
using CobaltGraph.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace CobaltGraph.Data.Tests.Queries;

public class WholeCallTests(PostgresServerFixture server) : DatabaseTest(server)
{
    private static readonly ConnectionFilter Named = new() { Hostname = "wanted" };

    [Fact]
    public async Task Call_whose_later_statement_fails_is_made_again_as_a_whole()
    {
        await SeedAsync();
        var undisturbed = new Contexts(Database.DataSource, failing: 0);
        var expected = await Search(undisturbed);
        Assert.Equal([1L], expected.Items.Select(row => row.Id));
        Assert.True(undisturbed.Statements > 1, $"{undisturbed.Statements} statements");

        var disturbed = new Contexts(Database.DataSource, failing: 2);
        var page = await Search(disturbed);

        Assert.Equal(expected.Items.Select(row => row.Id), page.Items.Select(row => row.Id));
        Assert.Equal(undisturbed.Statements + 2, disturbed.Statements);
        Assert.False(disturbed.RetriedEach);
    }

    [Fact]
    public async Task Application_that_does_not_want_it_gets_the_error()
    {
        await SeedAsync();
        var contexts = new Contexts(Database.DataSource, failing: 2, retries: false);

        await Assert.ThrowsAsync<NpgsqlException>(() => Search(contexts));
        Assert.Equal(2, contexts.Statements);
    }

    [Fact]
    public async Task What_is_asked_after_a_call_is_retried_by_EF_Core_again()
    {
        await SeedAsync();
        var contexts = new Contexts(Database.DataSource, failing: 0);
        await Search(contexts);

        Assert.Null(ExecutionStrategy.Current);
        await using var context = contexts.CreateDbContext();
        await context.Devices.ToListAsync(Cancel);
        Assert.True(contexts.RetriedEach);
    }

    // One wanted row beyond the first look.
    private Task<int> SeedAsync() => Run("""
        INSERT INTO connections (id, "timestamp", src_mac, dst_ip, dst_port, dst_hostname)
        SELECT n, '2026-01-01Z'::timestamptz + n * interval '1 second', '02:00:00:00:00:01', '192.0.2.0'::inet + n % 200,
               443, CASE WHEN n = 1 THEN 'wanted.example' ELSE 'other.example' END
        FROM generate_series(1, 6000) AS n
        """);

    private static Task<ConnectionPage> Search(Contexts contexts)
        => new ConnectionQueries(contexts, new QueryOptions()).SearchAsync(Named, cancellationToken: Cancel);

    // Lets one statement fail as a lost connection does.
    private sealed class Contexts(NpgsqlDataSource dataSource, int failing, bool retries = true)
        : DbCommandInterceptor, IDbContextFactory<CobaltGraphContext>
    {
        public int Statements { get; private set; }

        public bool RetriedEach { get; private set; }

        public CobaltGraphContext CreateDbContext()
        {
            var options = new DbContextOptionsBuilder<CobaltGraphContext>();
            options.UseCobaltGraph(dataSource, npgsql =>
            {
                if (!retries)
                    npgsql.ExecutionStrategy(dependencies => new NonRetryingExecutionStrategy(dependencies));
            });
            return new(options.AddInterceptors(this).Options);
        }

        public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
            DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
        {
            Statements++;
            RetriedEach |= ExecutionStrategy.Current is { RetriesOnFailure: true };
            return Statements == failing
                ? throw new NpgsqlException("Lost.", new IOException())
                : base.ReaderExecutingAsync(command, eventData, result, cancellationToken);
        }
    }
}
