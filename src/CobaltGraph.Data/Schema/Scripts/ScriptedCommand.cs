namespace CobaltGraph.Data.Schema.Scripts;

/// <summary>One command of a migration.</summary>
/// <param name="Sql">Its text, lines ending in LF.</param>
/// <param name="OutsideTransaction">Whether the server refuses it inside a transaction.</param>
internal sealed record ScriptedCommand(string Sql, bool OutsideTransaction = false);
