using System.Globalization;

namespace CobaltGraph.LocalPostgres.Servers;

/// <summary>Names the program that listens on a port, as far as the system lets us see.</summary>
internal static class PortHolder
{
    public static string Describe(int port)
    {
        if (OperatingSystem.IsLinux() && FindProcess(port) is { } process)
            return process;
        return "another program";
    }

    private static string? FindProcess(int port)
    {
        string[] tables = ["/proc/net/tcp", "/proc/net/tcp6"];
        var sockets = tables
            .Where(File.Exists)
            .SelectMany(File.ReadLines)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(fields => fields.Length > 9 && fields[3] == "0A"
                && fields[1].EndsWith(":" + port.ToString("X4", CultureInfo.InvariantCulture), StringComparison.Ordinal))
            .Select(fields => $"socket:[{fields[9]}]")
            .ToHashSet(StringComparer.Ordinal);
        if (sockets.Count == 0)
            return null;

        foreach (var process in Directory.EnumerateDirectories("/proc").Where(folder => char.IsAsciiDigit(Path.GetFileName(folder)[0])))
        {
            try
            {
                if (Directory.EnumerateFileSystemEntries(Path.Combine(process, "fd"))
                    .Any(entry => new FileInfo(entry).LinkTarget is { } target && sockets.Contains(target)))
                {
                    var name = File.ReadAllText(Path.Combine(process, "comm")).Trim();
                    return $"{name} (process {Path.GetFileName(process)})";
                }
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                // Gone meanwhile, or another user's.
            }
        }

        return null;
    }
}
