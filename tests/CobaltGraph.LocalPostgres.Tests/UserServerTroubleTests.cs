using System.Net;
using System.Net.Sockets;
using CobaltGraph.LocalPostgres.Processes;
using CobaltGraph.LocalPostgres.Servers;
using Npgsql;

namespace CobaltGraph.LocalPostgres.Tests;

public sealed class UserServerTroubleTests : UserServerTestBase
{
    [Fact]
    public async Task Server_that_was_killed_starts_again_with_its_data()
    {
        await KeepAsync(await Server.StartAsync(cancellationToken: Cancellation));
        var status = await Server.GetStatusAsync(Cancellation);
        using (var process = System.Diagnostics.Process.GetProcessById(status.ProcessId!.Value))
            process.Kill();
        await WaitUntilAsync(async () => (await Server.GetStatusAsync(Cancellation)).State == UserServerState.Stopped);
        Assert.True(File.Exists(Path.Combine(status.DataDirectory, "postmaster.pid")));

        await WaitUntilAsync(async () =>
        {
            // Until its children have noticed, they still use the data, and PostgreSQL rightly refuses.
            try
            {
                await AssertKeptAsync(await Server.StartAsync(cancellationToken: Cancellation));
                return true;
            }
            catch (LocalPostgresException failure) when (failure.Message.Contains("shared memory block", StringComparison.Ordinal)
                || failure.Message.Contains("is taken", StringComparison.Ordinal))
            {
                return false;
            }
        });
    }

    [Fact]
    public async Task Stale_pid_file_that_names_a_living_stranger_does_not_stop_the_start()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "PostgreSQL itself sees to it on Windows.");
        var info = await Server.StartAsync(cancellationToken: Cancellation);
        await KeepAsync(info);
        var pidFile = Path.Combine(info.DataDirectory, "postmaster.pid");
        var lines = await File.ReadAllLinesAsync(pidFile, Cancellation);
        await Server.StopAsync(Cancellation);
        var account = ServerAccount.IsRoot
            ? new ServerAccount(await ServerAccount.OwnerAsync(info.DataDirectory, Cancellation))
            : ServerAccount.Self;
        using var stranger = (new Command("sleep", "60") with { Account = account }).Start(redirectOutput: false);
        try
        {
            lines[0] = $"{stranger.Id}";
            await account.WriteFileAsync(pidFile, string.Join('\n', lines), Cancellation);

            Assert.Equal(UserServerState.Stopped, (await Server.GetStatusAsync(Cancellation)).State);
            await AssertKeptAsync(await Server.StartAsync(cancellationToken: Cancellation));
            Assert.False(stranger.HasExited);
        }
        finally
        {
            stranger.Kill();
        }
    }

    [Fact]
    public async Task Port_taken_says_by_whom_and_how_to_choose_another_and_loses_nothing()
    {
        var first = await Server.StartAsync(cancellationToken: Cancellation);
        await KeepAsync(first);
        await Server.StopAsync(Cancellation);
        using var intruder = new TcpListener(IPAddress.Loopback, first.Port);
        intruder.Start();

        var failure = await Assert.ThrowsAsync<LocalPostgresException>(() => Server.StartAsync(cancellationToken: Cancellation));

        Assert.Contains($"Port {first.Port} is taken", failure.Message, StringComparison.Ordinal);
        Assert.Contains("cobaltgraph up --port", failure.Message, StringComparison.Ordinal);
        if (OperatingSystem.IsLinux())
            Assert.Contains($"(process {Environment.ProcessId})", failure.Message, StringComparison.Ordinal);
        var other = ServerFiles.FreePort();
        var second = await Server.StartAsync(other, cancellationToken: Cancellation);
        Assert.Equal(other, second.Port);
        Assert.Equal(other, DatabaseConf.Load(Conf)!.Port);
        await AssertKeptAsync(second);
    }

    [Fact]
    public async Task Port_taken_before_the_first_start_leaves_nothing()
    {
        using var intruder = new TcpListener(IPAddress.Loopback, 0);
        intruder.Start();
        var port = ((IPEndPoint)intruder.LocalEndpoint).Port;

        await Assert.ThrowsAsync<LocalPostgresException>(() => Server.StartAsync(port, cancellationToken: Cancellation));

        Assert.Equal(UserServerState.NotCreated, (await Server.GetStatusAsync(Cancellation)).State);
        Assert.False(File.Exists(Conf));
    }

    [Fact]
    public async Task RunningServer_is_not_moved_to_another_port()
    {
        var info = await Server.StartAsync(cancellationToken: Cancellation);

        var failure = await Assert.ThrowsAsync<LocalPostgresException>(() => Server.StartAsync(info.Port + 1, cancellationToken: Cancellation));

        Assert.Contains("cobaltgraph down", failure.Message, StringComparison.Ordinal);
        Assert.Equal(UserServerState.Running, (await Server.GetStatusAsync(Cancellation)).State);
    }

    [Fact]
    public async Task Data_of_another_major_version_is_named_and_kept()
    {
        var info = await Server.StartAsync(cancellationToken: Cancellation);
        await KeepAsync(info);
        await Server.StopAsync(Cancellation);
        var file = Path.Combine(info.DataDirectory, "PG_VERSION");
        var real = await File.ReadAllTextAsync(file, Cancellation);
        await File.WriteAllTextAsync(file, "11\n", Cancellation);

        var failure = await Assert.ThrowsAsync<LocalPostgresException>(() => Server.StartAsync(cancellationToken: Cancellation));

        Assert.Contains("made by PostgreSQL 11", failure.Message, StringComparison.Ordinal);
        Assert.Contains(info.DataDirectory, failure.Message, StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, real, Cancellation);
        await AssertKeptAsync(await Server.StartAsync(cancellationToken: Cancellation));
    }

    [Fact]
    public async Task Programs_that_are_gone_are_looked_for_again()
    {
        var info = await Server.StartAsync(cancellationToken: Cancellation);
        await KeepAsync(info);
        await Server.StopAsync(Cancellation);
        var file = Home.Sub("postgres", "server.json");
        var record = System.Text.Json.JsonSerializer.Deserialize<UserServerRecord>(await File.ReadAllTextAsync(file, Cancellation))!;
        await File.WriteAllTextAsync(
            file, System.Text.Json.JsonSerializer.Serialize(record with { BinDirectory = "/nonexistent/bin" }), Cancellation);

        await AssertKeptAsync(await Server.StartAsync(cancellationToken: Cancellation));
    }

    [Fact]
    public async Task Folder_that_is_no_data_is_left_alone()
    {
        using var home = new TemporaryFolder(open: true);
        var data = home.Sub("postgres", "cluster", "data");
        Directory.CreateDirectory(data);
        await File.WriteAllTextAsync(Path.Combine(data, "notes.txt"), "mine", Cancellation);
        if (ServerAccount.IsRoot)
        {
            var account = await ServerAccount.ChooseAsync(Cancellation, "postgres", "nobody");
            await new Command("chown", "-R", account.Name!, home.Sub("postgres", "cluster")).RunAsync(Cancellation);
        }

        var failure = await Assert.ThrowsAsync<LocalPostgresException>(() => ServerIn(home).StartAsync(cancellationToken: Cancellation));

        Assert.Contains($"{data} is there, but it is no PostgreSQL data", failure.Message, StringComparison.Ordinal);
        Assert.Equal("mine", await File.ReadAllTextAsync(Path.Combine(data, "notes.txt"), Cancellation));
    }

    [Fact]
    public async Task Full_disk_while_making_theServer_is_named_and_leaves_nothing_half_made()
    {
        using var programs = new TemporaryFolder(open: true);
        Unix.WriteInstallation(programs.Sub("bin"), "18.4");
        Unix.WriteScript(
            programs.Sub("bin", "initdb"),
            "mkdir \"$2\" && echo half >\"$2/half\"; echo 'initdb: error: could not write file: No space left on device' >&2; exit 1");
        using var home = new TemporaryFolder(open: true);
        var server = new UserServer(home, new PostgresBinariesOptions { Requested = programs });

        var failure = await Assert.ThrowsAsync<LocalPostgresException>(() => server.StartAsync(cancellationToken: Cancellation));

        Assert.Contains("The disk is full", failure.Message, StringComparison.Ordinal);
        Assert.Contains("COBALTGRAPH_HOME", failure.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(home.Sub("postgres", "cluster")));
        Assert.Equal(UserServerState.NotCreated, (await server.GetStatusAsync(Cancellation)).State);
    }

    [Fact]
    public async Task Interrupted_making_is_cleared_by_the_next_start()
    {
        using var home = new TemporaryFolder(open: true);
        Directory.CreateDirectory(home.Sub("postgres", "cluster", "data.new-123"));
        var server = ServerIn(home);
        try
        {
            await server.StartAsync(cancellationToken: Cancellation);

            Assert.Equal(["data"], Directory.GetDirectories(home.Sub("postgres", "cluster")).Select(Path.GetFileName));
        }
        finally
        {
            await server.DeleteAsync(Cancellation);
        }
    }

    [Fact]
    public async Task Lost_configuration_file_is_written_anew()
    {
        await KeepAsync(await Server.StartAsync(cancellationToken: Cancellation));
        File.Delete(Conf);

        await AssertKeptAsync(await Server.StartAsync(cancellationToken: Cancellation));

        Assert.NotNull(DatabaseConf.Load(Conf));
    }

    [Fact]
    public async Task All_lost_but_the_data_is_found_again()
    {
        await KeepAsync(await Server.StartAsync(cancellationToken: Cancellation));
        await Server.StopAsync(Cancellation);
        File.Delete(Conf);
        foreach (var file in Directory.GetFiles(Home.Sub("postgres")))
            File.Delete(file);

        await AssertKeptAsync(await Server.StartAsync(cancellationToken: Cancellation));
    }

    [Fact]
    public async Task Password_that_somebody_changed_is_not_changed_back()
    {
        var info = await Server.StartAsync(cancellationToken: Cancellation);
        await using (var connection = await OpenAsync(info.ConnectionString))
            await ExecuteAsync(connection, "ALTER ROLE cobaltgraph PASSWORD 'another'");

        var failure = await Assert.ThrowsAsync<LocalPostgresException>(() => Server.StartAsync(cancellationToken: Cancellation));

        Assert.Contains(Conf, failure.Message, StringComparison.Ordinal);
        await using var changed = await OpenAsync(new NpgsqlConnectionStringBuilder(info.ConnectionString) { Password = "another" }.ConnectionString);
    }

    [Fact]
    public async Task Configuration_file_of_somebody_else_is_put_aside()
    {
        await File.WriteAllTextAsync(Conf, "[database]\nhost = elsewhere\n", Cancellation);

        await Server.StartAsync(cancellationToken: Cancellation);

        Assert.Contains("elsewhere", await File.ReadAllTextAsync(Conf + ".old", Cancellation), StringComparison.Ordinal);
        Assert.NotNull(DatabaseConf.Load(Conf));
    }
}
