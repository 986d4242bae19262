using System.Collections.Concurrent;
using CobaltGraph.Data.Schema.Catalog;
using CobaltGraph.Data.Schema.Scripts;
using CobaltGraph.Testing;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace CobaltGraph.Data.Tests.Schema.Scripts;

/// <summary>A test that runs scripts with psql on an empty database of its own.</summary>
public abstract class ScriptTest(PostgresServerFixture server) : IAsyncLifetime
{
    protected const string Idempotent = "cobaltgraph.idempotent.sql";

    private protected static readonly IReadOnlyList<ScriptedMigration> Migrations = MigrationScripts.Read();

    // Every test of a run has the same server.
    private static readonly ConcurrentDictionary<string, string[]> States = new();

    private string _psql = "";

    protected PostgresServerFixture Server { get; } = server;

    protected TestDatabase Database { get; private set; } = null!;

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    protected string PsqlPath => _psql;

    protected static IEnumerable<string> AllUp => Migrations.Select(migration => $"{migration.FileName}.up.sql");

    protected static IEnumerable<string> AllDown => Migrations.Reverse().Select(migration => $"{migration.FileName}.down.sql");

    public async ValueTask InitializeAsync()
    {
        var psql = Psql.Find();
        Assert.SkipWhen(psql is null, "psql is not installed; the scripts are for psql.");
        _psql = psql;
        Database = await Server.CreateDatabaseAsync(migrated: false);
    }

    public async ValueTask DisposeAsync()
    {
        if (Database is not null)
            await Database.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>Runs psql with these arguments, or a script from standard input.</summary>
    private protected Task<PsqlResult> Run(string[] arguments, string input = "", string? connection = null)
        => Psql.CallAsync(_psql, connection ?? Database.ConnectionString, arguments, input, Cancel);

    private protected async Task<PsqlResult> Passes(string[] arguments, string input = "", string? connection = null)
    {
        var result = await Run(arguments, input, connection);
        Assert.True(result.ExitCode == 0, $"psql {string.Join(' ', arguments)} ended with {result.ExitCode}: {result.Error}");
        return result;
    }

    /// <summary>Runs psql, which must end with an error that says this, and change nothing.</summary>
    private protected async Task<PsqlResult> Refuses(string message, string[] arguments, string input = "")
    {
        var before = await StateOf(Database);
        var result = await Run(arguments, input);
        Assert.True(result.ExitCode == 3, $"psql {string.Join(' ', arguments)} ended with {result.ExitCode}: {result.Error}");
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
        Assert.Equal(before, await StateOf(Database));
        return result;
    }

    protected static string[] Files(IEnumerable<string> scripts) => [.. scripts.SelectMany(script => new[] { "-f", script })];

    protected static string Read(string script) => File.ReadAllText(Repository.PathOf("Migrations.Sql", "scripts", script));

    /// <summary>A database that EF Core migrated, up to this migration or to the last.</summary>
    protected async Task<TestDatabase> Migrated(string? target = null)
    {
        var other = await Server.CreateDatabaseAsync(migrated: false);
        await using var context = other.NewContext();
        await context.Database.MigrateAsync(target, Cancel);
        return other;
    }

    /// <summary>The state that EF Core's migrations lead to, up to this one or to the last; made once.</summary>
    private protected async Task<string[]> StateAfter(string? migration)
    {
        // Two tests at once may both make it. One that failed is not kept.
        if (!States.TryGetValue(migration ?? "", out var state))
        {
            await using var other = await Migrated(migration);
            state = States.GetOrAdd(migration ?? "", await StateOf(other));
        }

        return state;
    }

    /// <summary>All that the server says of schema public: texts and positions, owners, rights, policies.</summary>
    private protected static async Task<string[]> StateOf(TestDatabase database)
        => [.. await Catalogue.ReadAsync(database), .. (await ReadCatalog(database, "public")).ToLines()];

    /// <summary>The server's catalogue must say the same of two schemas, whatever they are called.</summary>
    protected async Task AssertAlike(TestDatabase expected, string schema)
        => Assert.Empty(
            SchemaCatalog.Compare(await ReadCatalog(expected, "public"), await ReadCatalog(Database, schema))
                .Select(difference => $"{difference.Kind} {difference.Name} {difference.Property}: {difference.Expected} / {difference.Found}"));

    private static async Task<SchemaCatalog> ReadCatalog(TestDatabase database, string schema)
    {
        await using var connection = await database.DataSource.OpenConnectionAsync(Cancel);
        return await SchemaCatalog.ReadAsync(connection, schema, null, Cancel);
    }

    protected string Site(string schema, Action<NpgsqlConnectionStringBuilder>? change = null)
        => Database.ConnectionStringWith(settings =>
        {
            settings.SearchPath = $"\"{schema.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
            change?.Invoke(settings);
        });
}
