using CobaltGraph.Data;
using CobaltGraph.LocalPostgres;
using Npgsql;

namespace CobaltGraph.Benchmarks;

/// <summary>Where a benchmark runs: a durable server of its own on a disk, or one that the caller names.</summary>
internal sealed class BenchmarkServer : IAsyncDisposable
{
    // A commit is on the disk when it returns, as on any server for real data. The sizes keep a checkpoint from falling
    // into one method's run and not into another's.
    private static readonly Dictionary<string, string> OwnSettings = new()
    {
        ["fsync"] = "on",
        ["synchronous_commit"] = "on",
        ["full_page_writes"] = "on",
        ["shared_buffers"] = "1GB",
        ["min_wal_size"] = "2GB",
        ["max_wal_size"] = "8GB",
        ["checkpoint_timeout"] = "15min",
    };

    private static readonly string[] StatedSettings =
    [
        .. OwnSettings.Keys, "autovacuum", "checkpoint_completion_target", "data_checksums", "default_toast_compression",
        "effective_io_concurrency", "huge_pages", "jit", "maintenance_work_mem", "max_connections", "max_parallel_workers",
        "wal_buffers", "wal_compression", "wal_level", "wal_sync_method", "work_mem",
    ];

    private readonly TemporaryServer? _own;
    private readonly string _connection;

    private BenchmarkServer(string connection, TemporaryServer? own) => (_connection, _own) = (connection, own);

    /// <summary>Whether the server's processes are on this machine and nobody else's.</summary>
    public bool IsOwn => _own is not null;

    /// <param name="connection">A server of the caller's, whose role may create databases; null for one of our own.</param>
    /// <param name="version">The version of our own, as 16; null for what the machine has.</param>
    /// <param name="folder">Where our own keeps its data; null for a folder that is on a disk by convention.</param>
    /// <param name="progress">Told what takes long.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    public static async Task<BenchmarkServer> StartAsync(
        string? connection, string? version, string? folder, IProgress<string> progress, CancellationToken cancellationToken)
    {
        if (connection is not null)
            return new(DatabaseSettings.Parse(connection, "--connection").ConnectionString, own: null);

        folder ??= Directory.Exists("/var/tmp") ? "/var/tmp" : Path.GetTempPath();
        if (!Directory.Exists(folder))
            throw new BenchmarkException($"There is no folder {folder}.");
        var format = new DriveInfo(folder).DriveFormat;
        if (format is "tmpfs" or "ramfs")
            throw new BenchmarkException($"{folder} is memory, where fsync costs nothing. Name a folder on a disk with --folder.");

        var options = new TemporaryServerOptions { Settings = OwnSettings, ParentFolder = folder };
        if (version is not null)
            options = options with { Binaries = new() { Requested = version } };
        var server = await TemporaryServer.StartAsync(options, progress, cancellationToken);
        return new(server.ConnectionString, server);
    }

    /// <summary>The connection string of a database of this server.</summary>
    public string ConnectionTo(string database)
        => new NpgsqlConnectionStringBuilder(_connection) { Database = database, CommandTimeout = 0 }.ConnectionString;

    public async Task<string> CreateDatabaseAsync(CancellationToken cancellationToken)
    {
        var name = $"cobaltgraph_bench_{Guid.NewGuid():N}";
        await ExecuteAsync($"CREATE DATABASE {name}", cancellationToken);
        return name;
    }

    public async Task<bool> HasDatabaseAsync(string name, CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", connection)
        {
            Parameters = { new() { Value = name } },
        };
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>Renames a database that nobody uses; connections of a pool are closed.</summary>
    public async Task RenameDatabaseAsync(string name, string newName, CancellationToken cancellationToken)
    {
        await ExecuteAsync(
            $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'", cancellationToken);
        await ExecuteAsync($"ALTER DATABASE {name} RENAME TO {newName}", cancellationToken);
    }

    public async Task DropDatabaseAsync(string name)
    {
        await ExecuteAsync(
            $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'", CancellationToken.None);
        await ExecuteAsync($"DROP DATABASE IF EXISTS {name}", CancellationToken.None);
    }

    public async Task<ServerDescription> DescribeAsync(CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(
            "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY ($1) ORDER BY name", connection)
        {
            Parameters = { new() { Value = StatedSettings } },
        };
        var settings = new SortedDictionary<string, string>(StringComparer.Ordinal);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            settings.Add(reader.GetString(0), reader.GetString(1));
        return new()
        {
            Version = connection.PostgreSqlVersion.ToString(),
            IsOwn = IsOwn,
            FileSystem = _own is null ? null : new DriveInfo(_own.Folder).DriveFormat,
            Settings = settings,
        };
    }

    public async ValueTask DisposeAsync()
    {
        if (_own is not null)
            await _own.DisposeAsync();
    }

    private async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(_connection) { Pooling = false, CommandTimeout = 0 }.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        return connection;
    }

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}

/// <summary>The server of a benchmark, for its report.</summary>
internal sealed record ServerDescription
{
    public required string Version { get; init; }

    public required bool IsOwn { get; init; }

    /// <summary>Of our own server's data; null when the server is not ours.</summary>
    public required string? FileSystem { get; init; }

    public required IReadOnlyDictionary<string, string> Settings { get; init; }
}

/// <summary>A benchmark cannot be run as asked; the message says why and what to do.</summary>
internal sealed class BenchmarkException(string message) : Exception(message);
