using CobaltGraph.Reliability.Results;

namespace CobaltGraph.Reliability.Tests.Import;

// RELIABILITY row 2: an import that was killed is finished by running the same command again.
public sealed class KilledImporterTests(DurableServer server) : ImportTest(server)
{
    [Fact]
    public async Task Importer_killed_at_random_moments_and_then_left_alone_stores_every_row_once()
    {
        var kills = RunSize.Pick(4, 50);
        var rows = RunSize.Pick(20_000, 80_000);
        var whole = await MeasureAsync(rows);
        var random = Seed.Random("importer kills");
        var logs = new List<string> { WriteLog("log-0", rows) };
        var (killed, ended, torn, parallel) = (0, 0, 0, 0);
        long duplicate = 0;
        while (killed < kills)
        {
            Assert.True(ended <= 2 * kills, "The importer is always done before it can be killed.");
            var before = await CountAsync();
            if (before == Rows)
                logs.Add(WriteLog($"log-{logs.Count}", rows));
            // A file that one writer began several may finish, and the other way round.
            var writers = 1 + random.Next(4);
            parallel += writers > 1 ? 1 : 0;
            using var importer = Importer.Start(ConnectionString, logs[^1], "--parallel", $"{writers}");
            // One of them in the middle for certain, whatever chance does with the others.
            if (torn == 0)
                await StoresABatchAsync(importer, before);
            else
                await Task.Delay(whole * random.NextDouble(), Cancel);
            if (await importer.KillAsync())
            {
                killed++;
                torn += await CountAsync() > before ? 1 : 0;
                var verdict = await JudgeLogsAsync(complete: false);
                duplicate += verdict.Duplicate + verdict.Foreign;
            }
            else
            {
                var (exitCode, _, error) = await importer.WaitAsync();
                Assert.True(exitCode == 0, error);
                ended++;
            }
        }

        using var last = Importer.Start(ConnectionString, [.. logs]);
        var (code, _, message) = await last.WaitAsync();

        var after = await JudgeLogsAsync(complete: true);
        var audit = await AuditAsync();
        Report.Put(new(
            "1. importer killed, then run once more", $"{kills} kills, {logs.Count} files of {rows} rows",
            $"{killed} SIGKILL, {torn} of them after a batch of the run was stored; {parallel} of {killed + ended} runs with 2 to 4 writers",
            after.Lost, duplicate + after.Duplicate, code == 0 ? 0 : 1, after.Findings.Count + audit.Findings.Count)
        {
            ServerVersion = Server.Version,
        });
        Assert.True(code == 0, message);
        Assert.Empty(after.Findings);
        Assert.Empty(audit.Findings);
        Assert.Equal((0, Rows), (duplicate, audit.Connections));
        Assert.True(torn > 0, "No importer was killed between two batches.");
    }

    private Task<long> CountAsync() => Direct.ScalarAsync<long>("SELECT count(*) FROM connections");

    private async Task StoresABatchAsync(Importer importer, long before)
    {
        while (!importer.HasEnded && await CountAsync() == before)
            await Task.Delay(5, Cancel);
    }

    /// <summary>How long an import takes that nobody disturbs.</summary>
    private async Task<TimeSpan> MeasureAsync(int rows)
    {
        var path = Path.GetTempFileName();
        try
        {
            ConnLog.Write(path, "measured", rows);
            var started = TimeProvider.System.GetTimestamp();
            using var importer = Importer.Start(await Server.CreateDatabaseAsync(Cancel), path);
            var (exitCode, _, error) = await importer.WaitAsync();
            Assert.True(exitCode == 0, error);
            return TimeProvider.System.GetElapsedTime(started);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
