using System.Diagnostics;
using Npgsql;

namespace CobaltGraph.Cli.Tests;

/// <summary>The verbs that start and stop a server of the user's own; each test has a home of its own.</summary>
public sealed class LocalServerVerbTests : IAsyncLifetime
{
    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("cobaltgraph-home-");
    private readonly CommandRunner _runner = new();

    public ValueTask InitializeAsync()
    {
        _runner.Environment["COBALTGRAPH_HOME"] = _home.FullName;
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _runner.RunAsync("down", "--delete", "--yes");
        _home.Delete(recursive: true);
    }

    [Fact]
    public async Task Up_starts_a_server_that_the_other_verbs_use_and_down_stops_it()
    {
        var up = (await _runner.RunAsync("up", "--json")).Should(ExitCode.Done);
        Assert.Equal("cobaltgraph.up/1", up.Json.GetProperty("schema").GetString());
        Assert.True(up.Json.GetProperty("created").GetBoolean());

        (await _runner.RunAsync("migrate")).Should(ExitCode.Done);
        (await _runner.RunAsync("status", "--check")).Should(ExitCode.Done);

        var again = (await _runner.RunAsync("up", "--json")).Should(ExitCode.Done);
        Assert.False(again.Json.GetProperty("started").GetBoolean());

        var down = (await _runner.RunAsync("down", "--json")).Should(ExitCode.Done);
        Assert.True(down.Json.GetProperty("stopped").GetBoolean());
        var stopped = (await _runner.RunAsync("status")).Should(ExitCode.Failed);
        Assert.Contains("cobaltgraph up", stopped.Error, StringComparison.Ordinal);

        (await _runner.RunAsync("up")).Should(ExitCode.Done);
        (await _runner.RunAsync("status", "--check")).Should(ExitCode.Done);
    }

    [Fact]
    public async Task Up_prints_connections_that_work_and_hold_no_password()
    {
        var up = (await _runner.RunAsync("up", "--json")).Should(ExitCode.Done);

        var password = new NpgsqlConnectionStringBuilder(
            Data.DatabaseSettings.FromFile(Path.Combine(_home.FullName, "database.conf")).ConnectionString).Password;
        Assert.False(string.IsNullOrEmpty(password));
        Assert.DoesNotContain(password, up.Output + up.Error, StringComparison.Ordinal);

        await using (var connection = new NpgsqlConnection(up.Json.GetProperty("connection_string").GetString()))
            await connection.OpenAsync(TestContext.Current.CancellationToken);

        if (OperatingSystem.IsWindows()) return;
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_home.FullName, "pgpass")));
        var psql = up.Json.GetProperty("psql").GetString()!;
        Assert.SkipUnless(
            Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(folder => File.Exists(Path.Combine(folder, "psql"))),
            "psql is not installed.");
        using var shell = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", psql + " -Atw -c 'SELECT current_user'"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Assert.Equal("cobaltgraph\n", await shell.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Up_on_a_taken_port_says_so_and_needs_no_further_look()
    {
        using var taken = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();
        var port = ((System.Net.IPEndPoint)taken.LocalEndpoint).Port;

        var result = (await _runner.RunAsync("up", "--port", $"{port}")).Should(ExitCode.Failed);

        Assert.Contains($"Port {port} is taken", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("--verbose", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Down_without_a_server_has_nothing_to_do()
    {
        (await _runner.RunAsync("down")).Should(ExitCode.Done);
        (await _runner.RunAsync("down", "--delete")).Should(ExitCode.Done);
    }

    [Fact]
    public async Task Down_delete_without_a_yes_is_refused_and_keeps_the_data()
    {
        (await _runner.RunAsync("up")).Should(ExitCode.Done);

        var refused = (await _runner.RunAsync("down", "--delete")).Should(ExitCode.Refused);

        Assert.Contains("--yes", refused.Error, StringComparison.Ordinal);
        Assert.False((await _runner.RunAsync("up", "--json")).Should(ExitCode.Done).Json.GetProperty("created").GetBoolean());

        var deleted = (await _runner.RunAsync("down", "--delete", "--yes", "--json")).Should(ExitCode.Done);
        Assert.True(deleted.Json.GetProperty("deleted").GetBoolean());
        Assert.False(File.Exists(Path.Combine(_home.FullName, "pgpass")));
        (await _runner.RunAsync("status")).Should(ExitCode.Failed);
    }

    [Fact]
    public async Task Up_says_when_another_connection_goes_before_its_server()
    {
        _runner.Environment["COBALTGRAPH_CONNECTION"] = "Host=elsewhere;Database=d";

        var up = (await _runner.RunAsync("up")).Should(ExitCode.Done);

        Assert.Contains("COBALTGRAPH_CONNECTION goes before it", up.Error, StringComparison.Ordinal);
    }
}
