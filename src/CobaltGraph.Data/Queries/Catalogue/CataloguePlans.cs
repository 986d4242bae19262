using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace CobaltGraph.Data.Queries.Catalogue;

/// <summary>Asks the queries of the catalogue on a database, and shows how the server answers what they sent.</summary>
internal sealed class CataloguePlans : IAsyncDisposable
{
    private readonly StatementLog _log;
    private readonly NpgsqlDataSource _noted;
    private readonly NpgsqlDataSource _plain;
    private readonly ServiceProvider _services;

    private CataloguePlans(StatementLog log, string connectionString, TableCatalogue tables, NpgsqlDataSource plain)
    {
        _log = log;
        _noted = log.CreateDataSource(connectionString);
        _plain = plain;
        _services = new ServiceCollection()
            .AddCobaltGraph(_noted, npgsql => npgsql.ExecutionStrategy(services => new NonRetryingExecutionStrategy(services)))
            .ConfigureDbContext<CobaltGraphContext>(options => options.AddInterceptors(log))
            .BuildServiceProvider();
        Tables = tables;
    }

    /// <summary>The tables of the database.</summary>
    public TableCatalogue Tables { get; }

    /// <param name="connectionString">The database, migrated.</param>
    /// <param name="cancellationToken">Ends the look at its tables.</param>
    public static async Task<CataloguePlans> OpenAsync(string connectionString, CancellationToken cancellationToken)
    {
        // A plan is shown of a query that takes minutes too.
        connectionString = new NpgsqlConnectionStringBuilder(connectionString) { CommandTimeout = 0 }.ConnectionString;
        var plain = NpgsqlDataSource.Create(connectionString);
        try
        {
            return new(new StatementLog(), connectionString, await TableCatalogue.ReadAsync(plain, cancellationToken).ConfigureAwait(false), plain);
        }
        catch
        {
            await plain.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The plans of every call, and of the page that follows where one does.</summary>
    /// <param name="only">Texts, one of which is in the names of the queries that are asked; none for all.</param>
    /// <param name="valuesPerKind">Common values of each condition, and as many rare ones.</param>
    /// <param name="seed">The same number draws the same values.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async IAsyncEnumerable<CallPlan> ReadAsync(
        IReadOnlyList<string> only, int valuesPerKind, int seed, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var layer = QueryLayer.Of(_services);
        var samples = await QuerySamples.DrawAsync(_plain, valuesPerKind, seed, cancellationToken).ConfigureAwait(false);
        foreach (var first in QueryCatalogue.Calls(samples))
        {
            if (only.Count > 0 && !only.Any(text => first.Query.Contains(text, StringComparison.OrdinalIgnoreCase)))
                continue;
            for (var call = first; call is not null;)
            {
                _log.Take();
                var answer = await call.RunAsync(layer, cancellationToken).ConfigureAwait(false);
                // The planner's estimate, which counts ask for, is no query.
                Statement[] statements = [.. _log.Take().Where(statement => !statement.Sql.StartsWith("EXPLAIN", StringComparison.Ordinal))];
                var plans = new List<StatementPlan>();
                foreach (var statement in statements)
                    plans.Add(await StatementPlan.ReadAsync(_plain, Tables, statement, cancellationToken).ConfigureAwait(false));
                yield return new CallPlan(call, call.RowsOf(answer), statements, plans);
                call = call.Following?.Invoke(answer);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync().ConfigureAwait(false);
        await _noted.DisposeAsync().ConfigureAwait(false);
        await _plain.DisposeAsync().ConfigureAwait(false);
        _log.Dispose();
    }
}
