namespace CobaltGraph.Reliability.Oracle;

/// <summary>What a driver says about a batch.</summary>
public enum OracleStep
{
    /// <summary>The batch is about to be handed over.</summary>
    Invoke,

    /// <summary>It was acknowledged: every row is stored.</summary>
    Ok,

    /// <summary>It was refused: no row is stored.</summary>
    Fail,

    /// <summary>Nobody knows: all rows are stored, or none.</summary>
    Info,
}

/// <summary>One line of the oracle's file.</summary>
/// <param name="Step">What happened.</param>
/// <param name="Batch">The batch, unique within the file.</param>
/// <param name="Rows">Identities of its rows; only with <see cref="OracleStep.Invoke"/>.</param>
/// <param name="Note">Anything that helps a reader.</param>
public sealed record OracleEntry(OracleStep Step, string Batch, IReadOnlyList<string>? Rows = null, string? Note = null);

/// <summary>What must be true of a batch's rows.</summary>
public enum BatchFate
{
    /// <summary>Every row exactly once.</summary>
    Stored,

    /// <summary>No row.</summary>
    Absent,

    /// <summary>Every row once, or no row.</summary>
    Either,
}
