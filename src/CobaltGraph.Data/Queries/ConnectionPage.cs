using CobaltGraph.Model;

namespace CobaltGraph.Data.Queries;

/// <summary>A page of connections.</summary>
public sealed record ConnectionPage : Page<Connection>
{
    /// <summary>How the rows were found.</summary>
    public required SearchStrategy Strategy { get; init; }
}
