using CobaltGraph.LocalPostgres;
using Npgsql;
using Testcontainers.PostgreSql;

namespace CobaltGraph.Testing;

/// <summary>A PostgreSQL for tests, from the first provider that has one.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    public const string ConnectionVariable = "COBALTGRAPH_TEST_CONNECTION";
    public const string ProviderVariable = "COBALTGRAPH_TEST_PROVIDER";

    private readonly IAsyncDisposable? _owned;

    internal TestServer(string connectionString, IAsyncDisposable? owned)
    {
        ConnectionString = connectionString;
        _owned = owned;
    }

    public string ConnectionString { get; }

    public static async Task<TestServer> StartAsync(CancellationToken cancellationToken)
    {
        var connection = Environment.GetEnvironmentVariable(ConnectionVariable);
        if (!string.IsNullOrWhiteSpace(connection))
            return new TestServer(connection, owned: null);

        var provider = Environment.GetEnvironmentVariable(ProviderVariable);
        switch (provider)
        {
            case "local":
                return await StartLocalAsync(cancellationToken);
            case "testcontainers":
                return await StartContainerAsync(cancellationToken);
            case null or "":
                break;
            default:
                throw new InvalidOperationException($"{ProviderVariable} is '{provider}'; it can be local or testcontainers, or unset.");
        }

        try
        {
            return await StartLocalAsync(cancellationToken);
        }
        catch (LocalPostgresException local)
        {
            try
            {
                return await StartContainerAsync(cancellationToken);
            }
            catch (Exception container) when (container is not OperationCanceledException)
            {
                throw new InvalidOperationException(
                    $"""
                    The tests need a PostgreSQL, and none could be had. Set {ConnectionVariable} to a superuser's connection string, or mend one of these.
                    Local: {local.Message}
                    Container: {container.Message}
                    """,
                    local);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_owned is not null)
            await _owned.DisposeAsync();
    }

    private static async Task<TestServer> StartLocalAsync(CancellationToken cancellationToken)
    {
        var progress = new Progress<string>(Console.Error.WriteLine);
        var server = await TemporaryServer.ShareAsync(
            // All test programs of one checkout share a server; other checkouts have their own.
            Repository.TryFindRoot() ?? AppContext.BaseDirectory, progress: progress, cancellationToken: cancellationToken);
        return new TestServer(server.ConnectionString, server);
    }

    // The version asked for, and never another one in its place.
    private static string Image()
        => $"postgres:{(int.TryParse(Environment.GetEnvironmentVariable(PostgresBinaries.Variable), out var major) ? major : PostgresBinaries.DefaultMajor)}";

    private static async Task<TestServer> StartContainerAsync(CancellationToken cancellationToken)
    {
        var container = new PostgreSqlBuilder(Image())
            .WithUsername("postgres")
            .WithDatabase("postgres")
            .WithCommand("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "max_connections=200")
            .Build();
        try
        {
            await container.StartAsync(cancellationToken);
            var connection = new NpgsqlConnectionStringBuilder(container.GetConnectionString()) { IncludeErrorDetail = true };
            return new TestServer(connection.ConnectionString, container);
        }
        catch
        {
            await container.DisposeAsync();
            throw;
        }
    }
}
