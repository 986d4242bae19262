using System.Globalization;
using System.Text.Json;
using CobaltGraph.LocalPostgres.Processes;
using CobaltGraph.LocalPostgres.Servers;

namespace CobaltGraph.LocalPostgres;

/// <summary>
/// A PostgreSQL server that belongs to one user: durable, on loopback, with a password, in the user's data folder. It
/// outlives the command that started it; after a reboot it is started again.
/// </summary>
/// <remarks>
/// Under the data folder: <c>database.conf</c> (the connection), <c>postgres/</c> (server, log, the superuser's
/// connection) and <c>binaries/</c> (fetched programs). PostgreSQL does not run as root: root's server runs under the
/// account postgres, or else nobody, and if that account cannot reach the data folder, the data is below
/// <c>/var/lib/cobaltgraph</c>.
/// </remarks>
public sealed class UserServer
{
    // Outside the range that systems hand out for outgoing connections, and away from PostgreSQL's own 5432.
    private const int FirstPort = 15432;
    private const int PortSpread = 4000;

    private const long LargestLog = 10 << 20;

    private static readonly TimeSpan LockTimeout = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromMinutes(2);

    private readonly string _home;
    private readonly string _folder;
    private readonly PostgresBinaries _binaries;
    private readonly UserDatabase _database;

    /// <summary>Names a user's server; nothing is touched yet.</summary>
    /// <param name="home">The user's data folder, for example <see cref="UserFolders.Home"/>.</param>
    /// <param name="binaries">How the programs are found; default: fetched ones are kept in <paramref name="home"/>.</param>
    public UserServer(string home, PostgresBinariesOptions? binaries = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(home);
        _home = Path.GetFullPath(home);
        _folder = Path.Combine(_home, "postgres");
        _database = new UserDatabase(ConfigurationFile, SuperuserFile);
        binaries ??= new();
        _binaries = new PostgresBinaries(binaries with { CacheDirectory = binaries.CacheDirectory ?? Path.Combine(_home, "binaries") });
    }

    /// <summary>The file that tells the rest of CobaltGraph how to reach the server.</summary>
    public string ConfigurationFile => Path.Combine(_home, "database.conf");

    private string SuperuserFile => Path.Combine(_folder, "superuser.conf");

    private string StateFile => Path.Combine(_folder, "server.json");

    /// <summary>Starts the server, making it first if there is none. Does nothing but look when it is running.</summary>
    /// <param name="port">The port from now on; null: the one of last time, or a free one.</param>
    /// <param name="progress">Told in words what takes long.</param>
    /// <param name="cancellationToken">Ends the start; nothing half made is left.</param>
    /// <exception cref="LocalPostgresException">It cannot be made or started; the message says why and what to do.</exception>
    public async Task<UserServerInfo> StartAsync(int? port = null, IProgress<string>? progress = null, CancellationToken cancellationToken = default)
    {
        if (port is < 1 or > 65535)
            throw new LocalPostgresException($"{port} is no port; a port is a number from 1 to 65535.");
        using var held = await LockAsync(progress, cancellationToken);
        var (state, account) = await LoadAsync(cancellationToken);
        var running = await RunningAsync(state, account, cancellationToken);
        if (running is not null && port is not null && port != state.Port)
        {
            throw new LocalPostgresException(
                $"The server is running on port {state.Port}. Stop it with \"cobaltgraph down\", then start it on the other with \"cobaltgraph up --port {port}\".");
        }

        var created = ServerFiles.Major(state.DataDirectory) is null;
        if (created)
            (state, account) = await CreateAsync(state, account, port, progress, cancellationToken);
        var started = running is null;
        if (started)
            state = await StartServerAsync(state with { Port = port ?? state.Port }, account, progress, cancellationToken);

        else
            await WaitUntilReadyAsync(state, cancellationToken);

        var conf = await _database.EnsureAsync(state, cancellationToken);
        return new UserServerInfo(
            state.Port, conf.Database, conf.User, state.Version, state.DataDirectory, ConfigurationFile, created, started)
        {
            ConnectionString = UserDatabase.ConnectionString(conf),
        };
    }

    /// <summary>Stops the server: waits for its checkpoint, ends sessions. False: it was not running.</summary>
    public async Task<bool> StopAsync(CancellationToken cancellationToken = default)
    {
        if (!Directory.Exists(_folder))
            return false;
        using var held = await LockAsync(progress: null, cancellationToken);
        var (state, account) = await LoadAsync(cancellationToken);
        return await StopServerAsync(state, account, cancellationToken);
    }

    /// <summary>Stops the server and removes all its data for good. False: there was none.</summary>
    public async Task<bool> DeleteAsync(CancellationToken cancellationToken = default)
    {
        if (!Directory.Exists(_folder))
            return false;
        using var held = await LockAsync(progress: null, cancellationToken);
        var (state, account) = await LoadAsync(cancellationToken);
        await StopServerAsync(state, account, cancellationToken);
        var existed = Directory.Exists(state.DataDirectory);
        try
        {
            RemoveCluster(state);
            if (DatabaseConf.IsOurs(ConfigurationFile))
                File.Delete(ConfigurationFile);
            File.Delete(SuperuserFile);
            File.Delete(StateFile);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new LocalPostgresException($"Not everything of the server could be removed: {failure.Message}", failure);
        }

        return existed;
    }

    /// <summary>Looks without changing anything.</summary>
    public async Task<UserServerStatus> GetStatusAsync(CancellationToken cancellationToken = default)
    {
        var (state, account) = await LoadAsync(cancellationToken);
        var major = ServerFiles.Major(state.DataDirectory);
        var running = major is null ? null : await RunningAsync(state, account, cancellationToken);
        return new UserServerStatus(
            running is not null ? UserServerState.Running : major is not null ? UserServerState.Stopped : UserServerState.NotCreated,
            major is null || state.Port == 0 ? null : state.Port,
            major,
            running,
            state.DataDirectory,
            state.LogFile,
            ConfigurationFile);
    }

    private async Task<FileLock> LockAsync(IProgress<string>? progress, CancellationToken cancellationToken)
    {
        try
        {
            ServerAccount.CreateOpenFolder(_folder);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new LocalPostgresException(
                $"The folder {_folder} cannot be made: {failure.Message} Set {UserFolders.HomeVariable} to a folder of yours.", failure);
        }

        if (!OperatingSystem.IsWindows())
        {
            var owned = await Command.Shell("[ -O \"$1\" ]", _folder).RunAsync(cancellationToken);
            if (owned.ExitCode != 0)
            {
                var owner = await ServerAccount.OwnerAsync(_folder, cancellationToken) ?? "another user";
                throw new LocalPostgresException(
                    $"{_folder} belongs to {owner}, and you are {Environment.UserName}. Run as {owner}, or set {UserFolders.HomeVariable} to a folder of yours.");
            }
        }

        return await FileLock.TakeAsync(
            Path.Combine(_folder, "lock"), LockTimeout,
            () => progress?.Report("Waiting for another cobaltgraph command that starts or stops the server."), cancellationToken);
    }

    /// <summary>What is remembered of the server, or what a new one would be, and the account it runs under.</summary>
    private async Task<(UserServerRecord State, ServerAccount Account)> LoadAsync(CancellationToken cancellationToken)
    {
        UserServerRecord? known = null;
        try
        {
            if (File.Exists(StateFile))
                known = JsonSerializer.Deserialize<UserServerRecord>(await File.ReadAllTextAsync(StateFile, cancellationToken));
        }
        catch (JsonException)
        {
            // Everything in it can be found again.
        }

        var account = await ServerAccount.ChooseAsync(cancellationToken, "postgres", "nobody");
        known ??= new UserServerRecord
        {
            ClusterDirectory = await account.CanReachAsync(_folder, cancellationToken)
                ? Path.Combine(_folder, "cluster")
                : Path.Combine(ServerAccount.SharedFolder, Names.Short(_home)),
        };
        if (!Directory.Exists(known.DataDirectory))
            return (known, account);

        var owner = await ServerAccount.OwnerAsync(known.DataDirectory, cancellationToken);
        if (ServerAccount.IsRoot && owner is not null)
        {
            return owner != "root"
                ? (known, new ServerAccount(owner))
                : throw new LocalPostgresException(
                    $"The data in {known.DataDirectory} belongs to root, and PostgreSQL does not run as root. Give it to an account that may: chown -R {account.Name} {known.ClusterDirectory}");
        }

        if (!OperatingSystem.IsWindows() && (await Command.Shell("[ -O \"$1\" ]", known.DataDirectory).RunAsync(cancellationToken)).ExitCode != 0)
        {
            throw new LocalPostgresException(
                $"The data in {known.DataDirectory} belongs to {owner}, and you are {Environment.UserName}. Run as {owner}, or set {UserFolders.HomeVariable} to a folder of yours.");
        }

        return (known, account);
    }

    private async Task<(UserServerRecord State, ServerAccount Account)> CreateAsync(
        UserServerRecord state, ServerAccount account, int? port, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        if (Directory.Exists(state.DataDirectory) && Directory.EnumerateFileSystemEntries(state.DataDirectory).Any())
        {
            throw new LocalPostgresException(
                $"{state.DataDirectory} is there, but it is no PostgreSQL data: PG_VERSION is missing. Nothing was changed; move the folder away, then try again.");
        }

        var installation = await _binaries.FindOrFetchAsync(null, progress, cancellationToken);
        installation = await PostgresBinaries.ReachableAsync(installation, account, cancellationToken);
        port ??= ChoosePort();
        RequirePortFree(port.Value);

        progress?.Report($"Making a PostgreSQL {installation.Version} server in {state.DataDirectory}.");
        await account.CreatePrivateFolderAsync(state.ClusterDirectory, cancellationToken);
        RemoveHalfMade(state);

        state = state with
        {
            BinDirectory = installation.BinDirectory,
            Version = installation.Version,
            Port = port.Value,
        };
        // First, so that there is never a server whose password is lost.
        var superuser = _database.NewSuperuser(port.Value);

        var half = Path.Combine(state.ClusterDirectory, "data.new-" + Names.Unique());
        var passwordFile = half + ".password";
        try
        {
            await account.WriteFileAsync(passwordFile, superuser.Password + "\n", cancellationToken);
            var initdb = new Command(
                installation.InitDb, "-D", half, "-U", superuser.User, "-A", "scram-sha-256", "--pwfile=" + passwordFile,
                "-E", "UTF8", "--locale=C", "--data-checksums")
            {
                Account = account,
            };
            var result = await initdb.RunAsync(cancellationToken);
            if (result.ExitCode != 0)
                throw UserServerErrors.NotCreated(state, result.Output + "\n" + result.Error);
            await WriteSettingsAsync(half, account, cancellationToken);
            if (Directory.Exists(state.DataDirectory))
                Directory.Delete(state.DataDirectory);
            Directory.Move(half, state.DataDirectory);
        }
        finally
        {
            File.Delete(passwordFile);
            if (Directory.Exists(half))
                Directory.Delete(half, recursive: true);
        }

        SaveState(state);
        return (state, account);
    }

    private static async Task WriteSettingsAsync(string data, ServerAccount account, CancellationToken cancellationToken)
    {
        const string Settings =
            """

            # CobaltGraph: a small server of one user, on this machine only.
            shared_buffers = 128MB
            timezone = 'UTC'
            log_timezone = 'UTC'
            log_checkpoints = off
            # Address and port; "cobaltgraph up" writes this file. Settings below this line win.
            include_if_exists = 'cobaltgraph.conf'

            """;
        var append = Command.Shell("cat >>\"$1\"", Path.Combine(data, "postgresql.conf")) with { Account = account, Input = Settings };
        if (OperatingSystem.IsWindows())
        {
            await File.AppendAllTextAsync(Path.Combine(data, "postgresql.conf"), Settings, cancellationToken);
            return;
        }

        var result = await append.RunAsync(cancellationToken);
        if (result.ExitCode != 0)
            throw new LocalPostgresException($"The settings of the server cannot be written to {data}:{Environment.NewLine}{result.Tail()}");
    }

    private async Task<UserServerRecord> StartServerAsync(
        UserServerRecord state, ServerAccount account, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        var major = ServerFiles.Major(state.DataDirectory)!.Value;
        var installation = await ProgramsForAsync(state, major, progress, cancellationToken);
        installation = await PostgresBinaries.ReachableAsync(installation, account, cancellationToken);
        if (state.Port == 0)
            state = state with { Port = DatabaseConf.Load(ConfigurationFile)?.Port ?? ChoosePort() };
        RequirePortFree(state.Port);
        state = state with { BinDirectory = installation.BinDirectory, Version = installation.Version };

        await ForgetForeignProcessAsync(state, account, cancellationToken);
        if (!File.Exists(SuperuserFile))
            await _database.ResetSuperuserAsync(state, installation, account, cancellationToken);
        await account.WriteFileAsync(
            Path.Combine(state.DataDirectory, "cobaltgraph.conf"),
            $"# Written by \"cobaltgraph up\" at every start. Your own settings belong into postgresql.conf, at its end.\nlisten_addresses = '127.0.0.1'\nport = {state.Port}\nunix_socket_directories = ''\n",
            cancellationToken);
        if (File.Exists(state.LogFile) && new FileInfo(state.LogFile).Length > LargestLog)
            File.Move(state.LogFile, state.LogFile + ".1", overwrite: true);

        progress?.Report($"Starting PostgreSQL {installation.Version} on port {state.Port}.");
        var logged = ServerFiles.ReadText(state.LogFile).Length;
        var start = new Command(
            installation.PgCtl, "-D", state.DataDirectory, "-l", state.LogFile, "-w",
            "-t", StartTimeout.TotalSeconds.ToString(CultureInfo.InvariantCulture), "start")
        {
            Account = account,
            Timeout = StartTimeout + TimeSpan.FromSeconds(30),
            KillChildren = false,
        };
        var result = await start.RunAsync(cancellationToken);
        if (result.ExitCode != 0)
        {
            var log = ServerFiles.ReadText(state.LogFile);
            throw UserServerErrors.NotStarted(state, result, log.Length > logged ? log[logged..] : "");
        }

        SaveState(state);
        return state;
    }

    /// <summary>Data of one major version can only be served by programs of the same.</summary>
    private async Task<PostgresInstallation> ProgramsForAsync(
        UserServerRecord state, int major, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        if (state.BinDirectory is { } remembered
            && await PostgresBinaries.InspectAsync(remembered, PostgresOrigin.System, cancellationToken) is { } installation
            && installation.Major == major)
        {
            return installation;
        }

        try
        {
            return await _binaries.FindOrFetchAsync(major, progress, cancellationToken);
        }
        catch (LocalPostgresException failure)
        {
            throw new LocalPostgresException(
                $"""
                The data in {state.DataDirectory} was made by PostgreSQL {major}, and only PostgreSQL {major} can serve it. Nothing was changed.
                {failure.Message}
                To begin anew without this data: "cobaltgraph down --delete".
                """,
                failure);
        }
    }

    private static async Task<bool> StopServerAsync(UserServerRecord state, ServerAccount account, CancellationToken cancellationToken)
    {
        if (await RunningAsync(state, account, cancellationToken) is not { } process)
            return false;
        CommandResult result;
        if (OperatingSystem.IsWindows())
        {
            result = await new Command(
                Path.Combine(state.BinDirectory!, PostgresBinaries.ProgramFile("pg_ctl")), "-D", state.DataDirectory, "-m", "fast", "stop").RunAsync(cancellationToken);
        }
        else
        {
            // What pg_ctl does, and it works even when the programs are gone.
            result = await (Command.Shell("kill -INT \"$1\"", $"{process}") with { Account = account }).RunAsync(cancellationToken);
        }

        var begun = TimeProvider.System.GetTimestamp();
        while (await RunningAsync(state, account, cancellationToken) is not null)
        {
            if (TimeProvider.System.GetElapsedTime(begun) > StopTimeout)
            {
                throw new LocalPostgresException(
                    $"The server in {state.DataDirectory} (process {process}) did not stop within {StopTimeout.TotalMinutes:0} minutes; it may still be writing. See {state.LogFile}.{Environment.NewLine}{result.Tail()}".TrimEnd());
            }

            await Task.Delay(50, cancellationToken);
        }

        return true;
    }

    private static async Task WaitUntilReadyAsync(UserServerRecord state, CancellationToken cancellationToken)
    {
        var begun = TimeProvider.System.GetTimestamp();
        while (!ServerFiles.IsReady(state.DataDirectory))
        {
            if (TimeProvider.System.GetElapsedTime(begun) > StartTimeout)
            {
                throw new LocalPostgresException(
                    $"The server in {state.DataDirectory} is running but not ready yet, as after a power cut. See {state.LogFile}, then try again.");
            }

            await Task.Delay(50, cancellationToken);
        }
    }

    /// <summary>Removes what we made, and the folder only if nothing else is in it.</summary>
    private static void RemoveCluster(UserServerRecord state)
    {
        if (!Directory.Exists(state.ClusterDirectory))
            return;
        RemoveHalfMade(state);
        if (Directory.Exists(state.DataDirectory))
            Directory.Delete(state.DataDirectory, recursive: true);
        File.Delete(state.LogFile);
        File.Delete(state.LogFile + ".1");
        if (!Directory.EnumerateFileSystemEntries(state.ClusterDirectory).Any())
            Directory.Delete(state.ClusterDirectory);
    }

    private static void RemoveHalfMade(UserServerRecord state)
    {
        foreach (var folder in Directory.GetDirectories(state.ClusterDirectory, "data.new-*"))
            Directory.Delete(folder, recursive: true);
        foreach (var file in Directory.GetFiles(state.ClusterDirectory, "data.new-*"))
            File.Delete(file);
    }

    /// <summary>The server's process, if the one in postmaster.pid is alive and serves this folder.</summary>
    private static async Task<int?> RunningAsync(UserServerRecord state, ServerAccount account, CancellationToken cancellationToken)
    {
        if (ServerFiles.ProcessId(state.DataDirectory) is not { } process)
            return null;
        if (OperatingSystem.IsWindows())
        {
            using var found = System.Diagnostics.Process.GetProcesses().FirstOrDefault(candidate => candidate.Id == process);
            return found?.ProcessName == "postgres" ? process : null;
        }

        // After a reboot the number may belong to anything, even to another PostgreSQL of the same user.
        const string Serves =
            """
            kill -0 "$1" 2>/dev/null || exit 1
            if [ -d /proc/self ]; then
                [ "$(readlink "/proc/$1/cwd")" = "$(cd "$2" && pwd -P)" ]
            else
                case "$(ps -o comm= -p "$1")" in *postgres* | *postmaster*) ;; *) exit 1 ;; esac
            fi
            """;
        var result = await (Command.Shell(Serves, $"{process}", state.DataDirectory) with { Account = account }).RunAsync(cancellationToken);
        return result.ExitCode == 0 ? process : null;
    }

    /// <summary>
    /// A postmaster.pid of before a reboot can name a process that is now something else, and the server then refuses
    /// to start. The number is replaced by a dead one; the rest stays, for with it the server checks that no process
    /// of the old server still uses the data.
    /// </summary>
    private static async Task ForgetForeignProcessAsync(UserServerRecord state, ServerAccount account, CancellationToken cancellationToken)
    {
        if (OperatingSystem.IsWindows() || ServerFiles.ProcessId(state.DataDirectory) is not { } process)
            return;
        const string Forget =
            """
            kill -0 "$1" 2>/dev/null || exit 0
            umask 077
            : & dead=$!
            wait "$dead"
            { echo "$dead"; tail -n +2 "$2"; } >"$2.new" && mv -- "$2.new" "$2"
            """;
        var file = Path.Combine(state.DataDirectory, "postmaster.pid");
        var result = await (Command.Shell(Forget, $"{process}", file) with { Account = account }).RunAsync(cancellationToken);
        if (result.ExitCode != 0)
            throw new LocalPostgresException($"{file} is left from a server that is gone, and cannot be changed:{Environment.NewLine}{result.Tail()}");
    }

    private int ChoosePort()
    {
        // The same user tends to get the same port again, and two users different ones.
        var first = FirstPort + Names.Spread($"{Environment.UserName}\n{_home}", PortSpread);
        return Enumerable.Range(0, PortSpread)
            .Select(offset => FirstPort + ((first - FirstPort + offset) % PortSpread))
            .Where(ServerFiles.IsPortFree)
            .Cast<int?>()
            .FirstOrDefault() ?? ServerFiles.FreePort();
    }

    private static void RequirePortFree(int port)
    {
        if (!ServerFiles.IsPortFree(port))
            throw UserServerErrors.PortTaken(port);
    }

    private void SaveState(UserServerRecord state) => PrivateFile.Write(StateFile, JsonSerializer.Serialize(state));
}
