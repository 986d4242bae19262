using System.Reflection;
using System.Security.Cryptography;
using CobaltGraph.LocalPostgres.Processes;
using CobaltGraph.LocalPostgres.Servers;
using Npgsql;

namespace CobaltGraph.LocalPostgres;

/// <summary>How a throw-away server is made.</summary>
public sealed record TemporaryServerOptions
{
    /// <summary>How the programs are found.</summary>
    public PostgresBinariesOptions Binaries { get; init; } = new();

    /// <summary>Settings of postgresql.conf beyond, or instead of, those for speed.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// The folder, which exists, that the server's own folder is made in. Null: memory where there is room, or the
    /// temporary folder. For durable settings name one on a disk.
    /// </summary>
    public string? ParentFolder { get; init; }
}

/// <summary>
/// A throw-away server for tests: fast, not durable, on loopback, with a password that nobody else knows. It ends with
/// the processes that hold it, however they end, and leaves nothing behind.
/// </summary>
/// <remarks>
/// On Linux and macOS a small shell process outside our session watches over the server, so that not even a SIGKILL
/// of the whole process group leaves it running. On Windows a kill of the whole process tree can.
/// </remarks>
public sealed class TemporaryServer : IAsyncDisposable
{
    private const int Attempts = 5;

    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);

    private readonly TemporaryServerRun _run;
    private readonly IDisposable _lease;
    private readonly string? _entry;
    private bool _disposed;

    private TemporaryServer(TemporaryServerRun run, IDisposable lease, string? entry)
    {
        _run = run;
        _lease = lease;
        _entry = entry;
        ConnectionString = run.ConnectionString;
    }

    /// <summary>Connects as the superuser <c>postgres</c> to the database <c>postgres</c>; holds the password.</summary>
    public string ConnectionString { get; }

    /// <summary>The port on 127.0.0.1.</summary>
    public int Port => _run.Port;

    /// <summary>The version as the server states it, for example 15.18.</summary>
    public string Version => _run.Version;

    /// <summary>The folder of data and log; removed at the end.</summary>
    public string Folder => _run.Folder;

    /// <summary>The last lines of the server's log.</summary>
    public string LogTail(int lines = 20) => CommandResult.LastLines(ServerFiles.ReadText(_run.Log), lines);

    /// <summary>Starts a server that belongs to this process.</summary>
    public static async Task<TemporaryServer> StartAsync(
        TemporaryServerOptions? options = null, IProgress<string>? progress = null, CancellationToken cancellationToken = default)
    {
        var (run, lease) = await StartRunAsync(options ?? new(), progress, cancellationToken);
        return new TemporaryServer(run, lease, entry: null);
    }

    /// <summary>
    /// Joins the server that other processes of this user hold under the same key, or starts it. It ends with the last
    /// of them. On Windows every call starts a server of its own.
    /// </summary>
    /// <param name="key">Any text, for example the path of a checkout.</param>
    /// <param name="options">How the server is made; calls that differ in them do not share one.</param>
    /// <param name="progress">Told in words what takes long.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    public static async Task<TemporaryServer> ShareAsync(
        string key, TemporaryServerOptions? options = null, IProgress<string>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        options ??= new();
        if (OperatingSystem.IsWindows())
            return await StartAsync(options, progress, cancellationToken);

        var settings = string.Join('\n', options.Settings.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value}"));
        var registry = Path.Combine(Path.GetTempPath(), $"cobaltgraph-{Environment.UserName}");
        Directory.CreateDirectory(registry, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        // The name can be guessed, and the folder may have been made by somebody else.
        var owned = await Command.Shell("[ -O \"$1\" ] && [ ! -L \"$1\" ]", registry).RunAsync(cancellationToken);
        if (owned.ExitCode != 0)
            throw new LocalPostgresException($"{registry} belongs to another user. Remove it, or set TMPDIR to a folder of yours.");

        var entry = Path.Combine(registry, Names.Short($"{key}\n{options.Binaries.Requested}\n{options.ParentFolder}\n{settings}") + ".json");
        using var held = await LockEntryAsync(entry, progress, cancellationToken);
        if (TemporaryServerRun.Load(entry) is { } known)
        {
            if (await JoinAsync(known, entry, cancellationToken) is { } joined)
                return joined;
            await known.RemoveLeftoverAsync(cancellationToken);
        }

        var (run, lease) = await StartRunAsync(options, progress, cancellationToken);
        run.Save(entry);
        return new TemporaryServer(run, lease, entry);
    }

    /// <summary>Lets go of the server. The last holder ends it and waits until it is gone.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        _disposed = true;
        await ClearPoolAsync();
        _lease.Dispose();
        if (_entry is not null && !await ComesTrueAsync(() => !File.Exists(_run.Lease), TimeSpan.FromMilliseconds(250)))
            return;
        await ComesTrueAsync(() => !Directory.Exists(_run.Folder), TimeSpan.FromSeconds(15));
        if (_entry is null)
            return;
        using var held = await LockEntryAsync(_entry, progress: null, CancellationToken.None);
        if (TemporaryServerRun.Load(_entry) is { } current && current.Folder == _run.Folder)
            File.Delete(_entry);
    }

    private static Task<FileLock> LockEntryAsync(string entry, IProgress<string>? progress, CancellationToken cancellationToken) =>
        FileLock.TakeAsync(
            Path.ChangeExtension(entry, ".lock"), TimeSpan.FromMinutes(15),
            () => progress?.Report("Waiting for the test server that another process starts."), cancellationToken);

    private async Task ClearPoolAsync()
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        NpgsqlConnection.ClearPool(connection);
    }

    private static async Task<TemporaryServer?> JoinAsync(TemporaryServerRun run, string entry, CancellationToken cancellationToken)
    {
        Microsoft.Win32.SafeHandles.SafeFileHandle? lease = null;
        try
        {
            // Whoever has the lease open before it is removed is waited for, so there is no moment to lose here.
            lease = OpenLease(run);
            if (!await run.IsSupervisedAsync(cancellationToken))
            {
                lease.Dispose();
                return null;
            }

            await using var connection = new NpgsqlConnection(run.ConnectionString);
            await connection.OpenAsync(cancellationToken);
            return new TemporaryServer(run, lease, entry);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or NpgsqlException)
        {
            lease?.Dispose();
            return null;
        }
    }

    private static async Task<(TemporaryServerRun Run, IDisposable Lease)> StartRunAsync(
        TemporaryServerOptions options, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        var account = await ServerAccount.ChooseAsync(cancellationToken, "nobody", "postgres");
        var installation = await new PostgresBinaries(options.Binaries).FindOrFetchAsync(null, progress, cancellationToken);
        installation = await PostgresBinaries.ReachableAsync(installation, account, cancellationToken);
        for (var attempt = 1; ; attempt++)
        {
            var run = new TemporaryServerRun
            {
                Folder = Path.Combine(options.ParentFolder ?? FastFolder(), "cobaltgraph-pg-" + Names.Unique()),
                Port = ServerFiles.FreePort(),
                Password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)),
                Version = installation.Version,
                Account = account.Name,
            };
            var lease = OperatingSystem.IsWindows()
                ? await WindowsServer.StartAsync(run, installation, Arguments(run, options), cancellationToken)
                : await StartSupervisedAsync(run, installation, Arguments(run, options), cancellationToken);
            try
            {
                if (await WaitUntilReadyAsync(run, cancellationToken))
                    return (run, lease);
            }
            catch
            {
                lease.Dispose();
                throw;
            }

            var log = ServerFiles.ReadText(run.Log);
            lease.Dispose();
            // Between choosing a port and taking it somebody else can be faster.
            if (attempt < Attempts && ServerFiles.SaysPortTaken(log))
                continue;
            throw new LocalPostgresException(
                $"A test server (PostgreSQL {installation.Version} from {installation.BinDirectory}, in {run.Folder}) did not start. "
                + (ServerFiles.SaysDiskFull(log) ? "The disk is full." : "Its log ends:")
                + $"{Environment.NewLine}{CommandResult.LastLines(log, 8)}");
        }
    }

    private static async Task<IDisposable> StartSupervisedAsync(
        TemporaryServerRun run, PostgresInstallation installation, IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        // A session of its own: neither Ctrl-C nor a kill of our process group or tree reaches the supervisor.
        const string Launch =
            """
            umask 077
            IFS= read -r password && mkdir -- "$1" && mkfifo -- "$1/lease" && printf '%s\n' "$password" >"$1/password" || exit 1
            run=$1 bin=$2 supervisor=$3
            shift 3
            set -- /bin/sh -c "$supervisor" cobaltgraph-supervisor "$run" "$bin" "$@"
            if command -v setsid >/dev/null 2>&1; then set -- setsid "$@"
            elif command -v perl >/dev/null 2>&1; then set -- perl -e 'use POSIX (); POSIX::setsid(); exec @ARGV' "$@"
            fi
            exec 3<&0
            "$@" <&3 3<&- >/dev/null 2>&1 &
            """;
        var launch = Command.Shell(Launch, [run.Folder, installation.BinDirectory, Supervisor(), .. arguments]) with { Account = new ServerAccount(run.Account) };
        var launcher = launch.Start(redirectOutput: true);
        try
        {
            await launcher.StandardInput.WriteLineAsync(run.Password.AsMemory(), cancellationToken);
            await launcher.StandardInput.FlushAsync(cancellationToken);
            var error = await launcher.StandardError.ReadToEndAsync(cancellationToken);
            await launcher.WaitForExitAsync(cancellationToken);
            return launcher.ExitCode == 0
                ? new Hold(launcher)
                : throw new LocalPostgresException($"The folder {run.Folder} for a test server cannot be made:{Environment.NewLine}{CommandResult.LastLines(error, 6)}");
        }
        catch
        {
            new Hold(launcher).Dispose();
            throw;
        }
    }

    // Opened for both, because opening only the writing end would wait for a reader.
    private static Microsoft.Win32.SafeHandles.SafeFileHandle OpenLease(TemporaryServerRun run) =>
        File.OpenHandle(run.Lease, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);

    private static async Task<bool> WaitUntilReadyAsync(TemporaryServerRun run, CancellationToken cancellationToken)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!ServerFiles.IsReady(run.Data))
        {
            if (File.Exists(run.Exit) || TimeProvider.System.GetElapsedTime(started) > StartTimeout)
                return false;
            await Task.Delay(15, cancellationToken);
        }

        return true;
    }

    private static List<string> Arguments(TemporaryServerRun run, TemporaryServerOptions options)
    {
        var settings = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
        {
            ["fsync"] = "off",
            ["synchronous_commit"] = "off",
            ["full_page_writes"] = "off",
            ["max_connections"] = "200",
            ["shared_buffers"] = "128MB",
            ["timezone"] = "UTC",
            ["log_timezone"] = "UTC",
        };
        foreach (var (name, value) in options.Settings)
            settings[name] = value;
        settings["listen_addresses"] = "127.0.0.1";
        settings["unix_socket_directories"] = "";
        settings["port"] = $"{run.Port}";
        return [.. settings.SelectMany(pair => (string[])["-c", $"{pair.Key}={pair.Value}"])];
    }

    private static string FastFolder()
    {
        const string Memory = "/dev/shm";
        const long Enough = 1L << 30;
        try
        {
            if (OperatingSystem.IsLinux() && Directory.Exists(Memory) && new DriveInfo(Memory).AvailableFreeSpace > Enough)
                return Memory;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // Not to be had: the temporary folder does as well, only slower.
        }

        var temporary = Path.GetTempPath();
        // Root's own TMPDIR can be closed to the server's account.
        return ServerAccount.IsRoot && temporary != "/tmp/" && Directory.Exists("/tmp") ? "/tmp" : temporary;
    }

    private static string Supervisor()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("supervisor.sh")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private static async Task<bool> ComesTrueAsync(Func<bool> condition, TimeSpan timeout)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            if (TimeProvider.System.GetElapsedTime(started) > timeout)
                return false;
            await Task.Delay(10);
        }

        return true;
    }
}
