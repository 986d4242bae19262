using CobaltGraph.Reliability.Audit;
using CobaltGraph.Reliability.Oracle;
using CobaltGraph.Reliability.Servers;
using Npgsql;

namespace CobaltGraph.Reliability.Tests.Ingest;

/// <summary>A test with a durable server, a migrated database on it, and an oracle outside.</summary>
public abstract class IngestTest(DurableServer server) : IClassFixture<DurableServer>, IAsyncLifetime
{
    private readonly string _oraclePath = Path.GetTempFileName();

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    protected ServerControl Server => server.Control;

    /// <summary>Connects to the test's database directly.</summary>
    protected string ConnectionString { get; private set; } = "";

    /// <summary>Direct connections, opened anew each time.</summary>
    protected NpgsqlDataSource Direct { get; private set; } = null!;

    protected OracleLog Oracle { get; private set; } = null!;

    public virtual async ValueTask InitializeAsync()
    {
        ConnectionString = await server.Control.CreateDatabaseAsync(Cancel);
        Direct = DurableServer.Source(ConnectionString);
        Oracle = OracleLog.Open(_oraclePath);
        TestContext.Current.TestOutputHelper?.WriteLine(Seed.Replay);
    }

    public virtual async ValueTask DisposeAsync()
    {
        await Oracle.DisposeAsync();
        await Direct.DisposeAsync();
        File.Delete(_oraclePath);
        GC.SuppressFinalize(this);
    }

    /// <summary>What the drivers asked for and were told so far.</summary>
    protected IReadOnlyList<OracleEntry> OracleEntries() => OracleLog.Read(_oraclePath);

    /// <summary>The rows against what the drivers were told.</summary>
    protected async Task<OracleVerdict> JudgeAsync()
    {
        await using var connection = await Direct.OpenConnectionAsync(Cancel);
        return await OracleJudge.JudgeAsync(OracleEntries(), connection, Cancel);
    }

    /// <summary>Everything derived against the rows.</summary>
    protected Task<AuditReport> AuditAsync() => DatabaseAudit.RunAsync(Direct, everyRowByLedger: true, cancellationToken: Cancel);

    /// <summary>Waits until nobody else is connected to the database.</summary>
    protected async Task SessionsEndAsync()
    {
        var started = TimeProvider.System.GetTimestamp();
        while (await Direct.ScalarAsync<long>(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'") > 0)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(30), "Sessions of the server do not end.");
            await Task.Delay(20, Cancel);
        }
    }
}
