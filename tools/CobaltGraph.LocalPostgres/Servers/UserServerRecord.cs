using System.Text.Json.Serialization;

namespace CobaltGraph.LocalPostgres.Servers;

/// <summary>What is remembered of a user's server between commands.</summary>
internal sealed record UserServerRecord
{
    public required string ClusterDirectory { get; init; }

    public string? BinDirectory { get; init; }

    public string Version { get; init; } = "";

    /// <summary>0: none chosen yet.</summary>
    public int Port { get; init; }

    [JsonIgnore]
    public string DataDirectory => Path.Combine(ClusterDirectory, "data");

    [JsonIgnore]
    public string LogFile => Path.Combine(ClusterDirectory, "server.log");
}
