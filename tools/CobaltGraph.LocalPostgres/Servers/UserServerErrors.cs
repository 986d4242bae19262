using System.Globalization;
using CobaltGraph.LocalPostgres.Processes;

namespace CobaltGraph.LocalPostgres.Servers;

/// <summary>What a person is told when a server of theirs cannot be made or started.</summary>
internal static class UserServerErrors
{
    public static LocalPostgresException PortTaken(int port) => new(
        $"Port {port} is taken by {PortHolder.Describe(port)}. End that program, or give the server another port: \"cobaltgraph up --port N\". "
        + "Your data is untouched.");

    public static LocalPostgresException NotCreated(UserServerRecord state, string output) => new(
        ServerFiles.SaysDiskFull(output)
            ? $"The disk is full: a server needs about 50 MB in {state.ClusterDirectory}, and {FreeSpace(state.ClusterDirectory)} is free. "
              + $"Make room, or set {UserFolders.HomeVariable} to a folder on another disk. Nothing half made was left."
            : $"A server could not be made in {state.ClusterDirectory}; nothing half made was left:{Environment.NewLine}{CommandResult.LastLines(output, 8)}");

    public static LocalPostgresException NotStarted(UserServerRecord state, CommandResult result, string log)
    {
        var said = $"{result.Output}\n{result.Error}\n{log}";
        if (ServerFiles.SaysPortTaken(said))
            return PortTaken(state.Port);
        if (ServerFiles.SaysDiskFull(said) || FreeBytes(state.DataDirectory) < 1 << 20)
        {
            return new LocalPostgresException(
                $"The disk is full: {FreeSpace(state.DataDirectory)} is free for {state.DataDirectory}. Make room, then \"cobaltgraph up\" again. Your data is untouched.");
        }

        return new LocalPostgresException(
            $"The server in {state.DataDirectory} did not start. Your data is untouched. The end of its log, {state.LogFile}:{Environment.NewLine}{CommandResult.LastLines(log.Length > 0 ? log : said, 8)}");
    }

    private static string FreeSpace(string folder) =>
        string.Create(CultureInfo.InvariantCulture, $"{FreeBytes(folder) / (double)(1 << 20):0.0} MB");

    private static long FreeBytes(string folder)
    {
        try
        {
            return new DriveInfo(folder).AvailableFreeSpace;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return long.MaxValue;
        }
    }
}
