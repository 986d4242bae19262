using CobaltGraph.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace CobaltGraph.Cli.Database;

/// <summary>A database that answered.</summary>
internal sealed class DatabaseSession : IAsyncDisposable, IDbContextFactory<CobaltGraphContext>
{
    // Those of an import, with 32 writers, the look-up of what is stored, and one to spare.
    private const int MostSessions = 34;

    private DbContextOptions<CobaltGraphContext>? _options;

    private DatabaseSession(DatabaseSettings settings, NpgsqlDataSource dataSource, string serverVersion)
    {
        Settings = settings;
        DataSource = dataSource;
        ServerVersion = serverVersion;
    }

    public DatabaseSettings Settings { get; }

    public NpgsqlDataSource DataSource { get; }

    /// <summary>As the server writes it, for example <c>18.4</c>.</summary>
    public string ServerVersion { get; }

    public static async Task<DatabaseSession> OpenAsync(
        DatabaseSettings settings, string verb, CancellationToken cancellationToken)
    {
        var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString);
        if (builder.ConnectionStringBuilder.ApplicationName == "cobaltgraph")
            builder.ConnectionStringBuilder.ApplicationName = $"cobaltgraph {Tool.Version} {verb}";

        // Limits of an application's pool. A verb is one user.
        builder.ConnectionStringBuilder.MinPoolSize = 0;
        builder.ConnectionStringBuilder.MaxPoolSize = Math.Max(MostSessions, builder.ConnectionStringBuilder.MaxPoolSize);

        var dataSource = builder.Build();
        try
        {
            await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
            return new(settings, dataSource, connection.PostgresParameters["server_version"]);
        }
        catch
        {
            await dataSource.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// A context that does not try again after a fault: a person at a terminal rather hears of it, and results can be
    /// passed on row by row instead of being held until all are there.
    /// </summary>
    public CobaltGraphContext NewContext()
    {
        if (_options is null)
        {
            var options = new DbContextOptionsBuilder<CobaltGraphContext>();
            options.UseCobaltGraph(
                DataSource, npgsql => npgsql.ExecutionStrategy(services => new NonRetryingExecutionStrategy(services)));
            options.UseQueryTrackingBehavior(QueryTrackingBehavior.NoTracking);
            _options = options.Options;
        }

        return new CobaltGraphContext(_options);
    }

    /// <summary>The database as it is at one moment, for an answer of several statements. Holds a transaction until it is disposed.</summary>
    public Task<DatabaseSnapshot> BeginSnapshotAsync(CancellationToken cancellationToken) => DatabaseSnapshot.BeginAsync(NewContext, cancellationToken);

    CobaltGraphContext IDbContextFactory<CobaltGraphContext>.CreateDbContext() => NewContext();

    public ValueTask DisposeAsync() => DataSource.DisposeAsync();
}
