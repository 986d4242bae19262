using CobaltGraph.LocalPostgres.Servers;
using Npgsql;

namespace CobaltGraph.LocalPostgres.Tests;

public sealed class UserServerTests : UserServerTestBase
{
    [Fact]
    public async Task NewServer_is_durable_local_and_owned_by_a_role_that_is_no_superuser()
    {
        var info = await Server.StartAsync(cancellationToken: Cancellation);

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
        var info = await Server.StartAsync(cancellationToken: Cancellation);

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
        var info = await Server.StartAsync(cancellationToken: Cancellation);
        seen.AddRange(CommandLines());
        await stop.CancelAsync();
        await watcher;

        var status = await Server.GetStatusAsync(Cancellation);
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
        var first = await Server.StartAsync(cancellationToken: Cancellation);
        var process = (await Server.GetStatusAsync(Cancellation)).ProcessId;
        var second = await Server.StartAsync(cancellationToken: Cancellation);

        Assert.True(second is { Created: false, Started: false });
        Assert.Equal(first.ConnectionString, second.ConnectionString);
        Assert.Equal(process, (await Server.GetStatusAsync(Cancellation)).ProcessId);
    }

    [Fact]
    public async Task Two_starts_at_once_make_oneServer()
    {
        var both = await Task.WhenAll(Server.StartAsync(cancellationToken: Cancellation), ServerIn(Home).StartAsync(cancellationToken: Cancellation));

        Assert.Equal(both[0].ConnectionString, both[1].ConnectionString);
        Assert.Single(both, info => info.Created);
        await using var connection = await OpenAsync(both[0].ConnectionString);
    }

    [Fact]
    public async Task Stop_and_start_keep_data_port_and_password()
    {
        var first = await Server.StartAsync(cancellationToken: Cancellation);
        await KeepAsync(first);

        Assert.True(await Server.StopAsync(Cancellation));
        Assert.False(await Server.StopAsync(Cancellation));
        var stopped = await Server.GetStatusAsync(Cancellation);
        var second = await Server.StartAsync(cancellationToken: Cancellation);

        Assert.Equal((UserServerState.Stopped, first.Port), (stopped.State, stopped.Port));
        Assert.True(second is { Created: false, Started: true });
        Assert.Equal(first.ConnectionString, second.ConnectionString);
        await AssertKeptAsync(second);
    }

    [Fact]
    public async Task Server_outlives_the_process_that_started_it()
    {
        using var owner = await Owner.OfUserServerAsync(Home);
        await owner.WaitForExitAsync(Cancellation);

        var info = await Server.StartAsync(cancellationToken: Cancellation);

        Assert.False(info.Started);
        Assert.Equal(owner.Port, info.Port);
    }

    [Fact]
    public async Task Delete_leaves_nothing_of_theServer()
    {
        var info = await Server.StartAsync(cancellationToken: Cancellation);

        Assert.True(await Server.DeleteAsync(Cancellation));
        Assert.False(await Server.DeleteAsync(Cancellation));

        Assert.True(ServerFiles.IsPortFree(info.Port));
        Assert.False(Directory.Exists(Path.GetDirectoryName(info.DataDirectory)));
        Assert.Equal(["lock"], Directory.GetFiles(Home, "*", SearchOption.AllDirectories).Select(Path.GetFileName));
        Assert.Equal(UserServerState.NotCreated, (await Server.GetStatusAsync(Cancellation)).State);
    }

    [Fact]
    public async Task Stop_without_aServer_makes_nothing()
    {
        Assert.False(await Server.StopAsync(Cancellation));
        Assert.Empty(Directory.GetFileSystemEntries(Home));
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
