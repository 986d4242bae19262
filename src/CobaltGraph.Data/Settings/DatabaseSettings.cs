using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;
using Npgsql;

namespace CobaltGraph.Data;

/// <summary>
/// Which database to use, and how that was decided. The first source that says something decides:
/// an explicit connection, <see cref="ConnectionVariable"/>, <c>config/database.conf</c> in the current folder or one
/// of its parents, the server that <c>cobaltgraph up</c> started.
/// </summary>
/// <remarks>
/// A connection is written as Npgsql keywords (<c>Host=…;Database=…</c>) or as a <c>postgresql://</c> URI.
/// Whatever the source, error details and persisted security information are off, and the application name is
/// <c>cobaltgraph</c> unless the source names one.
/// </remarks>
[DebuggerDisplay("{Describe(),nq}")]
public sealed class DatabaseSettings
{
    /// <summary>The environment variable that holds a connection.</summary>
    public const string ConnectionVariable = "COBALTGRAPH_CONNECTION";

    /// <summary>Path of the configuration file, relative to the current folder or one of its parents.</summary>
    public const string ConfigFile = "config/database.conf";

    internal DatabaseSettings(
        NpgsqlConnectionStringBuilder builder,
        DatabaseSettingsSource source,
        string sourceName,
        IReadOnlyList<string>? warnings = null)
    {
        builder.PersistSecurityInfo = false;
        builder.IncludeErrorDetail = false;
        if (string.IsNullOrEmpty(builder.ApplicationName)) builder.ApplicationName = "cobaltgraph";

        ConnectionString = builder.ConnectionString;
        Host = builder.Host ?? "";
        Port = builder.Port;
        Database = builder.Database ?? builder.Username;
        User = builder.Username;
        SearchPath = builder.SearchPath;
        HasPassword = !string.IsNullOrEmpty(builder.Password);
        Source = source;
        SourceName = sourceName;
        Warnings = warnings ?? [];
    }

    /// <summary>The connection for Npgsql. It may hold the password: never print or log it.</summary>
    [JsonIgnore]
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    public string ConnectionString { get; }

    /// <summary>Host name, address or socket folder; several are separated by commas.</summary>
    public string Host { get; }

    /// <summary>TCP port.</summary>
    public int Port { get; }

    /// <summary>Database; null when the server shall choose by the user's name.</summary>
    public string? Database { get; }

    /// <summary>User; null when PGUSER or the operating system decides.</summary>
    public string? User { get; }

    /// <summary>Search path whose first schema holds this site; null for the server's default.</summary>
    public string? SearchPath { get; }

    /// <summary>Whether the connection holds a password, rather than a passfile or the server's trust.</summary>
    public bool HasPassword { get; }

    /// <summary>The kind of source that decided.</summary>
    public DatabaseSettingsSource Source { get; }

    /// <summary>Path of the file, name of the variable or option that decided.</summary>
    public string SourceName { get; }

    /// <summary>What is not wrong but not safe, for example a file with a password that everyone can read.</summary>
    public IReadOnlyList<string> Warnings { get; }

    /// <summary>Finds the settings.</summary>
    /// <param name="explicitConnection">The connection that goes before every other source, or null.</param>
    /// <exception cref="DatabaseSettingsException">Nothing is configured, or something is configured wrongly.</exception>
    public static DatabaseSettings Resolve(string? explicitConnection = null)
        => new DatabaseSettingsResolver().Resolve(explicitConnection);

    /// <summary>Finds the settings, or says why there are none.</summary>
    /// <param name="explicitConnection">The connection that goes before every other source, or null.</param>
    /// <param name="settings">The settings.</param>
    /// <param name="error">What is missing or wrong; see <see cref="DatabaseSettingsException.Problem"/>.</param>
    public static bool TryResolve(
        string? explicitConnection,
        [NotNullWhen(true)] out DatabaseSettings? settings,
        [NotNullWhen(false)] out DatabaseSettingsException? error)
    {
        try
        {
            settings = Resolve(explicitConnection);
            error = null;
            return true;
        }
        catch (DatabaseSettingsException e)
        {
            settings = null;
            error = e;
            return false;
        }
    }

    /// <summary>Reads a connection written as Npgsql keywords or as a <c>postgresql://</c> URI.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="name">What errors call it, for example the name of an option.</param>
    /// <exception cref="DatabaseSettingsException">The text is not a connection.</exception>
    public static DatabaseSettings Parse(string connection, string name = "connection")
    {
        ArgumentNullException.ThrowIfNull(connection);
        return new(ConnectionText.Parse(connection, name), DatabaseSettingsSource.Explicit, name);
    }

    /// <summary>Reads a file in the format of <c>config/database.conf</c>.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="DatabaseSettingsException">The file cannot be read, or is not right.</exception>
    public static DatabaseSettings FromFile(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return DatabaseConfigFile.Read(path, DatabaseSettingsSource.ConfigFile);
    }

    /// <summary>The connection in words, without the password: <c>database "x" on host:5432 as user, from …</c>.</summary>
    public string Describe()
    {
        var database = Database is null ? "the default database" : $"database \"{Database}\"";
        var user = User is null ? "" : $" as {User}";
        var schema = SearchPath is null ? "" : $", search path {SearchPath}";
        return $"{database} on {Address}{user}{schema} (from {SourceName})";
    }

    /// <inheritdoc cref="Describe"/>
    public override string ToString() => Describe();

    /// <summary>Host and port as people write them.</summary>
    internal string Address
        => Host.StartsWith('/') || Host.Contains(',', StringComparison.Ordinal) ? Host
            : Host.Contains(':', StringComparison.Ordinal) && !Host.StartsWith('[') ? $"[{Host}]:{Port}"
            : $"{Host}:{Port}";
}
