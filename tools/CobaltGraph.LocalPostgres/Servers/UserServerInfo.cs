namespace CobaltGraph.LocalPostgres;

/// <summary>A running server of a user, and how to reach it.</summary>
/// <param name="Port">The port on 127.0.0.1.</param>
/// <param name="Database">The database.</param>
/// <param name="User">The role that owns it; no superuser.</param>
/// <param name="Version">The version of the server, for example 18.4.</param>
/// <param name="DataDirectory">Where the data is.</param>
/// <param name="ConfigurationFile">The file that holds the connection, its password included.</param>
/// <param name="Created">Whether this call made the server.</param>
/// <param name="Started">Whether this call started it; false: it was running.</param>
public sealed record UserServerInfo(
    int Port, string Database, string User, string Version, string DataDirectory, string ConfigurationFile, bool Created, bool Started)
{
    /// <summary>The only address the server listens on.</summary>
    public const string Host = Servers.DatabaseConf.Host;

    /// <summary>The connection string, with the password: for connecting, not for showing.</summary>
    public required string ConnectionString { get; init; }

    /// <summary>Everything but the connection string.</summary>
    public override string ToString() => $"PostgreSQL {Version} on {Host}:{Port}, database {Database}, user {User}, data in {DataDirectory}";
}

/// <summary>Whether a user's server is there.</summary>
public enum UserServerState
{
    /// <summary>There is none yet.</summary>
    NotCreated,

    /// <summary>There is one, and it is not running.</summary>
    Stopped,

    /// <summary>It is running.</summary>
    Running,
}

/// <summary>What is known of a user's server without starting it.</summary>
/// <param name="State">Whether it is there and running.</param>
/// <param name="Port">Its port, running or not.</param>
/// <param name="Major">The major version of its data.</param>
/// <param name="ProcessId">The server process while it is running.</param>
/// <param name="DataDirectory">Where the data is, or would be.</param>
/// <param name="LogFile">The server's log.</param>
/// <param name="ConfigurationFile">The file that holds the connection.</param>
public sealed record UserServerStatus(
    UserServerState State, int? Port, int? Major, int? ProcessId, string DataDirectory, string LogFile, string ConfigurationFile);
