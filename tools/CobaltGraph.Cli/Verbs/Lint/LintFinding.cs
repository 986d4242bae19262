namespace CobaltGraph.Cli.Verbs.Lint;

/// <summary>A statement that may hurt a database in use.</summary>
/// <param name="Script">Its migration and direction: <c>0002_ThreatScoring.up</c>.</param>
/// <param name="Line">Its line in the plain form of the script, from 1 on.</param>
/// <param name="Text">That line.</param>
/// <param name="Rule">The rule that found it.</param>
/// <param name="Message">What can happen, and what to do instead.</param>
internal sealed record LintFinding(string Script, int Line, string Text, string Rule, string Message);
