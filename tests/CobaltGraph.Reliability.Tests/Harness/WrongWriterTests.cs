using CobaltGraph.Model;
using CobaltGraph.Reliability.Audit;
using CobaltGraph.Reliability.Oracle;
using CobaltGraph.Reliability.Proxy;
using CobaltGraph.Reliability.Workloads;
using CobaltGraph.Testing;
using Npgsql;

namespace CobaltGraph.Reliability.Tests.Harness;

// The whole harness at work on writers of which we know what is wrong with them.
public sealed class WrongWriterTests(PostgresServerFixture server) : IAsyncLifetime
{
    private readonly string _path = Path.GetTempFileName();
    private TestDatabase _database = null!;
    private NpgsqlDataSource _direct = null!;
    private ChaosProxy _proxy = null!;
    private PlainStore _store = null!;
    private OracleLog _oracle = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await server.CreateDatabaseAsync();
        _direct = DurableServer.Source(_database.ConnectionString);
        _proxy = ChaosProxy.StartFor(_database.ConnectionString);
        _store = new PlainStore(_proxy.ConnectionStringOf(_database.ConnectionString));
        _oracle = OracleLog.Open(_path);
    }

    public async ValueTask DisposeAsync()
    {
        await _oracle.DisposeAsync();
        File.Delete(_path);
        await _proxy.DisposeAsync();
        await _direct.DisposeAsync();
        await _database.DisposeAsync();
        Assert.Empty(_proxy.Problems);
    }

    [Theory]
    [InlineData(FaultMode.DropReply)]
    [InlineData(FaultMode.Reset)]
    public async Task Writer_with_a_ledger_that_tries_again_stores_every_batch_once(FaultMode mode)
    {
        var fault = _proxy.Arm(new() { Direction = Direction.ToServer, Type = 'Q', Text = "COMMIT", Mode = mode });

        var verdict = await DriveAsync(async (key, rows) =>
        {
            try
            {
                await _store.StoreAsync(key, rows, Cancel);
            }
            catch (NpgsqlException)
            {
                await _store.StoreAsync(key, rows, Cancel);
            }
        });

        Assert.Equal(1, fault.Fired);
        Assert.Empty(verdict.Findings);
        Assert.Equal(3, verdict.Acknowledged);
    }

    [Fact]
    public async Task Writer_without_a_ledger_that_tries_again_is_seen_to_store_twice()
    {
        var fault = _proxy.Arm(new() { Direction = Direction.ToServer, Type = 'Q', Text = "COMMIT", Nth = 2, Mode = FaultMode.DropReply });

        var verdict = await DriveAsync(async (_, rows) =>
        {
            try
            {
                await _store.StoreBlindlyAsync(rows, Cancel);
            }
            catch (NpgsqlException)
            {
                await _store.StoreBlindlyAsync(rows, Cancel);
            }
        });

        Assert.Equal(1, fault.Fired);
        Assert.Equal((0, 50), (verdict.Lost, verdict.Duplicate));
    }

    [Fact]
    public async Task Writer_that_acknowledges_before_the_commit_is_seen_to_lose()
    {
        var fault = _proxy.Arm(new() { Direction = Direction.ToServer, Type = 'Q', Text = "COMMIT", Nth = 2, Mode = FaultMode.Reset });

        var verdict = await DriveAsync(async (key, rows) =>
        {
            try
            {
                await _store.StoreAsync(key, rows, Cancel);
            }
            catch (NpgsqlException)
            {
                // Swallowed: the driver says ok.
            }
        });

        Assert.Equal(1, fault.Fired);
        Assert.Equal((50, 0), (verdict.Lost, verdict.Duplicate));
    }

    [Fact]
    public async Task Writer_that_takes_an_unknown_commit_for_a_failure_is_seen()
    {
        var fault = _proxy.Arm(new() { Direction = Direction.ToServer, Type = 'Q', Text = "COMMIT", Nth = 2, Mode = FaultMode.DropReply });

        var verdict = await DriveAsync((key, rows) => _store.StoreAsync(key, rows, Cancel));

        Assert.Equal(1, fault.Fired);
        Assert.Equal(50, verdict.Resurrected);
        Assert.Equal(1, verdict.Failed);
    }

    [Fact]
    public async Task Writer_that_commits_half_a_batch_is_seen()
    {
        var verdict = await DriveAsync(async (key, rows) =>
        {
            await _store.StoreAsync(key, [.. rows.Take(20)], Cancel);
            if (key != "b1")
                await _store.StoreAsync(key + " rest", [.. rows.Skip(20)], Cancel);
        });

        Assert.Equal((30, 0), (verdict.Lost, verdict.Duplicate));
        // The database is consistent in itself: only the oracle can know.
        Assert.Empty((await DatabaseAudit.RunAsync(_direct, everyRowByLedger: true, indexes: false, Cancel)).Findings);
    }

    private async Task<OracleVerdict> DriveAsync(Func<string, IReadOnlyList<Connection>, Task> store)
    {
        var workload = new Workload(Seed.Random("wrong writers"));
        for (var batch = 0; batch < 3; batch++)
        {
            var key = $"b{batch}";
            var rows = workload.Batch(key, 50);
            await _oracle.InvokeAsync(key, Workload.Identities(rows), Cancel);
            try
            {
                await store(key, rows);
                await _oracle.OkAsync(key, cancellationToken: Cancel);
            }
            catch (NpgsqlException e)
            {
                await _oracle.FailAsync(key, e.Message, Cancel);
            }
        }

        await using var connection = await _direct.OpenConnectionAsync(Cancel);
        return await OracleJudge.JudgeAsync(OracleLog.Read(_path), connection, Cancel);
    }
}
