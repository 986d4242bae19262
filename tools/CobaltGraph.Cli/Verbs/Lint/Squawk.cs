using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using CobaltGraph.LocalPostgres.Binaries;
using CobaltGraph.LocalPostgres.Processes;

namespace CobaltGraph.Cli.Verbs.Lint;

/// <summary>The linter squawk (squawkhq.com), in the version that a lock file pins.</summary>
internal sealed class Squawk
{
    // The oldest server that the scripts are for.
    private const string ServerVersion = "12.0";

    private readonly string _program;

    private Squawk(string program) => _program = program;

    /// <summary>Fetches it with npm, once.</summary>
    /// <param name="home">The user's folder, where it is kept.</param>
    /// <param name="searchPath">Where npm is looked for.</param>
    /// <param name="progress">Told in words what takes long.</param>
    /// <param name="cancellationToken">Ends the fetch.</param>
    /// <exception cref="LocalPostgres.LocalPostgresException">It cannot be had.</exception>
    /// <exception cref="CliException">There is none for this platform.</exception>
    public static async Task<Squawk> FetchAsync(
        string home, string? searchPath, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        var linux = OperatingSystem.IsLinux() && RuntimeInformation.OSArchitecture == Architecture.X64
            && !RuntimeInformation.RuntimeIdentifier.Contains("musl", StringComparison.Ordinal);
        var package = linux ? NpmPackage.Pinned(typeof(Squawk).Assembly, "npm/squawk", "@squawk-cli/linux-x64") : null;
        if (package is null)
            throw CliException.Failed("squawk is pinned for Linux on x64 with glibc only.", "Run `cobaltgraph lint` on such a machine.");

        var cache = Path.Combine(home, "tools");
        Directory.CreateDirectory(cache);
        var folder = await package.FetchAsync(
            cache, $"squawk-{package.Version}", searchPath,
            $"Fetching squawk {package.Version} with npm (about 9 MB, once).", (_, _) => Task.CompletedTask, progress, cancellationToken);
        return new(Path.Combine(folder, "bin", "squawk"));
    }

    /// <summary>Checks scripts that hold nothing but SQL.</summary>
    /// <param name="scripts">Their text by name.</param>
    /// <param name="cancellationToken">Ends the check.</param>
    public async Task<IReadOnlyList<LintFinding>> CheckAsync(
        IReadOnlyDictionary<string, string> scripts, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("cobaltgraph-lint-");
        try
        {
            foreach (var (name, sql) in scripts)
                await File.WriteAllTextAsync(Path.Combine(folder.FullName, name), sql, new UTF8Encoding(false), cancellationToken);

            var command = new Command(_program, ["--reporter", "json", "--pg-version", ServerVersion, .. scripts.Keys])
            {
                WorkingDirectory = folder.FullName,
            };
            var result = await command.RunAsync(cancellationToken);
            return Parse(result, scripts);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static List<LintFinding> Parse(CommandResult result, IReadOnlyDictionary<string, string> scripts)
    {
        try
        {
            using var json = JsonDocument.Parse(result.Output.Length == 0 ? "[]" : result.Output);
            var findings = json.RootElement.EnumerateArray().Select(Finding).ToList();
            if (result.ExitCode == 0 || findings.Count > 0)
                return findings;
        }
        catch (JsonException)
        {
            // Told below, with what it said instead.
        }

        throw CliException.Failed(
            $"squawk ended with code {result.ExitCode.ToString(CultureInfo.InvariantCulture)}:{Environment.NewLine}{result.Tail()}");

        LintFinding Finding(JsonElement element)
        {
            var script = Path.GetFileName(element.GetProperty("file").GetString()!);
            var line = element.GetProperty("line").GetInt32();
            string?[] said = [element.GetProperty("message").GetString(), element.GetProperty("help").GetString()];
            return new(
                script,
                line + 1,
                scripts[script].Split('\n')[line].Trim(),
                element.GetProperty("rule_name").GetString()!,
                string.Join(' ', said.Where(text => text is not null)));
        }
    }
}
