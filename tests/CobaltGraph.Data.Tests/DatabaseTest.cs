using CobaltGraph.Testing;
using Npgsql;

[assembly: AssemblyFixture(typeof(PostgresServerFixture))]

namespace CobaltGraph.Data.Tests;

/// <summary>A test with a migrated database of its own.</summary>
public abstract class DatabaseTest(PostgresServerFixture server) : IAsyncLifetime
{
    protected PostgresServerFixture Server { get; } = server;

    protected TestDatabase Database { get; private set; } = null!;

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => Database = await Server.CreateDatabaseAsync();

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected Task<int> Run(string sql) => Database.ExecuteAsync(sql);

    protected Task<T?> Scalar<T>(string sql) => Database.ScalarAsync<T>(sql);

    protected Task<long> Count(string from) => Database.ScalarAsync<long>($"SELECT count(*) FROM {from}");

    /// <summary>The first column of every row, as text; NULL is null.</summary>
    protected async Task<string?[]> Texts(string sql)
        => [.. (await Database.QueryAsync(sql)).Select(row => row[0]?.ToString())];

    /// <summary>Runs a statement that the database must refuse.</summary>
    protected async Task<PostgresException> Refused(string sql, string sqlState)
    {
        var error = await Assert.ThrowsAsync<PostgresException>(() => Run(sql));
        Assert.Equal(sqlState, error.SqlState);
        return error;
    }
}
