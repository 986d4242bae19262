using Dapper;
using Npgsql;

namespace CobaltGraph.Benchmarks.Queries;

/// <summary>A question as it is asked by hand: SQL that is written for it, and rows that are mapped column by column.</summary>
internal abstract class HandQuery(IReadOnlyList<SqlQuery> shapes)
{
    /// <summary>Statements that give the same rows. Which is the fastest depends on the values; that one is measured.</summary>
    public IReadOnlyList<SqlQuery> Shapes => shapes;

    /// <summary>Rows of a page; what is read beyond tells that more follow.</summary>
    public int PageSize { get; init; } = int.MaxValue;

    /// <summary>Whether its rows have an order, which is the same in every way of asking.</summary>
    public bool IsInOrder { get; init; } = true;

    public abstract Task<object> WithNpgsqlAsync(NpgsqlDataSource dataSource, SqlQuery shape, CancellationToken cancellationToken);

    public abstract Task<object> WithDapperAsync(NpgsqlDataSource dataSource, SqlQuery shape, CancellationToken cancellationToken);

    /// <summary>What must be equal, row by row, of what Npgsql read.</summary>
    public abstract IEnumerable<string> Keys(object rows);

    /// <summary>Rows that Dapper read.</summary>
    public abstract int Count(object rows);
}

/// <inheritdoc cref="HandQuery"/>
/// <typeparam name="TRow">What is made by hand.</typeparam>
/// <typeparam name="TMapped">What Dapper makes, by the names of the columns.</typeparam>
internal sealed class HandQuery<TRow, TMapped>(
    IReadOnlyList<SqlQuery> shapes, Func<NpgsqlDataReader, TRow> map, Func<TRow, string> key) : HandQuery(shapes)
{
    public override async Task<object> WithNpgsqlAsync(NpgsqlDataSource dataSource, SqlQuery shape, CancellationToken cancellationToken)
    {
        await using var command = shape.CreateCommand(dataSource);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<TRow>();
        while (await reader.ReadAsync(cancellationToken))
            rows.Add(map(reader));
        return rows;
    }

    public override async Task<object> WithDapperAsync(NpgsqlDataSource dataSource, SqlQuery shape, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<TMapped>(
            new CommandDefinition(shape.Text, shape, cancellationToken: cancellationToken))).AsList();
    }

    public override IEnumerable<string> Keys(object rows) => ((List<TRow>)rows).Take(PageSize).Select(key);

    public override int Count(object rows) => Math.Min(((List<TMapped>)rows).Count, PageSize);
}
