namespace CobaltGraph.Data;

/// <summary>Where database settings came from, in the order in which the sources are asked.</summary>
public enum DatabaseSettingsSource
{
    /// <summary>Given by the caller, for example with <c>--connection</c>.</summary>
    Explicit = 0,

    /// <summary>The environment variable <see cref="DatabaseSettings.ConnectionVariable"/>.</summary>
    Environment = 1,

    /// <summary><c>config/database.conf</c> in the current folder or one of its parents.</summary>
    ConfigFile = 2,

    /// <summary>The file that <c>cobaltgraph up</c> wrote for the server it started.</summary>
    LocalServer = 3,
}
