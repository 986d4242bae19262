using System.Collections.Concurrent;
using CobaltGraph.LocalPostgres;
using Npgsql;

namespace CobaltGraph.Cli.Tests;

/// <summary>A server that logs every statement, and the command lines of all processes from before its start on.</summary>
public sealed class WatchedServer : IAsyncLifetime
{
    private readonly ConcurrentDictionary<string, bool> _commandLines = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _end = new();
    private Task _watch = Task.CompletedTask;
    private TemporaryServer _server = null!;

    public string ConnectionString => _server.ConnectionString;

    public int Port => _server.Port;

    /// <summary>What must not be seen.</summary>
    public string Password { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        if (OperatingSystem.IsLinux()) _watch = Task.Run(WatchAsync);
        _server = await TemporaryServer.StartAsync(new TemporaryServerOptions
        {
            Settings = new Dictionary<string, string>
            {
                ["log_statement"] = "all",
                ["log_connections"] = "on",
                ["log_min_duration_statement"] = "0",
            },
        });
        Password = new NpgsqlConnectionStringBuilder(ConnectionString).Password!;
        Assert.True(Password.Length > 10);
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _watch;
        _end.Dispose();
        await _server.DisposeAsync();
    }

    public string ConnectionStringWith(Action<NpgsqlConnectionStringBuilder> change)
    {
        ArgumentNullException.ThrowIfNull(change);
        var builder = new NpgsqlConnectionStringBuilder(ConnectionString);
        change(builder);
        return builder.ConnectionString;
    }

    /// <summary>A text must not have the password.</summary>
    public void AssertHidden(string text, string origin)
    {
        ArgumentNullException.ThrowIfNull(text);
        Assert.False(
            text.Contains(Password, StringComparison.Ordinal),
            $"{origin} tells the password:\n{text.Replace(Password, "<here>", StringComparison.Ordinal)}");
    }

    /// <summary>Nor must the server's log and the list of processes, so far.</summary>
    public void AssertHidden()
    {
        var log = _server.LogTail(int.MaxValue);
        Assert.Contains("statement:", log, StringComparison.Ordinal);
        AssertHidden(log, "the server's log");
        foreach (var line in _commandLines.Keys)
            AssertHidden(line, "a command line");
    }

    /// <summary>Waits until a process with this in its command line was seen.</summary>
    public async Task SeenAsync(string text, CancellationToken cancellationToken)
    {
        while (OperatingSystem.IsLinux() && !HasSeen(text))
            await Task.Delay(20, cancellationToken);
    }

    /// <summary>Whether any process seen so far had this in its command line.</summary>
    public bool HasSeen(string text) => _commandLines.Keys.Any(line => line.Contains(text, StringComparison.Ordinal));

    private async Task WatchAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            foreach (var folder in Directory.EnumerateDirectories("/proc").Where(folder => char.IsAsciiDigit(folder[^1])))
            {
                try
                {
                    _commandLines.TryAdd(File.ReadAllText($"{folder}/cmdline").Replace('\0', ' '), true);
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    // It has ended, or is not ours to look at.
                }
            }

            await Task.Delay(50, CancellationToken.None);
        }
    }
}
