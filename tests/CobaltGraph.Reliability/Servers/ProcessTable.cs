using System.Diagnostics;
using System.Globalization;

namespace CobaltGraph.Reliability.Servers;

/// <summary>Who is whose child, as the operating system says.</summary>
internal static class ProcessTable
{
    /// <summary>The children of a process; those that ended and only wait to be asked about are left out.</summary>
    public static IReadOnlyList<int> ChildrenOf(int processId)
        => [.. All().Where(p => p.Parent == processId && !p.Ended).Select(p => p.Id)];

    /// <summary>Whether a process still runs or stands still.</summary>
    public static bool IsAlive(int processId) => All().Any(p => p.Id == processId && !p.Ended);

    private static IEnumerable<(int Id, int Parent, bool Ended)> All()
        => Directory.Exists("/proc/self") ? FromProc() : FromPs();

    private static IEnumerable<(int Id, int Parent, bool Ended)> FromProc()
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id))
                continue;
            string text;
            try
            {
                text = File.ReadAllText(Path.Combine(folder, "stat"));
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                continue;
            }

            // The name, in parentheses, may hold spaces and parentheses.
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            yield return (id, int.Parse(fields[1], CultureInfo.InvariantCulture), fields[0] is "Z" or "X");
        }
    }

    private static List<(int Id, int Parent, bool Ended)> FromPs()
    {
        using var ps = Process.Start(new ProcessStartInfo("ps", ["-A", "-o", "pid=,ppid=,stat="]) { RedirectStandardOutput = true })!;
        var lines = ps.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        ps.WaitForExit();
        return [.. lines
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Select(fields => (
                int.Parse(fields[0], CultureInfo.InvariantCulture),
                int.Parse(fields[1], CultureInfo.InvariantCulture),
                fields[2].StartsWith('Z')))];
    }
}
