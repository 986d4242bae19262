using System.Globalization;
using System.Text.RegularExpressions;

namespace CobaltGraph.LocalPostgres.Binaries;

/// <summary>The folders where packages and installers of each platform put PostgreSQL.</summary>
internal static partial class SystemFolders
{
    public static IReadOnlyList<string> All()
    {
        if (OperatingSystem.IsWindows())
        {
            var programs = Environment.GetFolderPath(Environment.SpecialFolder.ProgramFiles);
            return Expand(Path.Combine(programs, "PostgreSQL"), "*", "bin");
        }

        if (OperatingSystem.IsMacOS())
        {
            return
            [
                .. Expand("/opt/homebrew/opt", "postgresql*", "bin"),
                .. Expand("/usr/local/opt", "postgresql*", "bin"),
                .. Expand("/Applications/Postgres.app/Contents/Versions", "*", "bin"),
                .. Expand("/Library/PostgreSQL", "*", "bin"),
                .. Expand("/opt/local/lib", "postgresql*", "bin"),
            ];
        }

        return
        [
            .. Expand("/usr/lib/postgresql", "*", "bin"),
            .. Expand("/usr", "pgsql-*", "bin"),
            .. Expand("/usr/lib64", "pgsql*", "bin"),
            .. Expand("/usr/libexec", "postgresql*", ""),
            .. Expand("/home/linuxbrew/.linuxbrew/opt", "postgresql*", "bin"),
            "/usr/local/pgsql/bin",
        ];
    }

    /// <summary>The sub-folder <paramref name="inner"/> of every match that exists, newest version first.</summary>
    internal static IReadOnlyList<string> Expand(string parent, string pattern, string inner)
    {
        try
        {
            return Directory.Exists(parent)
                ? [.. Directory.GetDirectories(parent, pattern)
                    .OrderByDescending(VersionOf)
                    .Select(match => Path.Combine(match, inner))
                    .Where(Directory.Exists)]
                : [];
        }
        catch (UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static decimal VersionOf(string folder)
    {
        var match = Number().Match(Path.GetFileName(folder));
        return match.Success ? decimal.Parse(match.Value, CultureInfo.InvariantCulture) : 0;
    }

    [GeneratedRegex(@"\d{1,3}(\.\d{1,3})?")]
    private static partial Regex Number();
}
