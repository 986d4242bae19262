using System.Diagnostics;
using Npgsql;

namespace CobaltGraph.LocalPostgres.Tests;

/// <summary>A home folder, and in it a user's server that is deleted at the end.</summary>
public abstract class UserServerTestBase : IAsyncLifetime
{
    private Process? _guard;

    // Closed to other users: for root this is the case in which the server's account cannot reach the home folder.
    private protected TemporaryFolder Home { get; } = new();

    private protected UserServer Server => field ??= ServerIn(Home);

    private protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private protected string Conf => Home.Sub("database.conf");

    private protected string SuperuserConf => Home.Sub("postgres", "superuser.conf");

    public async ValueTask InitializeAsync()
    {
        if (!OperatingSystem.IsWindows())
            _guard = Guard(Path.GetDirectoryName((await Server.GetStatusAsync(Cancellation)).DataDirectory)!);
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DeleteAsync(CancellationToken.None);
        _guard?.StandardInput.Close();
        _guard?.Dispose();
        Home.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>These servers outlive whoever starts them; this ends them even if the tests are killed.</summary>
    private static Process Guard(string cluster)
    {
        const string Script =
            """
            trap '' HUP INT TERM QUIT
            cat >/dev/null
            [ -d "$1" ] || exit 0
            kill -QUIT "$(head -n 1 "$1/data/postmaster.pid")"
            sleep 1
            rm -rf -- "$1"
            """;
        string[] detach = File.Exists("/usr/bin/setsid") ? ["/usr/bin/setsid"] : [];
        string[] command = [.. detach, "/bin/sh", "-c", Script, "guard", cluster];
        return Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardInput = true, RedirectStandardError = true })!;
    }

    internal static UserServer ServerIn(string home) => new(home, new PostgresBinariesOptions
    {
        // Fetched once for all tests, where there is nothing to find.
        CacheDirectory = Path.Combine(UserFolders.Home(), "binaries"),
    });

    private protected static async Task KeepAsync(UserServerInfo info)
    {
        await using var connection = await OpenAsync(info.ConnectionString);
        await ExecuteAsync(connection, "CREATE TABLE kept (value text); INSERT INTO kept VALUES ('still here')");
    }

    private protected static async Task AssertKeptAsync(UserServerInfo info)
    {
        await using var connection = await OpenAsync(info.ConnectionString);
        Assert.Equal(["still here"], await RowAsync(connection, "SELECT value FROM kept"));
    }

    private protected static async Task<NpgsqlConnection> OpenAsync(string connectionString)
    {
        var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(Cancellation);
        return connection;
    }

    private protected static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private protected static async Task<object?[]> RowAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        Assert.True(await reader.ReadAsync(Cancellation));
        var row = new object?[reader.FieldCount];
        reader.GetValues(row!);
        return row;
    }

    private protected static async Task WaitUntilAsync(Func<Task<bool>> condition)
    {
        for (var i = 0; !await condition(); i++)
        {
            Assert.True(i < 200, "It did not come true within 10 s.");
            await Task.Delay(50, Cancellation);
        }
    }
}
