namespace CobaltGraph.Data.Schema.Scripts;

/// <summary>One way of a migration: up or down.</summary>
/// <param name="Effects">What it does, a phrase per kind, for the head of a script.</param>
/// <param name="Commands">What it runs, in order.</param>
/// <param name="Record">The command that writes the migration into the history, or takes it out.</param>
internal sealed record ScriptedDirection(
    IReadOnlyList<string> Effects, IReadOnlyList<ScriptedCommand> Commands, string Record);
