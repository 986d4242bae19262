namespace CobaltGraph.Data;

/// <summary>The folder that holds what belongs to this user: the local server, its data, its connection.</summary>
public static class CobaltGraphHome
{
    /// <summary>The environment variable that names another folder.</summary>
    public const string Variable = "COBALTGRAPH_HOME";

    /// <summary>
    /// The folder named by <see cref="Variable"/>, else <c>cobaltgraph</c> in the user's local application data; null
    /// when this user has neither. It need not exist.
    /// </summary>
    public static string? Folder => FolderFrom(Environment.GetEnvironmentVariable);

    /// <summary>The file in which <c>cobaltgraph up</c> leaves the connection to its server.</summary>
    public static string? ConnectionFile => ConnectionFileFrom(Environment.GetEnvironmentVariable);

    internal static string? FolderFrom(Func<string, string?> environment)
    {
        var named = environment(Variable);
        if (!string.IsNullOrWhiteSpace(named)) return Path.GetFullPath(named);

        // DoNotVerify: without it .NET answers "" for a folder that nobody has created yet.
        var data = Environment.GetFolderPath(
            Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        return data.Length == 0 ? null : Path.Combine(data, "cobaltgraph");
    }

    internal static string? ConnectionFileFrom(Func<string, string?> environment)
        => FolderFrom(environment) is { } folder ? Path.Combine(folder, "database.conf") : null;
}
