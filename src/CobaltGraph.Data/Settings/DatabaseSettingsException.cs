namespace CobaltGraph.Data;

/// <summary>What kind of trouble a <see cref="DatabaseSettingsException"/> reports.</summary>
public enum DatabaseSettingsProblem
{
    /// <summary>No source names a database.</summary>
    NotConfigured = 0,

    /// <summary>A source is there and says something that cannot be right.</summary>
    Invalid = 1,

    /// <summary>A source is there and cannot be read.</summary>
    Unreadable = 2,
}

/// <summary>
/// The database connection is not configured, or not correctly. The message names the source, the line and key where
/// there are any, and what to do. It never holds a password.
/// </summary>
public sealed class DatabaseSettingsException : Exception
{
    internal DatabaseSettingsException(
        DatabaseSettingsProblem problem,
        string what,
        string remedy,
        string? source = null,
        int? line = null,
        string? key = null,
        Exception? innerException = null)
        : base(Compose(what, remedy, source, line, key), innerException)
    {
        Problem = problem;
        Remedy = remedy;
        SettingsSource = source;
        Line = line;
        Key = key;
    }

    /// <summary>The kind of trouble.</summary>
    public DatabaseSettingsProblem Problem { get; }

    /// <summary>What to do about it.</summary>
    public string Remedy { get; }

    /// <summary>Path of the file, name of the variable or option at fault; null when there is none.</summary>
    public string? SettingsSource { get; }

    /// <summary>Line in the file, from 1.</summary>
    public int? Line { get; }

    /// <summary>The key at fault.</summary>
    public string? Key { get; }

    private static string Compose(string what, string remedy, string? source, int? line, string? key)
    {
        var place = source is null ? "" : line is null ? source : $"{source}, line {line}";
        if (key is not null) place = place.Length == 0 ? key : $"{place}, {key}";
        return place.Length == 0 ? $"{what} {remedy}" : $"{place}: {what} {remedy}";
    }
}
