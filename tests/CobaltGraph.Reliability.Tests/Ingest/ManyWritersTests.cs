using CobaltGraph.Reliability.Audit;
using CobaltGraph.Reliability.Results;
using CobaltGraph.Reliability.Workloads;
using Npgsql;

namespace CobaltGraph.Reliability.Tests.Ingest;

// RELIABILITY rows 4 and 9, traps 4 and 5.
public sealed class ManyWritersTests(DurableServer server) : IngestTest(server)
{
    private const int Writers = 4, BatchSize = 25;

    /// <summary>Few devices for many writers: every batch meets others'.</summary>
    private static readonly WorkloadShape Crowded = new() { Devices = 24, Destinations = 12, Threats = 0.1 };

    [Fact]
    public async Task Four_writers_agree_with_the_sums_of_every_snapshot_and_never_deadlock()
    {
        var batches = RunSize.Pick(400, 2000);
        var audits = RunSize.Pick(50, 1000);
        var driver = new OracleDriver(Oracle);
        var (deadlocks, multixacts) = (await DeadlocksAsync(), await MultixactsAsync());

        using var done = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var auditor = Task.Run(() => AuditSumsAsync(audits, done.Token), Cancel);
        await WriteAsync(driver, batches);
        await done.CancelAsync();
        var (taken, inconsistent) = await auditor;

        var verdict = await JudgeAsync();
        var audit = await AuditAsync();
        deadlocks = await DeadlocksAsync() - deadlocks;
        multixacts = await MultixactsAsync() - multixacts;
        Report.Put(new(
            "5. four writers and an auditor", $"{batches} batches of {BatchSize}, {taken} snapshots",
            $"{deadlocks} deadlocks, {driver.Retries} attempts repeated, {multixacts} multixacts",
            verdict.Lost, verdict.Duplicate, driver.Failed + inconsistent.Count, verdict.Findings.Count + audit.Findings.Count)
        {
            ServerVersion = Server.Version,
        });
        Assert.Empty(inconsistent);
        Assert.Empty(verdict.Findings);
        Assert.Empty(audit.Findings);
        Assert.Equal((0, batches), (driver.Failed, verdict.Acknowledged));
        Assert.Equal((0, 0), (deadlocks, driver.Retries));
        Assert.InRange(multixacts, 0, batches / 100);
        Assert.True(taken >= audits, $"Only {taken} of {audits} snapshots were taken.");
    }

    // What the test above is worth: with devices locked in any order it must be red.
    [Fact]
    public async Task Trigger_that_locks_devices_in_any_order_deadlocks_and_the_ingest_survives_it()
    {
        await Direct.RunAsync("ALTER SYSTEM SET deadlock_timeout = '20ms'; SELECT pg_reload_conf()");
        await ShuffleLocksAsync();
        var driver = new OracleDriver(Oracle);
        var before = await DeadlocksAsync();

        await WriteAsync(driver, 120);

        var deadlocks = await DeadlocksAsync() - before;
        var verdict = await JudgeAsync();
        var audit = await AuditAsync();
        Report.Put(new(
            "5. the same with a trigger that locks in any order (must deadlock)", $"120 batches of {BatchSize}",
            $"{deadlocks} deadlocks, {driver.Retries} attempts repeated",
            verdict.Lost, verdict.Duplicate, driver.Failed, verdict.Findings.Count + audit.Findings.Count)
        {
            ServerVersion = Server.Version,
        });
        Assert.True(deadlocks > 0, "Nothing deadlocked: the test could not have seen it.");
        Assert.True(driver.Retries > 0, "No attempt was repeated.");
        Assert.Empty(verdict.Findings);
        Assert.Empty(audit.Findings);
        Assert.Equal(120, verdict.Acknowledged);
    }

    // A number that never moves would look like a promise that is kept.
    [Fact]
    public async Task Row_locked_by_two_at_once_is_counted_as_a_multixact()
    {
        await Direct.RunAsync("INSERT INTO devices (mac_address) VALUES ('02:00:00:00:00:01')");
        var before = await MultixactsAsync();
        const string Share = "SELECT 1 FROM devices FOR KEY SHARE";

        await using (var one = await Direct.OpenConnectionAsync(Cancel))
        await using (var two = await Direct.OpenConnectionAsync(Cancel))
        await using (await one.BeginTransactionAsync(Cancel))
        await using (await two.BeginTransactionAsync(Cancel))
        {
            await using var first = new NpgsqlCommand(Share, one);
            await using var second = new NpgsqlCommand(Share, two);
            await first.ExecuteNonQueryAsync(Cancel);
            await second.ExecuteNonQueryAsync(Cancel);
        }

        Assert.Equal(before + 1, await MultixactsAsync());
    }

    private async Task WriteAsync(OracleDriver driver, int batches)
    {
        await using var host = new IngestHost(ConnectionString);
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
        {
            var workload = new Workload(Seed.Random($"many writers, {writer}"), Crowded);
            for (var batch = writer; batch < batches; batch += Writers)
            {
                var name = $"b{batch}";
                await driver.StoreAsync(host.Ingest, $"sensor-{writer}", name, workload.Batch(name, BatchSize), Cancel);
            }
        }, Cancel)));
    }

    /// <summary>Takes snapshots until the writers are done, and then as many as are missing.</summary>
    private async Task<(int Taken, List<SnapshotSums> Inconsistent)> AuditSumsAsync(int atLeast, CancellationToken done)
    {
        var inconsistent = new List<SnapshotSums>();
        await using var connection = await Direct.OpenConnectionAsync(Cancel);
        var taken = 0;
        for (; !done.IsCancellationRequested || taken < atLeast; taken++)
        {
            var sums = await DatabaseAudit.SumAsync(connection, Cancel);
            if (!sums.IsConsistent)
                inconsistent.Add(sums);
        }

        return (taken, inconsistent);
    }

    /// <summary>Replaces the trigger's function by itself, but for the order in which devices are locked.</summary>
    private async Task ShuffleLocksAsync()
    {
        const string Ordered = "ORDER BY u.mac\n        ON CONFLICT (mac_address)";
        var function = await Direct.ScalarAsync<string>("SELECT pg_get_functiondef('connections_count()'::regprocedure)");
        Assert.Equal(2, function.Split(Ordered).Length);
        await Direct.RunAsync(function.Replace(Ordered, "ORDER BY pg_catalog.random()\n        ON CONFLICT (mac_address)", StringComparison.Ordinal));
    }

    private async Task<long> DeadlocksAsync()
    {
        // A session tells its numbers at the latest when it ends; until version 14 they then have to arrive.
        await SessionsEndAsync();
        await Task.Delay(1000, Cancel);
        return await Direct.ScalarAsync<long>("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()");
    }

    private async Task<long> MultixactsAsync()
    {
        await Direct.RunAsync("CHECKPOINT");
        return await Direct.ScalarAsync<long>("SELECT next_multixact_id::text::bigint FROM pg_control_checkpoint()");
    }
}
