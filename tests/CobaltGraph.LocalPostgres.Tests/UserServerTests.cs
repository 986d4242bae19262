using System.Net;
using System.Net.Sockets;
using CobaltGraph.LocalPostgres.Processes;
using CobaltGraph.LocalPostgres.Servers;
using Npgsql;

namespace CobaltGraph.LocalPostgres.Tests;

public sealed class UserServerTests : IAsyncLifetime
{
    // Closed to other users: for root this is the case in which the server's account cannot reach the home folder.
    private readonly TemporaryFolder _home = new();
    private readonly UserServer _server;

    public UserServerTests() => _server = ServerIn(_home);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Conf => _home.Sub("database.conf");

    private string SuperuserConf => _home.Sub("postgres", "superuser.conf");

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _server.DeleteAsync(CancellationToken.None);
        _home.Dispose();
    }

    internal static UserServer ServerIn(string home) => new(home, new PostgresBinariesOptions
    {
        // Fetched once for all tests, where there is nothing to find.
        CacheDirectory = Path.Combine(UserFolders.Home(), "binaries"),
    });

    [Fact]
    public async Task New_server_is_durable_local_and_owned_by_a_role_that_is_no_superuser()
    {
        var info = await _server.StartAsync(cancellationToken: Cancellation);

        Assert.True(info is { Created: true, Started: true, Database: "cobaltgraph", User: "cobaltgraph" });
        var superuser = DatabaseConf.Load(SuperuserConf)!;
        await using var connection = await OpenAsync(new NpgsqlConnectionStringBuilder(info.ConnectionString)
        {
            Username = superuser.User,
            Password = superuser.Password,
        }.ConnectionString);
        var settings = await RowAsync(
            connection,
            """
            SELECT current_setting('fsync'), current_setting('synchronous_commit'), current_setting('full_page_writes'),
                   current_setting('data_checksums'), current_setting('listen_addresses'), current_setting('unix_socket_directories'),
                   current_setting('server_encoding'), (SELECT datcollate FROM pg_database WHERE datname = current_database())
            """);
        Assert.Equal(["on", "on", "on", "on", "127.0.0.1", "", "UTF8", "C"], settings);
        Assert.Equal(
            [false, false, false, "cobaltgraph"],
            await RowAsync(
                connection,
                """
                SELECT rolsuper, rolcreaterole, rolcreatedb, (SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'cobaltgraph')
                FROM pg_roles WHERE rolname = 'cobaltgraph'
                """));
        var methods = await RowAsync(connection, "SELECT string_agg(DISTINCT auth_method, ',') FROM pg_hba_file_rules");
        Assert.Equal(["scram-sha-256"], methods);
        await using var owner = await OpenAsync(info.ConnectionString);
        await ExecuteAsync(owner, "CREATE TABLE mine (id int); REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    }

    [Fact]
    public async Task Configuration_file_holds_the_connection_and_only_its_owner_reads_it()
    {
        var info = await _server.StartAsync(cancellationToken: Cancellation);

        var lines = await File.ReadAllLinesAsync(Conf, Cancellation);
        var password = new NpgsqlConnectionStringBuilder(info.ConnectionString).Password;
        Assert.Equal(
            ["[database]", "host = 127.0.0.1", $"port = {info.Port}", "database = cobaltgraph", "user = cobaltgraph", $"password = {password}"],
            lines.Where(line => !line.StartsWith('#')));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(Unix.OwnerOnly, File.GetUnixFileMode(Conf));
            Assert.Equal(Unix.OwnerOnly, File.GetUnixFileMode(SuperuserConf));
        }
    }

    [Fact]
    public async Task Password_is_in_no_command_line_log_or_text()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Command lines are read from /proc.");
        using var stop = new CancellationTokenSource();
        var seen = new List<string>();
        var watcher = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
                seen.AddRange(CommandLines());
        }, Cancellation);
        var info = await _server.StartAsync(cancellationToken: Cancellation);
        seen.AddRange(CommandLines());
        await stop.CancelAsync();
        await watcher;

        var status = await _server.GetStatusAsync(Cancellation);
        var log = await File.ReadAllTextAsync(status.LogFile, Cancellation);
        Assert.Contains(seen, line => line.Contains("initdb", StringComparison.Ordinal));
        foreach (var password in new[] { DatabaseConf.Load(Conf)!.Password, DatabaseConf.Load(SuperuserConf)!.Password })
        {
            Assert.DoesNotContain(seen, line => line.Contains(password, StringComparison.Ordinal));
            Assert.DoesNotContain(password, log, StringComparison.Ordinal);
            Assert.DoesNotContain(password, info.ToString(), StringComparison.Ordinal);
            Assert.DoesNotContain(password, status.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Second_start_changes_nothing()
    {
        var first = await _server.StartAsync(cancellationToken: Cancellation);
        var process = (await _server.GetStatusAsync(Cancellation)).ProcessId;
        var second = await _server.StartAsync(cancellationToken: Cancellation);

        Assert.True(second is { Created: false, Started: false });
        Assert.Equal(first.ConnectionString, second.ConnectionString);
        Assert.Equal(process, (await _server.GetStatusAsync(Cancellation)).ProcessId);
    }

    [Fact]
    public async Task Two_starts_at_once_make_one_server()
    {
        var both = await Task.WhenAll(_server.StartAsync(cancellationToken: Cancellation), ServerIn(_home).StartAsync(cancellationToken: Cancellation));

        Assert.Equal(both[0].ConnectionString, both[1].ConnectionString);
        Assert.Single(both, info => info.Created);
        await using var connection = await OpenAsync(both[0].ConnectionString);
    }

    [Fact]
    public async Task Stop_and_start_keep_data_port_and_password()
    {
        var first = await _server.StartAsync(cancellationToken: Cancellation);
        await KeepAsync(first);

        Assert.True(await _server.StopAsync(Cancellation));
        Assert.False(await _server.StopAsync(Cancellation));
        var stopped = await _server.GetStatusAsync(Cancellation);
        var second = await _server.StartAsync(cancellationToken: Cancellation);

        Assert.Equal((UserServerState.Stopped, first.Port), (stopped.State, stopped.Port));
        Assert.True(second is { Created: false, Started: true });
        Assert.Equal(first.ConnectionString, second.ConnectionString);
        await AssertKeptAsync(second);
    }

    [Fact]
    public async Task Server_outlives_the_process_that_started_it()
    {
        using var owner = await Owner.OfUserServerAsync(_home);
        await owner.WaitForExitAsync(Cancellation);

        var info = await _server.StartAsync(cancellationToken: Cancellation);

        Assert.False(info.Started);
        Assert.Equal(owner.Port, info.Port);
    }

    [Fact]
    public async Task Server_that_was_killed_starts_again_with_its_data()
    {
        await KeepAsync(await _server.StartAsync(cancellationToken: Cancellation));
        var status = await _server.GetStatusAsync(Cancellation);
        using (var process = System.Diagnostics.Process.GetProcessById(status.ProcessId!.Value))
            process.Kill();
        await WaitUntilAsync(async () => (await _server.GetStatusAsync(Cancellation)).State == UserServerState.Stopped);
        Assert.True(File.Exists(Path.Combine(status.DataDirectory, "postmaster.pid")));

        await WaitUntilAsync(async () =>
        {
            // Until its children have noticed, they still use the data, and PostgreSQL rightly refuses.
            try
            {
                await AssertKeptAsync(await _server.StartAsync(cancellationToken: Cancellation));
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
        var info = await _server.StartAsync(cancellationToken: Cancellation);
        await KeepAsync(info);
        var pidFile = Path.Combine(info.DataDirectory, "postmaster.pid");
        var lines = await File.ReadAllLinesAsync(pidFile, Cancellation);
        await _server.StopAsync(Cancellation);
        var account = ServerAccount.IsRoot
            ? new ServerAccount(await ServerAccount.OwnerAsync(info.DataDirectory, Cancellation))
            : ServerAccount.Self;
        using var stranger = (new Command("sleep", "60") with { Account = account }).Start(redirectOutput: false);
        try
        {
            lines[0] = $"{stranger.Id}";
            await account.WriteFileAsync(pidFile, string.Join('\n', lines), Cancellation);

            Assert.Equal(UserServerState.Stopped, (await _server.GetStatusAsync(Cancellation)).State);
            await AssertKeptAsync(await _server.StartAsync(cancellationToken: Cancellation));
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
        var first = await _server.StartAsync(cancellationToken: Cancellation);
        await KeepAsync(first);
        await _server.StopAsync(Cancellation);
        using var intruder = new TcpListener(IPAddress.Loopback, first.Port);
        intruder.Start();

        var failure = await Assert.ThrowsAsync<LocalPostgresException>(() => _server.StartAsync(cancellationToken: Cancellation));

        Assert.Contains($"Port {first.Port} is taken", failure.Message, StringComparison.Ordinal);
        Assert.Contains("cobaltgraph up --port", failure.Message, StringComparison.Ordinal);
        if (OperatingSystem.IsLinux())
            Assert.Contains($"(process {Environment.ProcessId})", failure.Message, StringComparison.Ordinal);
        var other = ServerFiles.FreePort();
        var second = await _server.StartAsync(other, cancellationToken: Cancellation);
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

        await Assert.ThrowsAsync<LocalPostgresException>(() => _server.StartAsync(port, cancellationToken: Cancellation));

        Assert.Equal(UserServerState.NotCreated, (await _server.GetStatusAsync(Cancellation)).State);
        Assert.False(File.Exists(Conf));
    }

    [Fact]
    public async Task Running_server_is_not_moved_to_another_port()
    {
        var info = await _server.StartAsync(cancellationToken: Cancellation);

        var failure = await Assert.ThrowsAsync<LocalPostgresException>(() => _server.StartAsync(info.Port + 1, cancellationToken: Cancellation));

        Assert.Contains("cobaltgraph down", failure.Message, StringComparison.Ordinal);
        Assert.Equal(UserServerState.Running, (await _server.GetStatusAsync(Cancellation)).State);
    }

    [Fact]
    public async Task Data_of_another_major_version_is_named_and_kept()
    {
        var info = await _server.StartAsync(cancellationToken: Cancellation);
        await KeepAsync(info);
        await _server.StopAsync(Cancellation);
        var file = Path.Combine(info.DataDirectory, "PG_VERSION");
        var real = await File.ReadAllTextAsync(file, Cancellation);
        await File.WriteAllTextAsync(file, "11\n", Cancellation);

        var failure = await Assert.ThrowsAsync<LocalPostgresException>(() => _server.StartAsync(cancellationToken: Cancellation));

        Assert.Contains("made by PostgreSQL 11", failure.Message, StringComparison.Ordinal);
        Assert.Contains(info.DataDirectory, failure.Message, StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, real, Cancellation);
        await AssertKeptAsync(await _server.StartAsync(cancellationToken: Cancellation));
    }

    [Fact]
    public async Task Programs_that_are_gone_are_looked_for_again()
    {
        var info = await _server.StartAsync(cancellationToken: Cancellation);
        await KeepAsync(info);
        await _server.StopAsync(Cancellation);
        var file = _home.Sub("postgres", "server.json");
        var record = System.Text.Json.JsonSerializer.Deserialize<UserServerRecord>(await File.ReadAllTextAsync(file, Cancellation))!;
        await File.WriteAllTextAsync(
            file, System.Text.Json.JsonSerializer.Serialize(record with { BinDirectory = "/nonexistent/bin" }), Cancellation);

        await AssertKeptAsync(await _server.StartAsync(cancellationToken: Cancellation));
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
    public async Task Full_disk_while_making_the_server_is_named_and_leaves_nothing_half_made()
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
        await KeepAsync(await _server.StartAsync(cancellationToken: Cancellation));
        File.Delete(Conf);

        await AssertKeptAsync(await _server.StartAsync(cancellationToken: Cancellation));

        Assert.NotNull(DatabaseConf.Load(Conf));
    }

    [Fact]
    public async Task All_lost_but_the_data_is_found_again()
    {
        await KeepAsync(await _server.StartAsync(cancellationToken: Cancellation));
        await _server.StopAsync(Cancellation);
        File.Delete(Conf);
        foreach (var file in Directory.GetFiles(_home.Sub("postgres")))
            File.Delete(file);

        await AssertKeptAsync(await _server.StartAsync(cancellationToken: Cancellation));
    }

    [Fact]
    public async Task Password_that_somebody_changed_is_not_changed_back()
    {
        var info = await _server.StartAsync(cancellationToken: Cancellation);
        await using (var connection = await OpenAsync(info.ConnectionString))
            await ExecuteAsync(connection, "ALTER ROLE cobaltgraph PASSWORD 'another'");

        var failure = await Assert.ThrowsAsync<LocalPostgresException>(() => _server.StartAsync(cancellationToken: Cancellation));

        Assert.Contains(Conf, failure.Message, StringComparison.Ordinal);
        await using var changed = await OpenAsync(new NpgsqlConnectionStringBuilder(info.ConnectionString) { Password = "another" }.ConnectionString);
    }

    [Fact]
    public async Task Configuration_file_of_somebody_else_is_put_aside()
    {
        await File.WriteAllTextAsync(Conf, "[database]\nhost = elsewhere\n", Cancellation);

        await _server.StartAsync(cancellationToken: Cancellation);

        Assert.Contains("elsewhere", await File.ReadAllTextAsync(Conf + ".old", Cancellation), StringComparison.Ordinal);
        Assert.NotNull(DatabaseConf.Load(Conf));
    }

    [Fact]
    public async Task Delete_leaves_nothing_of_the_server()
    {
        var info = await _server.StartAsync(cancellationToken: Cancellation);

        Assert.True(await _server.DeleteAsync(Cancellation));
        Assert.False(await _server.DeleteAsync(Cancellation));

        Assert.True(ServerFiles.IsPortFree(info.Port));
        Assert.False(Directory.Exists(Path.GetDirectoryName(info.DataDirectory)));
        Assert.Equal(["lock"], Directory.GetFiles(_home, "*", SearchOption.AllDirectories).Select(Path.GetFileName));
        Assert.Equal(UserServerState.NotCreated, (await _server.GetStatusAsync(Cancellation)).State);
    }

    [Fact]
    public async Task Stop_without_a_server_makes_nothing()
    {
        Assert.False(await _server.StopAsync(Cancellation));
        Assert.Empty(Directory.GetFileSystemEntries(_home));
    }

    private static async Task KeepAsync(UserServerInfo info)
    {
        await using var connection = await OpenAsync(info.ConnectionString);
        await ExecuteAsync(connection, "CREATE TABLE kept (value text); INSERT INTO kept VALUES ('still here')");
    }

    private static async Task AssertKeptAsync(UserServerInfo info)
    {
        await using var connection = await OpenAsync(info.ConnectionString);
        Assert.Equal(["still here"], await RowAsync(connection, "SELECT value FROM kept"));
    }

    private static async Task<NpgsqlConnection> OpenAsync(string connectionString)
    {
        var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(Cancellation);
        return connection;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private static async Task<object?[]> RowAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        Assert.True(await reader.ReadAsync(Cancellation));
        var row = new object?[reader.FieldCount];
        reader.GetValues(row!);
        return row;
    }

    private static async Task WaitUntilAsync(Func<Task<bool>> condition)
    {
        for (var i = 0; !await condition(); i++)
        {
            Assert.True(i < 200, "It did not come true within 10 s.");
            await Task.Delay(50, Cancellation);
        }
    }

    private static IEnumerable<string> CommandLines()
    {
        foreach (var process in Directory.EnumerateDirectories("/proc").Where(folder => char.IsAsciiDigit(Path.GetFileName(folder)[0])))
        {
            string line;
            try
            {
                line = File.ReadAllText(Path.Combine(process, "cmdline")).Replace('\0', ' ');
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                continue;
            }

            yield return line;
        }
    }
}
