using System.Diagnostics;
using CobaltGraph.Reliability.Results;
using Npgsql;

namespace CobaltGraph.Reliability.Tests.Import;

// RELIABILITY row 2 and trap 20: a process that stood still wakes up and goes on.
public sealed class TwoImportersTests(DurableServer server) : ImportTest(server)
{
    /// <summary>The device that most rows come from.</summary>
    private const string BusyDevice = "02:00:5e:00:00:00";

    private const string StandingStill =
        """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND state = 'idle in transaction' AND query LIKE 'COPY connections%'
        """;

    private const string Waiting =
        """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock' AND cardinality(pg_blocking_pids(pid)) > 0
        """;

    [Fact]
    public async Task Two_importers_of_one_file_of_which_one_stands_still_in_a_batch_store_every_row_once()
    {
        var pause = RunSize.Pick(TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(10));
        var log = WriteLog("log", RunSize.Pick(40_000, 200_000));

        using var first = Importer.Start(ConnectionString, log);
        await StopInABatchAsync(first, Seed.Random("two importers").Next(RunSize.Pick(2, 15)) * 10_000);
        using var second = Importer.Start(ConnectionString, log);
        // On a busy machine it takes its time to start.
        for (var began = Stopwatch.GetTimestamp();
             !second.HasEnded && Stopwatch.GetElapsedTime(began) < TimeSpan.FromMinutes(1) && await Direct.ScalarAsync<long>(Waiting) == 0;)
        {
            await Task.Delay(20, Cancel);
        }

        await Task.Delay(pause, Cancel);
        var (firstEnded, secondEnded, waiting) = (first.HasEnded, second.HasEnded, await Direct.ScalarAsync<long>(Waiting));
        first.Continue();
        var one = await first.WaitAsync();
        var two = await second.WaitAsync();

        var verdict = await JudgeLogsAsync(complete: true);
        var audit = await AuditAsync();
        Report.Put(new(
            "4. two importers of one file, one of them stands still", $"{Rows} rows, {pause.TotalSeconds:0} s",
            $"1 SIGSTOP in a batch, for which the other importer waited", verdict.Lost, verdict.Duplicate,
            (one.ExitCode == 0 ? 0 : 1) + (two.ExitCode == 0 ? 0 : 1), verdict.Findings.Count + audit.Findings.Count)
        {
            ServerVersion = Server.Version,
        });
        Assert.Equal((false, false), (firstEnded, secondEnded));
        Assert.True(waiting > 0, "The second importer does not wait for the batch of the first.");
        Assert.True(one.ExitCode == 0, one.Error);
        Assert.True(two.ExitCode == 0, two.Error);
        Assert.Empty(verdict.Findings);
        Assert.Empty(audit.Findings);
        Assert.Equal(Rows, audit.Connections);
    }

    /// <summary>Lets it store some rows, then stops it between the data and the commit of a batch.</summary>
    private async Task StopInABatchAsync(Importer importer, long afterRows)
    {
        while (await Direct.ScalarAsync<long>("SELECT count(*) FROM connections") < afterRows)
            await WaitAsync();
        await using (var connection = await Direct.OpenConnectionAsync(Cancel))
        await using (await connection.BeginTransactionAsync(Cancel))
        {
            // Whoever counts rows of this device has to wait, at the end of its COPY; and is undone at the end.
            await using var hold = new NpgsqlCommand(
                $"INSERT INTO devices (mac_address) VALUES ('{BusyDevice}') ON CONFLICT (mac_address) DO UPDATE SET vendor = 'held'", connection);
            await hold.ExecuteNonQueryAsync(Cancel);
            while (await Direct.ScalarAsync<long>(Waiting) == 0)
                await WaitAsync();
            importer.Stop();
        }

        // The server completes the COPY, and nobody tells it to commit.
        while (await Direct.ScalarAsync<long>(StandingStill) == 0)
            await WaitAsync();

        async Task WaitAsync()
        {
            Assert.False(importer.HasEnded, "The importer ended before it could be stopped in a batch.");
            await Task.Delay(5, Cancel);
        }
    }
}
