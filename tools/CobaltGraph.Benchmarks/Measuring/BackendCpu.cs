using System.Globalization;
using Npgsql;

namespace CobaltGraph.Benchmarks.Measuring;

/// <summary>Processor time of the server's processes that serve one database, by process id. Linux only.</summary>
internal sealed class BackendCpu
{
    // Not the hardware's tick: what the kernel reports in to every program.
    private const double TicksPerSecond = 100;

    private readonly Dictionary<int, double> _seconds = [];

    /// <summary>Reads it, without the process of the connection that asks.</summary>
    public static async Task<BackendCpu?> ReadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        await using var command = new NpgsqlCommand(
            """
            SELECT pid FROM pg_stat_activity
            WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
            """,
            connection);
        var cpu = new BackendCpu();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var process = reader.GetInt32(0);
            cpu._seconds.Add(process, Seconds(process));
        }

        return cpu;
    }

    public double SecondsSince(BackendCpu before)
        => _seconds.Sum(pair => pair.Value - before._seconds.GetValueOrDefault(pair.Key));

    private static double Seconds(int process)
    {
        // The second field is the program's name and may hold anything but ends with the last parenthesis.
        var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/stat"));
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture))
            / TicksPerSecond;
    }
}
