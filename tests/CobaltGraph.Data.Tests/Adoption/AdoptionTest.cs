using CobaltGraph.Data.Adoption;
using CobaltGraph.Data.Schema.Catalog;
using CobaltGraph.Testing;
using Npgsql;

namespace CobaltGraph.Data.Tests.Adoption;

/// <summary>A test with an empty database of its own, and the original in it.</summary>
public abstract class AdoptionTest(PostgresServerFixture server) : IAsyncLifetime
{
    protected PostgresServerFixture Server { get; } = server;

    protected TestDatabase Database { get; private set; } = null!;

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Database = await Server.CreateDatabaseAsync(migrated: false);
        await Run(OriginalSchema.Create);
    }

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private protected static async Task<AdoptionReport> Adopt(
        NpgsqlDataSource dataSource, TimeSpan timeout = default, Action<AdoptionProgress>? progress = null)
        => await new Adopter(dataSource).AdoptAsync(timeout, _ => { }, progress ?? (_ => { }), Cancel);

    private protected Task<AdoptionReport> Adopt() => Adopt(Database.DataSource);

    private protected Task<AdoptionSurvey> Survey() => new Adopter(Database.DataSource).SurveyAsync(Cancel);

    protected Task<int> Run(string sql) => Database.ExecuteAsync(sql);

    /// <summary>The columns of every row, as text, with a bar between them; NULL is empty.</summary>
    protected async Task<string[]> Rows(string sql)
        => [.. (await Database.QueryAsync(sql)).Select(row => string.Join('|', row.Select(value => value?.ToString())))];

    /// <summary>What one query gives and the other does not, a sample of each.</summary>
    protected async Task<string[]> Differences(string one, string other)
        => [
            .. await Rows($"SELECT 'only in the first', x::text FROM (({one}) EXCEPT ALL ({other})) AS x LIMIT 5"),
            .. await Rows($"SELECT 'only in the second', x::text FROM (({other}) EXCEPT ALL ({one})) AS x LIMIT 5"),
        ];

    /// <summary>Every object of every schema with its comment and rights, and every row with the transaction that wrote it.</summary>
    protected static async Task<string[]> ContentsAsync(TestDatabase database)
    {
        ArgumentNullException.ThrowIfNull(database);
        var contents = new List<string>();
        await using var connection = await database.DataSource.OpenConnectionAsync(Cancel);
        foreach (var schema in await database.QueryAsync(
            "SELECT nspname::text FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema' ORDER BY 1"))
        {
            var catalog = await SchemaCatalog.ReadAsync(connection, (string)schema[0]!, null, Cancel);
            contents.AddRange(catalog.ToLines().Select(line => $"{schema[0]}: {line}"));
        }

        foreach (var table in await database.QueryAsync("""
            SELECT oid::regclass::text FROM pg_class
            WHERE relkind IN ('r', 'S') AND relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
            ORDER BY 1
            """))
        {
            var rows = await database.QueryAsync($"SELECT concat(whole.xmin, ' ', ROW(whole.*)) FROM {table[0]} AS whole ORDER BY 1");
            contents.AddRange(rows.Select(row => $"{table[0]}: {row[0]}"));
        }

        return [.. contents];
    }

    private protected async Task<AdoptionRefusedException> Refused(Func<Task> action)
        => await Assert.ThrowsAsync<AdoptionRefusedException>(action);
}
