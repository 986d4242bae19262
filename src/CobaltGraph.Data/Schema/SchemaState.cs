namespace CobaltGraph.Data.Schema;

/// <summary>What of the schema is there and what is missing.</summary>
/// <param name="Schema">The schema; it may not exist yet.</param>
/// <param name="SchemaExists">Whether it exists.</param>
/// <param name="Applied">Migrations that the database has and this library knows, oldest first.</param>
/// <param name="Pending">Migrations that the database lacks, oldest first.</param>
/// <param name="Unknown">Migrations that the database has and this library does not know: it is older.</param>
internal sealed record SchemaState(
    string Schema,
    bool SchemaExists,
    IReadOnlyList<string> Applied,
    IReadOnlyList<string> Pending,
    IReadOnlyList<string> Unknown)
{
    /// <summary>Whether database and library agree.</summary>
    public bool IsCurrent => Pending.Count == 0 && Unknown.Count == 0;
}

/// <summary>The steps from one state to a target.</summary>
/// <param name="Target">The migration that will be the last one; null for none at all.</param>
/// <param name="ToApply">To apply, in this order.</param>
/// <param name="ToRevert">To revert, in this order. Their tables and columns go, with all data in them.</param>
internal sealed record MigrationPlan(string? Target, IReadOnlyList<string> ToApply, IReadOnlyList<string> ToRevert)
{
    public bool IsEmpty => ToApply.Count == 0 && ToRevert.Count == 0;
}

/// <summary>One migration that was applied or reverted.</summary>
internal sealed record MigrationStep(string Migration, bool Reverted, TimeSpan Elapsed);

/// <summary>What a run did.</summary>
/// <param name="Before">The state that the run found when it had the lock.</param>
/// <param name="Steps">What it applied and reverted.</param>
/// <param name="ByOthers">Migrations that another run applied before this one had the lock.</param>
/// <param name="WaitedFor">That other run; null when it was gone before it could be looked up.</param>
/// <param name="Partitions">Partitions of connections that the run created besides those of its migrations.</param>
internal sealed record MigrationReport(
    SchemaState Before,
    IReadOnlyList<MigrationStep> Steps,
    IReadOnlyList<string> ByOthers,
    MigrationLockHolder? WaitedFor,
    IReadOnlyList<string> Partitions);
