using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace CobaltGraph.LocalPostgres.Servers;

/// <summary>What a server leaves in its data folder.</summary>
internal static class ServerFiles
{
    /// <summary>Whether the server has said in postmaster.pid that it accepts connections.</summary>
    public static bool IsReady(string dataDirectory) =>
        ReadLines(Path.Combine(dataDirectory, "postmaster.pid")) is { Length: >= 8 } lines && lines[7].Trim() == "ready";

    /// <summary>The process that postmaster.pid names; null when there is no such file.</summary>
    public static int? ProcessId(string dataDirectory) =>
        ReadLines(Path.Combine(dataDirectory, "postmaster.pid")) is [var first, ..]
        && int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            ? id
            : null;

    /// <summary>The major version of a data folder; null when it is none.</summary>
    public static int? Major(string dataDirectory) =>
        ReadLines(Path.Combine(dataDirectory, "PG_VERSION")) is [var first, ..]
        && int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var major)
            ? major
            : null;

    public static bool SaysPortTaken(string log) =>
        log.Contains("could not bind", StringComparison.Ordinal)
        || log.Contains("Address already in use", StringComparison.Ordinal);

    public static bool SaysDiskFull(string log) =>
        log.Contains("No space left on device", StringComparison.Ordinal)
        || log.Contains("Disk quota exceeded", StringComparison.Ordinal);

    public static string ReadText(string path) =>
        ReadLines(path) is { } lines ? string.Join('\n', lines) : "";

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public static bool IsPortFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static string[]? ReadLines(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var reader = new StreamReader(stream);
            return reader.ReadToEnd().Split('\n');
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
