using System.Collections.Concurrent;
using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace CobaltGraph.Data.Queries;

/// <summary>
/// Runs queries by EF Core's compiled ones. Without them EF Core looks at the whole expression of each call several times, to
/// find the plan that it made for the first: a quarter of the time of a page, and of what it allocates. Here it is looked at
/// once. A query that is unlike any before becomes a compiled query, with what it holds in variables as its parameters.
/// </summary>
internal static class PreparedQueries
{
    // The layer has some hundreds. Should an expression vary without bound, it is asked as any other.
    private const int MaxQueries = 4000;

    // Those of EF.CompileAsyncQuery.
    private const int MaxParameters = 15;

    private static readonly ConditionalWeakTable<IModel, ConcurrentDictionary<QueryForm, Delegate?>> Models = [];

    /// <summary>The rows of a query, all at once.</summary>
    /// <param name="query">A query over the context that tracks nothing, asked within <see cref="WholeCall"/>.</param>
    /// <param name="context">The context.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public static async Task<List<T>> ReadAsync<T>(
        this IQueryable<T> query, CobaltGraphContext context, CancellationToken cancellationToken)
    {
        if (Find(query, context) is not var (run, values))
            return await query.ToListAsync(cancellationToken).ConfigureAwait(false);
        var rows = new List<T>();
        await foreach (var row in run(context, values).WithCancellation(cancellationToken).ConfigureAwait(false))
            rows.Add(row);
        return rows;
    }

    /// <summary>Whether a query is asked as a compiled one.</summary>
    internal static bool IsPrepared<T>(IQueryable<T> query, CobaltGraphContext context) => Find(query, context) is not null;

    private static (Run<T> Run, object?[] Values)? Find<T>(IQueryable<T> query, CobaltGraphContext context)
    {
        if (QueryForm.Read(query.Expression, out var marks) is not { } values)
            return null;
        var known = Models.GetValue(context.Model, static _ => new(QueryForm.Comparer));
        var lookup = known.GetAlternateLookup<ReadOnlySpan<object>>();
        if (!lookup.TryGetValue(marks, out var run))
        {
            if (known.Count >= MaxQueries)
                return null;
            run = known.GetOrAdd(new QueryForm(marks.ToArray()), Prepare<T>(query.Expression));
        }

        return run is null ? null : ((Run<T>)run, values);
    }

    private static Run<T>? Prepare<T>(Expression query)
    {
        var (body, parameters) = QueryForm.Parameterize(query);
        if (parameters.Count > MaxParameters)
            return null;
        var context = Expression.Parameter(typeof(CobaltGraphContext), "context");
        Type[] types = [typeof(CobaltGraphContext), .. parameters.Select(parameter => parameter.Type)];
        var compile = typeof(EF).GetMethods(BindingFlags.Public | BindingFlags.Static)
            .Single(method => method.Name == nameof(EF.CompileAsyncQuery)
                              && method.GetGenericArguments().Length == types.Length + 1
                              && method.GetParameters()[0].ParameterType.GetGenericArguments()[0].GetGenericArguments()[^1] is { IsGenericType: true } result
                              && result.GetGenericTypeDefinition() == typeof(IQueryable<>))
            .MakeGenericMethod([.. types, typeof(T)]);
        var lambda = Expression.Lambda(Expression.GetFuncType([.. types, typeof(IQueryable<T>)]), body, [context, .. parameters]);
        var compiled = compile.Invoke(null, [lambda])!;

        var values = Expression.Parameter(typeof(object?[]), "values");
        var arguments = parameters.Select((parameter, i) => (Expression)Expression.Convert(
            Expression.ArrayIndex(values, Expression.Constant(i)), parameter.Type));
        return Expression.Lambda<Run<T>>(Expression.Invoke(Expression.Constant(compiled), [context, .. arguments]), context, values).Compile();
    }

    private delegate IAsyncEnumerable<T> Run<out T>(CobaltGraphContext context, object?[] values);
}
