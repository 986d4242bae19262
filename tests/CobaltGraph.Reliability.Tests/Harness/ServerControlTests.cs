using CobaltGraph.Reliability.Audit;
using CobaltGraph.Reliability.Oracle;
using CobaltGraph.Reliability.Servers;
using CobaltGraph.Reliability.Workloads;
using Npgsql;

namespace CobaltGraph.Reliability.Tests.Harness;

public sealed class ServerControlTests(DurableServer server) : IClassFixture<DurableServer>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private ServerControl Control => server.Control;

    [Fact]
    public async Task Server_is_durable_on_loopback()
    {
        await using var source = DurableServer.Source(Control.ConnectionString);
        foreach (var setting in (string[])["fsync", "synchronous_commit", "full_page_writes", "data_checksums"])
            Assert.Equal("on", await source.ScalarAsync<string>($"SHOW {setting}"));
        Assert.Equal("127.0.0.1", await source.ScalarAsync<string>("SHOW listen_addresses"));
        Assert.False(Control.Folder.StartsWith("/dev/shm", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Server_that_was_killed_comes_back_with_what_it_acknowledged(bool kill)
    {
        await using var source = await server.CreateDatabaseAsync();
        var path = Path.GetTempFileName();
        try
        {
            await using (var oracle = OracleLog.Open(path))
            {
                // One batch is acknowledged, one is on its way when the server dies.
                var store = new PlainStore(Full(source));
                var workload = new Workload(Seed.Random("server"));
                await StoreAsync(oracle, store, "first", workload.Batch("first", 200));
                var (port, folder, process) = (Control.Port, Control.Folder, Control.ProcessId);
                await using var open = await source.OpenConnectionAsync(Cancel);
                await using var transaction = await open.BeginTransactionAsync(Cancel);
                await new NpgsqlCommand("INSERT INTO connections (dst_ip, dst_port) VALUES ('192.0.2.1', 1)", open).ExecuteNonQueryAsync(Cancel);

                if (kill)
                    await Control.KillAsync(Cancel);
                else
                    await Control.StopImmediatelyAsync(Cancel);

                Assert.Throws<InvalidOperationException>(() => Control.ProcessId);
                await Assert.ThrowsAnyAsync<NpgsqlException>(() => transaction.CommitAsync(Cancel));
                await Assert.ThrowsAnyAsync<NpgsqlException>(() => source.ScalarAsync<int>("SELECT 1"));
                await Control.RestartAsync(Cancel);
                Assert.Equal((port, folder), (Control.Port, Control.Folder));
                Assert.NotEqual(process, Control.ProcessId);
                Assert.Contains("was not properly shut down", Control.Log(), StringComparison.Ordinal);

                await StoreAsync(oracle, store, "second", workload.Batch("second", 200));
            }

            await using var connection = await source.OpenConnectionAsync(Cancel);
            var verdict = await OracleJudge.JudgeAsync(OracleLog.Read(path), connection, Cancel);
            Assert.Empty(verdict.Findings);
            Assert.Equal(2, verdict.Acknowledged);
            var report = await DatabaseAudit.RunAsync(source, everyRowByLedger: true, cancellationToken: Cancel);
            Assert.Empty(report.Findings);
            Assert.Equal(400, report.Connections);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public async Task Every_process_of_a_killed_server_is_gone_at_once()
    {
        await using var source = await server.CreateDatabaseAsync();
        await using var open = await source.OpenConnectionAsync(Cancel);
        var backend = open.ProcessID;
        var (kills, processes, first) = (Control.Kills, Control.KilledProcesses, Control.ProcessId);

        await Control.KillAsync(Cancel);

        Assert.Equal(kills + 1, Control.Kills);
        Assert.True(Control.KilledProcesses - processes >= 5, "A server has more processes than that.");
        Assert.False(IsRunning(first));
        Assert.False(IsRunning(backend));
        await Control.RestartAsync(Cancel);
    }

    [Fact]
    public async Task Server_that_runs_is_not_started_again()
        => await Assert.ThrowsAsync<InvalidOperationException>(() => Control.RestartAsync(Cancel));

    [Fact]
    public async Task Server_ends_with_the_process_that_started_it_and_leaves_nothing()
    {
        using var owner = await ServerOwner.StartAsync();
        Assert.True(Directory.Exists(owner.Folder));
        Assert.True(IsRunning(owner.ServerProcessId));

        owner.Kill();

        for (var i = 0; i < 1000 && Directory.Exists(owner.Folder); i++)
            await Task.Delay(20, Cancel);
        Assert.False(Directory.Exists(owner.Folder));
        Assert.False(IsRunning(owner.ServerProcessId));
    }

    private static async Task StoreAsync(OracleLog oracle, PlainStore store, string name, IReadOnlyList<Model.Connection> rows)
    {
        await oracle.InvokeAsync(name, Workload.Identities(rows), Cancel);
        Assert.True(await store.StoreAsync(name, rows, Cancel));
        await oracle.OkAsync(name, cancellationToken: Cancel);
    }

    // A data source hides its password.
    private string Full(NpgsqlDataSource source) => new NpgsqlConnectionStringBuilder(Control.ConnectionString)
    {
        Database = new NpgsqlConnectionStringBuilder(source.ConnectionString).Database,
    }.ConnectionString;

    private static bool IsRunning(int processId)
    {
        var stat = $"/proc/{processId}/stat";
        try
        {
            if (Directory.Exists("/proc/self"))
                return File.Exists(stat) && !File.ReadAllText(stat).Contains(") Z ", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }

        return Signal.SendContinue(processId);
    }
}
