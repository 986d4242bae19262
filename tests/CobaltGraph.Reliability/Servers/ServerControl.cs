using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using CobaltGraph.Data;
using CobaltGraph.LocalPostgres;
using CobaltGraph.LocalPostgres.Processes;
using CobaltGraph.LocalPostgres.Servers;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace CobaltGraph.Reliability.Servers;

/// <summary>
/// A durable server on loopback (fsync on, data checksums) that a test may kill and start again on the same data and
/// port. It ends with the test, also when the test is killed, and leaves nothing behind.
/// </summary>
public sealed class ServerControl : IAsyncDisposable
{
    private const string Template = "cobaltgraph_template";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private readonly Process _launcher;
    // Disposing a process alone leaves its input open.
    private readonly StreamWriter _input;
    private readonly string _password;
    private int _start;
    private int _databases;
    private bool _hasTemplate;

    private ServerControl(Process launcher, string folder, int port, string password, string version)
    {
        _launcher = launcher;
        _input = launcher.StandardInput;
        _password = password;
        Folder = folder;
        Port = port;
        Version = version;
    }

    /// <summary>Whether servers can be killed here: it takes signals.</summary>
    public static bool IsSupported => !OperatingSystem.IsWindows();

    /// <summary>The folder of data and log; removed at the end.</summary>
    public string Folder { get; }

    /// <summary>The port on 127.0.0.1; the same after every start.</summary>
    public int Port { get; }

    /// <summary>The version as the server states it, for example 15.18.</summary>
    public string Version { get; }

    /// <summary>Times that all processes of the server were killed.</summary>
    public int Kills { get; private set; }

    /// <summary>Times that the server was stopped without a chance to write anything more.</summary>
    public int ImmediateStops { get; private set; }

    /// <summary>Processes that were killed, over all <see cref="Kills"/>.</summary>
    public int KilledProcesses { get; private set; }

    /// <summary>Connects as the superuser <c>postgres</c> to the database <c>postgres</c>; holds the password.</summary>
    public string ConnectionString => ConnectionStringOf("postgres");

    /// <summary>The first process of the running server.</summary>
    /// <exception cref="InvalidOperationException">The server does not run.</exception>
    public int ProcessId
        => !File.Exists(ExitFile(_start)) && ReadNumber(PidFile(_start)) is { } id
            ? id
            : throw new InvalidOperationException("The server does not run.");

    /// <summary>Starts a server.</summary>
    /// <param name="settings">Settings of postgresql.conf beyond the defaults.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    public static async Task<ServerControl> StartAsync(
        IReadOnlyDictionary<string, string>? settings = null, CancellationToken cancellationToken = default)
    {
        var account = await ServerAccount.ChooseAsync(cancellationToken, "nobody", "postgres");
        var installation = await new PostgresBinaries().FindOrFetchAsync(null, null, cancellationToken);
        installation = await PostgresBinaries.ReachableAsync(installation, account, cancellationToken);

        var folder = Path.Combine(ParentFolder(), "cobaltgraph-durable-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6)));
        var port = FreePort();
        var password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        var launcher = await LaunchAsync(account, folder, installation.BinDirectory, password, Arguments(port, settings), cancellationToken);
        var server = new ServerControl(launcher, folder, port, password, installation.Version);
        try
        {
            await server.TellAsync(0);
            await server.WaitAsync(() => File.Exists(server.ExitFile(0)), "initdb did not end", cancellationToken);
            if (ReadNumber(server.ExitFile(0)) != 0)
                throw new InvalidOperationException($"initdb failed:{Environment.NewLine}{server.LogTail()}");
            await server.RestartAsync(cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Kills every process of the server with SIGKILL, as a lost machine would: none of them sees another die. Returns
    /// when all are gone.
    /// </summary>
    public async Task KillAsync(CancellationToken cancellationToken = default)
    {
        var server = ProcessId;
        // Standing still it starts no process that would be missed.
        Signal.SendStop(server);
        var children = ProcessTable.ChildrenOf(server);
        foreach (var child in children)
            Signal.SendKill(child);
        Signal.SendKill(server);
        await WaitAsync(() => File.Exists(ExitFile(_start)) && !children.Any(ProcessTable.IsAlive), "the server did not die", cancellationToken);
        Kills++;
        KilledProcesses += 1 + children.Count;
    }

    /// <summary>Stops the server at once, as <c>pg_ctl stop -m immediate</c> does. Returns when it is gone.</summary>
    public async Task StopImmediatelyAsync(CancellationToken cancellationToken = default)
    {
        Signal.SendQuit(ProcessId);
        await WaitAsync(() => File.Exists(ExitFile(_start)), "the server did not stop", cancellationToken);
        ImmediateStops++;
    }

    /// <summary>Starts the server again on its data and port. Returns when it accepts connections.</summary>
    public async Task RestartAsync(CancellationToken cancellationToken = default)
    {
        if (_start > 0 && !File.Exists(ExitFile(_start)))
            throw new InvalidOperationException("The server runs already.");
        _start++;
        await TellAsync(_start);
        await WaitAsync(IsReady, "the server did not start", cancellationToken);
        if (File.Exists(ExitFile(_start)))
            throw new InvalidOperationException($"The server did not start:{Environment.NewLine}{LogTail()}");
    }

    /// <summary>Makes a database with all migrations applied; it lives as long as the server.</summary>
    /// <returns>Its connection string, as superuser.</returns>
    public async Task<string> CreateDatabaseAsync(CancellationToken cancellationToken = default)
    {
        await using var admin = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(ConnectionString) { Pooling = false, CommandTimeout = 120 }.ConnectionString);
        if (!_hasTemplate)
        {
            await ExecuteAsync(admin, $"CREATE DATABASE {Template} TEMPLATE template0", cancellationToken);
            await using var target = NpgsqlDataSource.Create(
                new NpgsqlConnectionStringBuilder(ConnectionStringOf(Template)) { Pooling = false }.ConnectionString);
            await MigrateAsync(target, cancellationToken);
            _hasTemplate = true;
        }

        var name = string.Create(CultureInfo.InvariantCulture, $"cobaltgraph_{++_databases}");
        await ExecuteAsync(admin, $"CREATE DATABASE {name} TEMPLATE {Template}", cancellationToken);
        return ConnectionStringOf(name);
    }

    /// <summary>The last lines of the server's log.</summary>
    /// <param name="lines">How many.</param>
    public string LogTail(int lines = 20) => CommandResult.LastLines(Log(), lines);

    /// <summary>The server's log since the first start.</summary>
    public string Log() => ServerFiles.ReadText(Path.Combine(Folder, "server.log"));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _input.Dispose();
        _launcher.Dispose();
        var started = TimeProvider.System.GetTimestamp();
        while (Directory.Exists(Folder))
        {
            if (TimeProvider.System.GetElapsedTime(started) > Timeout)
                throw new InvalidOperationException($"The server in {Folder} did not end.");
            await Task.Delay(10);
        }
    }

    private static async Task MigrateAsync(NpgsqlDataSource target, CancellationToken cancellationToken)
    {
        var options = new DbContextOptionsBuilder<CobaltGraphContext>();
        options.UseCobaltGraph(target);
        await using var context = new CobaltGraphContext(options.Options);
        await context.Database.MigrateAsync(cancellationToken);
    }

    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql, CancellationToken cancellationToken)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private string ConnectionStringOf(string database) => new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1",
        Port = Port,
        Username = "postgres",
        Password = _password,
        Database = database,
        SslMode = SslMode.Disable,
        GssEncryptionMode = GssEncryptionMode.Disable,
        IncludeErrorDetail = true,
        ApplicationName = "cobaltgraph-reliability",
    }.ConnectionString;

    private string PidFile(int start) => Path.Combine(Folder, string.Create(CultureInfo.InvariantCulture, $"pid.{start}"));

    private string ExitFile(int start) => Path.Combine(Folder, string.Create(CultureInfo.InvariantCulture, $"exit.{start}"));

    // A killed server leaves a file that says it is ready.
    private bool IsReady()
        => File.Exists(ExitFile(_start))
            || (ReadNumber(PidFile(_start)) is { } id
                && ServerFiles.ProcessId(Path.Combine(Folder, "data")) == id
                && ServerFiles.IsReady(Path.Combine(Folder, "data")));

    private async Task TellAsync(int start)
    {
        await _input.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"{start}\n"));
        await _input.FlushAsync();
    }

    private async Task WaitAsync(Func<bool> condition, string otherwise, CancellationToken cancellationToken)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            if (TimeProvider.System.GetElapsedTime(started) > Timeout)
                throw new InvalidOperationException($"Within {Timeout.TotalSeconds:0} s {otherwise}. Its log ends:{Environment.NewLine}{LogTail()}");
            await Task.Delay(10, cancellationToken);
        }
    }

    // Not one that the system gives to outgoing connections, or somebody could have it while the server is down.
    private static int FreePort()
    {
        while (true)
        {
            var port = RandomNumberGenerator.GetInt32(20_000, 32_000);
            if (ServerFiles.IsPortFree(port))
                return port;
        }
    }

    private static int? ReadNumber(string file)
        => int.TryParse(ServerFiles.ReadText(file).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static List<string> Arguments(int port, IReadOnlyDictionary<string, string>? settings)
    {
        var all = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
        {
            ["fsync"] = "on",
            ["synchronous_commit"] = "on",
            ["full_page_writes"] = "on",
            ["max_connections"] = "60",
            ["shared_buffers"] = "64MB",
            // In the data folder, so that a killed server leaves nothing elsewhere.
            ["dynamic_shared_memory_type"] = "mmap",
            ["timezone"] = "UTC",
            ["log_timezone"] = "UTC",
        };
        foreach (var (name, value) in settings ?? new Dictionary<string, string>())
            all[name] = value;
        all["listen_addresses"] = "127.0.0.1";
        all["unix_socket_directories"] = "";
        all["port"] = port.ToString(CultureInfo.InvariantCulture);
        return [.. all.SelectMany(pair => (string[])["-c", $"{pair.Key}={pair.Value}"])];
    }

    // Not in memory, where fsync would mean nothing.
    private static string ParentFolder()
    {
        var temporary = Path.GetTempPath();
        // Root's own TMPDIR can be closed to the server's account.
        return ServerAccount.IsRoot && temporary != "/tmp/" && Directory.Exists("/tmp") ? "/tmp" : temporary;
    }

    private static async Task<Process> LaunchAsync(
        ServerAccount account,
        string folder,
        string programs,
        string password,
        IReadOnlyList<string> arguments,
        CancellationToken cancellationToken)
    {
        // A session of its own: neither Ctrl-C nor a kill of our process group or tree reaches the supervisor.
        const string Launch =
            """
            umask 077
            IFS= read -r password && mkdir -- "$1" && printf '%s\n' "$password" >"$1/password" || exit 1
            run=$1 bin=$2 supervisor=$3
            shift 3
            set -- /bin/sh -c "$supervisor" cobaltgraph-supervisor "$run" "$bin" "$@"
            if command -v setsid >/dev/null 2>&1; then set -- setsid "$@"
            elif command -v perl >/dev/null 2>&1; then set -- perl -e 'use POSIX (); POSIX::setsid(); exec @ARGV' "$@"
            fi
            exec 3<&0
            "$@" <&3 3<&- >/dev/null 2>&1 &
            """;
        var launcher = (Command.Shell(Launch, [folder, programs, Supervisor(), .. arguments]) with { Account = account }).Start(redirectOutput: true);
        await launcher.StandardInput.WriteAsync($"{password}\n".AsMemory(), cancellationToken);
        await launcher.StandardInput.FlushAsync(cancellationToken);
        var error = await launcher.StandardError.ReadToEndAsync(cancellationToken);
        await launcher.WaitForExitAsync(cancellationToken);
        return launcher.ExitCode == 0
            ? launcher
            : throw new InvalidOperationException($"The folder {folder} for a server cannot be made: {error}");
    }

    private static string Supervisor()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("supervisor.sh")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
