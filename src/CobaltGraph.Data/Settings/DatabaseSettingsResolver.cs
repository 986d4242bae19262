namespace CobaltGraph.Data;

/// <summary>Asks the sources of database settings in their order.</summary>
internal sealed class DatabaseSettingsResolver(
    Func<string, string?>? environment = null,
    string? currentFolder = null,
    string explicitName = "--connection")
{
    private readonly Func<string, string?> _environment = environment ?? Environment.GetEnvironmentVariable;

    public DatabaseSettings Resolve(string? explicitConnection)
    {
        if (explicitConnection is not null)
        {
            return new(
                ConnectionText.Parse(explicitConnection, explicitName), DatabaseSettingsSource.Explicit, explicitName);
        }

        // A variable that is set to nothing counts as not set: that is how shells and CI files switch one off.
        var variable = _environment(DatabaseSettings.ConnectionVariable);
        if (!string.IsNullOrWhiteSpace(variable))
        {
            const string name = DatabaseSettings.ConnectionVariable;
            return new(ConnectionText.Parse(variable, name), DatabaseSettingsSource.Environment, name);
        }

        var folder = currentFolder ?? Directory.GetCurrentDirectory();
        if (FindConfigFile(folder) is { } file)
            return DatabaseConfigFile.Read(file, DatabaseSettingsSource.ConfigFile);

        var local = CobaltGraphHome.ConnectionFileFrom(_environment);
        if (local is not null && Exists(local))
            return DatabaseConfigFile.Read(local, DatabaseSettingsSource.LocalServer);

        throw new DatabaseSettingsException(
            DatabaseSettingsProblem.NotConfigured,
            "No database is configured.",
            $"Run `cobaltgraph up` to start one of your own; or set {DatabaseSettings.ConnectionVariable} to " +
            "postgresql://user@host/database; or copy config/database.conf.example to " +
            $"{DatabaseSettings.ConfigFile} and fill it in (looked for in {folder} and its parents).");
    }

    private static string? FindConfigFile(string folder)
    {
        for (var at = new DirectoryInfo(folder); at is not null; at = at.Parent)
        {
            var candidate = Path.Combine(at.FullName, "config", "database.conf");
            if (Exists(candidate)) return candidate;
        }

        return null;
    }

    // File.Exists also says no to what may not be looked at; such a file must be an error, not be passed over.
    private static bool Exists(string path)
    {
        try
        {
            return (File.GetAttributes(path) & FileAttributes.Directory) == 0;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            return true;
        }
    }
}
