using System.Globalization;
using Npgsql;

namespace CobaltGraph.Benchmarks.Measuring;

/// <summary>Processor time in seconds as the kernel of this machine counts it. Linux only.</summary>
internal static class ProcessorTime
{
    // Not the hardware's tick: the unit in which the kernel answers every program.
    private const double TicksPerSecond = 100;

    /// <summary>Of the server's processes that serve one database, by process id, without that of the connection that asks.</summary>
    public static async Task<IReadOnlyDictionary<int, double>?> BackendsAsync(
        NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        await using var command = new NpgsqlCommand(
            """
            SELECT pid FROM pg_stat_activity
            WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
            """,
            connection);
        var seconds = new Dictionary<int, double>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            seconds.Add(reader.GetInt32(0), OfProcess(reader.GetInt32(0)));
        return seconds;
    }

    /// <summary>Of everything that ran on the machine.</summary>
    public static double? Machine()
    {
        if (!OperatingSystem.IsLinux())
            return null;
        var fields = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        // user, nice, system, irq, softirq: all but idle and waiting, and what other machines took of ours.
        return ((int[])[1, 2, 3, 6, 7]).Sum(field => Ticks(fields[field])) / TicksPerSecond;
    }

    private static double OfProcess(int process)
    {
        // The second field is the program's name and may hold anything; it ends with the last parenthesis.
        var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/stat"));
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (Ticks(fields[11]) + Ticks(fields[12])) / TicksPerSecond;
    }

    private static long Ticks(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
