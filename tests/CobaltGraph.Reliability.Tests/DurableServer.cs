using CobaltGraph.Reliability.Servers;
using Npgsql;

namespace CobaltGraph.Reliability.Tests;

/// <summary>A server of its own for a test class, with fsync on, that its tests may kill.</summary>
public sealed class DurableServer : IAsyncLifetime
{
    private ServerControl? _control;

    public ServerControl Control => _control!;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(ServerControl.IsSupported, "Servers are killed by signals, which Windows does not have.");
        _control = await ServerControl.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (_control is not null)
            await _control.DisposeAsync();
    }

    /// <summary>A migrated database, and connections to it that are opened anew each time.</summary>
    public async Task<NpgsqlDataSource> CreateDatabaseAsync()
        => Source(await Control.CreateDatabaseAsync(TestContext.Current.CancellationToken));

    public static NpgsqlDataSource Source(string connectionString) => NpgsqlDataSource.Create(
        new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, CommandTimeout = 60 }.ConnectionString);
}
