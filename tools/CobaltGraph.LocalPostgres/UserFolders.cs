namespace CobaltGraph.LocalPostgres;

/// <summary>Where CobaltGraph keeps what belongs to one user.</summary>
public static class UserFolders
{
    /// <summary>The variable that moves the user's data folder elsewhere.</summary>
    public const string HomeVariable = "COBALTGRAPH_HOME";

    /// <summary>
    /// The user's data folder: <c>COBALTGRAPH_HOME</c> if set, else the platform's place for local application data
    /// (Linux: <c>$XDG_DATA_HOME</c> or <c>~/.local/share</c>; macOS: <c>~/Library/Application Support</c>;
    /// Windows: <c>%LOCALAPPDATA%</c>) plus <c>cobaltgraph</c>. It need not exist yet.
    /// </summary>
    public static string Home()
    {
        var configured = Environment.GetEnvironmentVariable(HomeVariable);
        if (!string.IsNullOrWhiteSpace(configured))
            return Path.GetFullPath(configured);
        var local = Environment.GetFolderPath(
            Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        if (string.IsNullOrEmpty(local))
        {
            throw new LocalPostgresException(
                $"There is no home folder to keep data in: neither HOME nor {HomeVariable} is set. Set {HomeVariable} to a folder of yours.");
        }

        return Path.Combine(local, "cobaltgraph");
    }
}
