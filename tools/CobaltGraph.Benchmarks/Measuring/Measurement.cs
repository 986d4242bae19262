using System.Diagnostics;
using Npgsql;

namespace CobaltGraph.Benchmarks.Measuring;

/// <summary>What one piece of work cost.</summary>
internal sealed record Measurement
{
    public required double Seconds { get; init; }

    /// <summary>Processor time of this process.</summary>
    public required double ClientCpuSeconds { get; init; }

    /// <summary>Processor time of the server's processes that served this database; null when it cannot be read.</summary>
    public required double? ServerCpuSeconds { get; init; }

    public required long WalBytes { get; init; }

    /// <summary>Allocated on the managed heap, freed or not.</summary>
    public required long AllocatedBytes { get; init; }

    /// <summary>Before the work, with the rows in memory.</summary>
    public required MemoryReading MemoryBefore { get; init; }

    public required MemoryReading MemoryPeak { get; init; }

    /// <summary>
    /// Processor time of the machine that was neither the client's nor those processes': the server's own background work,
    /// and whatever else ran. Null when it cannot be read.
    /// </summary>
    public required double? OtherCpuSeconds { get; init; }

    /// <summary>Measures work on a database: from a checkpoint on, and with a heap that holds only what is in use.</summary>
    /// <param name="connectionString">The database.</param>
    /// <param name="readServerCpu">Whether the server's processes are on this machine.</param>
    /// <param name="work">The work.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<Measurement> TakeAsync(
        string connectionString, bool readServerCpu, Func<Task> work, CancellationToken cancellationToken)
    {
        await using var monitor = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await monitor.OpenAsync(cancellationToken);
        await ExecuteAsync(monitor, "CHECKPOINT", cancellationToken);
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);

        var before = MemoryReading.Now();
        var allocated = GC.GetTotalAllocatedBytes(precise: true);
        var wal = await ScalarAsync<string>(monitor, "SELECT pg_current_wal_insert_lsn()::text", cancellationToken);
        var serverCpu = readServerCpu ? await ProcessorTime.BackendsAsync(monitor, cancellationToken) : null;
        var machineCpu = ProcessorTime.Machine();
        var clientCpu = Environment.CpuUsage.TotalTime;
        using var sampler = new MemorySampler();
        var started = Stopwatch.GetTimestamp();

        await work();

        var elapsed = Stopwatch.GetElapsedTime(started);
        clientCpu = Environment.CpuUsage.TotalTime - clientCpu;
        machineCpu = ProcessorTime.Machine() - machineCpu;
        var peak = sampler.Peak;
        var serverCpuSeconds = serverCpu is null
            ? null
            : (await ProcessorTime.BackendsAsync(monitor, cancellationToken))?.Sum(
                pair => pair.Value - serverCpu.GetValueOrDefault(pair.Key));
        return new()
        {
            Seconds = elapsed.TotalSeconds,
            ClientCpuSeconds = clientCpu.TotalSeconds,
            ServerCpuSeconds = serverCpuSeconds,
            WalBytes = (long)await ScalarAsync<decimal>(
                monitor, $"SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '{wal}')", cancellationToken),
            AllocatedBytes = GC.GetTotalAllocatedBytes(precise: true) - allocated,
            MemoryBefore = before,
            MemoryPeak = peak,
            OtherCpuSeconds = machineCpu - clientCpu.TotalSeconds - serverCpuSeconds,
        };
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<T> ScalarAsync<T>(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync(cancellationToken))!;
    }
}
