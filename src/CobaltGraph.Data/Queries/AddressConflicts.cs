namespace CobaltGraph.Data.Queries;

/// <summary>Conflicts of a range.</summary>
public sealed record AddressConflicts
{
    /// <summary>The conflicts, the latest to begin first.</summary>
    public required IReadOnlyList<AddressConflict> Items { get; init; }

    /// <summary>Whether some were left out for the limit. A shorter range shows them.</summary>
    public bool HasMore { get; init; }
}
