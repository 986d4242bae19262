using System.Diagnostics;

namespace CobaltGraph.LocalPostgres.Tests;

/// <summary>A folder of one test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    /// <summary>Makes one that is closed to other users, as a home folder is, or open.</summary>
    public TemporaryFolder(bool open = false)
    {
        Path = Directory.CreateTempSubdirectory("cobaltgraph-tests-").FullName;
        if (open && !OperatingSystem.IsWindows())
            File.SetUnixFileMode(Path, Unix.Everyone);
    }

    public string Path { get; }

    public static implicit operator string(TemporaryFolder folder) => folder.Path;

    public string Sub(params string[] names) => System.IO.Path.Combine([Path, .. names]);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

internal static class Unix
{
    public const UnixFileMode Everyone =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    public const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public static void WriteScript(string path, string content)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The stand-ins for programs are shell scripts.");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        // A program that somebody has open for writing does not start, and a process that another test starts just now has what
        // this one has open, until it is a program itself. So a program of its own writes it.
        var text = path + ".text";
        File.WriteAllText(text, "#!/bin/sh\n" + content + "\n");
        using var copy = Process.Start("cp", [text, path]);
        copy.WaitForExit();
        Assert.Equal(0, copy.ExitCode);
        File.Delete(text);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, Everyone);
    }

    /// <summary>Programs that say they are a version, and do nothing else.</summary>
    public static string WriteInstallation(string bin, string version)
    {
        WriteScript(Path.Combine(bin, "postgres"), $"echo 'postgres (PostgreSQL) {version}'");
        WriteScript(Path.Combine(bin, "initdb"), "exit 1");
        WriteScript(Path.Combine(bin, "pg_ctl"), "exit 1");
        return bin;
    }
}
