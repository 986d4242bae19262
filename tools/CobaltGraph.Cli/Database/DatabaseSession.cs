using CobaltGraph.Data;
using Npgsql;

namespace CobaltGraph.Cli.Database;

/// <summary>A database that answered.</summary>
internal sealed class DatabaseSession : IAsyncDisposable
{
    private DatabaseSession(DatabaseSettings settings, NpgsqlDataSource dataSource, Version serverVersion)
    {
        Settings = settings;
        DataSource = dataSource;
        ServerVersion = serverVersion;
    }

    public DatabaseSettings Settings { get; }

    public NpgsqlDataSource DataSource { get; }

    public Version ServerVersion { get; }

    public static async Task<DatabaseSession> OpenAsync(
        DatabaseSettings settings, string verb, CancellationToken cancellationToken)
    {
        var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString);
        if (builder.ConnectionStringBuilder.ApplicationName == "cobaltgraph")
            builder.ConnectionStringBuilder.ApplicationName = $"cobaltgraph {Tool.Version} {verb}";

        var dataSource = builder.Build();
        try
        {
            // Before EF Core, which would try an unreachable server again and again before it says so.
            await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
            return new(settings, dataSource, connection.PostgreSqlVersion);
        }
        catch
        {
            await dataSource.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => DataSource.DisposeAsync();
}
