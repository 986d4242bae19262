using System.Text;
using CobaltGraph.LocalPostgres;
using Npgsql;

namespace CobaltGraph.Cli.Tests;

// A password is in no output of any verb, in no log of a server that logs every statement, and in no list of processes or sessions.
public sealed class SecretTests
{
    [Fact]
    public async Task Password_appears_nowhere()
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var server = await TemporaryServer.StartAsync(
            new TemporaryServerOptions
            {
                Settings = new Dictionary<string, string>
                {
                    ["log_statement"] = "all",
                    ["log_connections"] = "on",
                    ["log_min_duration_statement"] = "0",
                },
            },
            cancellationToken: cancel);
        var settings = new NpgsqlConnectionStringBuilder(server.ConnectionString);
        var canary = settings.Password!;
        Assert.True(canary.Length > 10);
        var seen = new StringBuilder();
        var patch = Path.GetTempFileName();

        foreach (var arguments in (string[][])
            [
                ["roles"], ["roles", "--apply"], ["roles", "--json"], ["migrate", "--dry-run"], ["migrate"], ["status"], ["status", "--check", "--json"],
                ["seed", "--devices", "3", "--connections", "10", "--yes"], ["devices"], ["device", "02:00:5e:00:00:01"], ["connections"],
                ["destinations", "192.0.2.1"], ["who-had", "192.0.2.1"], ["threats"], ["events"], ["export", "connections"],
                ["explain", "--only", "country"], ["import", "-"], ["script"], ["roles", "--owner", "postgres"],
                ["assert"], ["assert", "--json", "--patch", patch], ["schema"], ["adopt", "--dry-run"], ["adopt"],
                ["migrate", "--to", "nothing", "--verbose"], ["devices", "--limit", "x"], ["devices", "--connection", server.ConnectionString],
                ["devices", "--verbose", "--connection", server.ConnectionString + ";Database=none"],
                ["devices", "--verbose", "--connection", $"Host=127.0.0.1;Port=1;Username=u;Password={canary}"],
                ["devices", "--verbose", "--connection", $"postgresql://u:{canary}@127.0.0.1:{server.Port}/none"],
                ["devices", "--verbose", "--connection", $"Host=127.0.0.1;Pasword={canary}"],
                ["devices", "--verbose", "--connection", $"postgresql://u:{canary}@:x/none"],
            ])
        {
            var result = await new CommandRunner { Environment = { ["COBALTGRAPH_CONNECTION"] = server.ConnectionString } }.RunAsync(arguments);
            Assert.False(
                (result.Output + result.Error).Contains(canary, StringComparison.Ordinal),
                $"{arguments[0]} tells the password:\n{result.Output}{result.Error}".Replace(canary, "<here>", StringComparison.Ordinal));
        }

        seen.Append(await File.ReadAllTextAsync(patch, cancel));
        File.Delete(patch);
        await using var source = NpgsqlDataSource.Create(server.ConnectionString);
        await using var blocker = await source.OpenConnectionAsync(cancel);
        await using var transaction = await blocker.BeginTransactionAsync(cancel);
        await using (var hold = new NpgsqlCommand("LOCK TABLE devices IN ACCESS EXCLUSIVE MODE", blocker, transaction))
            await hold.ExecuteNonQueryAsync(cancel);
        using (var child = ChildCommand.Start(
            new Dictionary<string, string?> { ["COBALTGRAPH_CONNECTION"] = server.ConnectionString }, "devices"))
        {
            await using var look = source.CreateCommand(
                "SELECT concat_ws(' ', query, application_name) FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
            while (await look.ExecuteScalarAsync(cancel) is not string activity || seen.Append(activity).Length == 0)
                await Task.Delay(20, cancel);
            if (OperatingSystem.IsLinux())
                seen.Append(CommandLines(out var count)).Append(count);
            await transaction.RollbackAsync(cancel);
            var result = (await child.WaitAsync()).Should(ExitCode.Done);
            seen.Append(result.Output).Append(result.Error);
        }

        seen.Append(server.LogTail(int.MaxValue));
        Assert.Contains("LOCK TABLE devices", seen.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(canary, seen.ToString(), StringComparison.Ordinal);
    }

    private static string CommandLines(out int count)
    {
        var text = new StringBuilder();
        count = 0;
        foreach (var folder in Directory.EnumerateDirectories("/proc").Where(folder => int.TryParse(Path.GetFileName(folder), out _)))
        {
            try
            {
                text.Append(File.ReadAllText(Path.Combine(folder, "cmdline")));
                count++;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It has ended, or is not ours to look at.
            }
        }

        Assert.True(count > 0);
        return text.ToString();
    }
}
