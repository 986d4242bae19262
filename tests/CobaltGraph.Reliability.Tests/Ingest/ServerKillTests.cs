using CobaltGraph.Reliability.Results;
using CobaltGraph.Reliability.Workloads;

namespace CobaltGraph.Reliability.Tests.Ingest;

// RELIABILITY rows 1 and 3: what was acknowledged outlives the server.
public sealed class ServerKillTests(DurableServer server) : IngestTest(server)
{
    private const int Writers = 2, BatchSize = 200;

    [Fact]
    public async Task Server_killed_under_two_writers_loses_nothing_and_stores_nothing_twice()
    {
        var kills = RunSize.Pick(3, 25);
        var driver = new OracleDriver(Oracle);
        using var finished = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        await using var host = new IngestHost(ConnectionString);

        var writers = Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
        {
            // The same devices for both, so that one waits for the other when the server dies.
            var workload = new Workload(Seed.Random($"server kills, writer {writer}"), new() { Devices = 60 });
            var batches = 0;
            for (; !finished.IsCancellationRequested || batches == 0; batches++)
            {
                var name = $"w{writer}-{batches}";
                await driver.StoreAsync(host.Ingest, $"sensor-{writer}", name, workload.Batch(name, BatchSize), Cancel);
            }

            return batches;
        }, Cancel)).ToArray();

        var random = Seed.Random("server kills");
        for (var kill = 0; kill < kills; kill++)
        {
            await Task.Delay(random.Next(200, 3000), Cancel);
            if (kill % 2 == 0)
                await Server.KillAsync(Cancel);
            else
                await Server.StopImmediatelyAsync(Cancel);
            await Task.Delay(random.Next(0, 500), Cancel);
            await Server.RestartAsync(Cancel);
        }

        await finished.CancelAsync();
        var batches = (await Task.WhenAll(writers)).Sum();

        var verdict = await JudgeAsync();
        var audit = await AuditAsync();
        Report.Put(new(
            "2. server killed under two writers", $"{kills} kills, {batches} batches of {BatchSize}",
            $"{Server.Kills} SIGKILL of {Server.KilledProcesses} processes, {Server.ImmediateStops} immediate stops; {driver.Unknown} outcomes unknown, {driver.Retries} attempts repeated",
            verdict.Lost, verdict.Duplicate, driver.Failed, verdict.Findings.Count + audit.Findings.Count)
        {
            ServerVersion = Server.Version,
        });
        Assert.Empty(verdict.Findings);
        Assert.Empty(audit.Findings);
        Assert.Equal(kills, Server.Kills + Server.ImmediateStops);
        Assert.Equal((batches, batches), (verdict.Batches, verdict.Acknowledged));
        Assert.Equal((long)batches * BatchSize, audit.Connections);
        // Kills that no writer noticed would prove nothing.
        Assert.True(driver.Failed + driver.Retries > 0, "No writer was ever disturbed.");
    }
}
