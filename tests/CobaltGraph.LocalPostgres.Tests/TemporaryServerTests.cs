using Npgsql;

namespace CobaltGraph.LocalPostgres.Tests;

public sealed class TemporaryServerTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Server_is_for_speed_on_loopback_and_asks_for_a_password()
    {
        await using var server = await TemporaryServer.StartAsync(cancellationToken: Cancellation);
        await using var connection = new NpgsqlConnection(server.ConnectionString);
        await connection.OpenAsync(Cancellation);

        Assert.Equal("off", await SettingAsync(connection, "fsync"));
        Assert.Equal("200", await SettingAsync(connection, "max_connections"));
        Assert.Equal("127.0.0.1", await SettingAsync(connection, "listen_addresses"));
        Assert.Equal("C", await SettingAsync(connection, "lc_messages"));
        var stranger = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Password = "guess", Pooling = false };
        await using var wrong = new NpgsqlConnection(stranger.ConnectionString);
        var refused = await Assert.ThrowsAsync<PostgresException>(() => wrong.OpenAsync(Cancellation));
        Assert.Equal(PostgresErrorCodes.InvalidPassword, refused.SqlState);
    }

    [Fact]
    public async Task Settings_given_by_the_caller_win()
    {
        var options = new TemporaryServerOptions { Settings = new Dictionary<string, string> { ["fsync"] = "on", ["max_connections"] = "8" } };
        await using var server = await TemporaryServer.StartAsync(options, cancellationToken: Cancellation);
        await using var connection = new NpgsqlConnection(server.ConnectionString);
        await connection.OpenAsync(Cancellation);

        Assert.Equal("on", await SettingAsync(connection, "fsync"));
        Assert.Equal("8", await SettingAsync(connection, "max_connections"));
    }

    [Fact]
    public async Task Server_is_made_in_the_folder_that_was_asked_for()
    {
        using var parent = new TemporaryFolder();
        // Root's server runs under another account, which makes its folder itself.
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(parent.Path, Unix.Everyone | UnixFileMode.OtherWrite);
        var options = new TemporaryServerOptions { ParentFolder = parent.Path };

        await using var server = await TemporaryServer.StartAsync(options, cancellationToken: Cancellation);

        Assert.Equal(parent.Path, Path.GetDirectoryName(server.Folder));
        Assert.True(Directory.Exists(server.Folder));
    }

    [Fact]
    public async Task Wrong_setting_fails_with_the_end_of_the_log()
    {
        var options = new TemporaryServerOptions { Settings = new Dictionary<string, string> { ["no_such_setting"] = "1" } };

        var failure = await Assert.ThrowsAsync<LocalPostgresException>(
            () => TemporaryServer.StartAsync(options, cancellationToken: Cancellation));

        Assert.Contains("no_such_setting", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Disposed_server_is_gone_with_all_its_files()
    {
        var server = await TemporaryServer.StartAsync(cancellationToken: Cancellation);
        Assert.True(Directory.Exists(server.Folder));

        await server.DisposeAsync();

        await AssertGoneAsync(server.Port, server.Folder);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Server_is_gone_when_its_owner_is_killed(bool wholeTree)
    {
        using var owner = await Owner.OfTemporaryServerAsync();
        Assert.True(Directory.Exists(owner.Folder));

        owner.Kill(wholeTree);

        await AssertGoneAsync(owner.Port, owner.Folder);
    }

    [Fact]
    public async Task Shared_server_lives_as_long_as_one_of_its_holders()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Servers are not shared on Windows.");
        var key = Key("holders");
        var owners = await Task.WhenAll(Owner.OfSharedServerAsync(key), Owner.OfSharedServerAsync(key), Owner.OfSharedServerAsync(key));
        try
        {
            Assert.Single(owners.Select(owner => owner.Folder).Distinct());
            owners[0].Kill();
            owners[1].Kill();
            await Task.Delay(300, Cancellation);
            await using (var server = await TemporaryServer.ShareAsync(key, cancellationToken: Cancellation))
            {
                Assert.Equal(owners[2].Port, server.Port);
                owners[2].Kill();
                await using var connection = new NpgsqlConnection(server.ConnectionString);
                await connection.OpenAsync(Cancellation);
            }

            await AssertGoneAsync(owners[2].Port, owners[2].Folder);
        }
        finally
        {
            foreach (var owner in owners)
                owner.Dispose();
        }
    }

    [Fact]
    public async Task What_a_killed_supervisor_left_is_removed_by_the_next_start()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no supervisor on Windows.");
        var key = Key("leftover");
        var first = await TemporaryServer.ShareAsync(key, cancellationToken: Cancellation);
        var supervisor = int.Parse(await File.ReadAllTextAsync(Path.Combine(first.Folder, "supervisor.pid"), Cancellation));
        using (var process = System.Diagnostics.Process.GetProcessById(supervisor))
        {
            process.Kill();
            await process.WaitForExitAsync(Cancellation);
        }

        await using var second = await TemporaryServer.ShareAsync(key, cancellationToken: Cancellation);

        Assert.NotEqual(first.Folder, second.Folder);
        await AssertGoneAsync(first.Port, first.Folder);
        await first.DisposeAsync();
    }

    [Fact]
    public async Task Shared_server_starts_anew_after_the_last_holder_left()
    {
        var key = Key("anew");
        string folder;
        await using (var first = await TemporaryServer.ShareAsync(key, cancellationToken: Cancellation))
            folder = first.Folder;

        await using var second = await TemporaryServer.ShareAsync(key, cancellationToken: Cancellation);

        Assert.NotEqual(folder, second.Folder);
    }

    // Of this checkout and always the same, so that not every run leaves another lock file.
    private static string Key(string test) => AppContext.BaseDirectory + test;

    private static async Task<string?> SettingAsync(NpgsqlConnection connection, string name)
    {
        await using var command = new NpgsqlCommand($"SHOW {name}", connection);
        return (string?)await command.ExecuteScalarAsync(Cancellation);
    }

    private static async Task AssertGoneAsync(int port, string folder)
    {
        for (var i = 0; i < 500 && Directory.Exists(folder); i++)
            await Task.Delay(20, Cancellation);
        Assert.False(Directory.Exists(folder));
        Assert.True(Servers.ServerFiles.IsPortFree(port));
    }
}
