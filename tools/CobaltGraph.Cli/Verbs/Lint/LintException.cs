namespace CobaltGraph.Cli.Verbs.Lint;

/// <summary>Findings that are accepted, and why.</summary>
/// <param name="Rule">The rule they break.</param>
/// <param name="Script">The script they are in; null: every script.</param>
/// <param name="Text">How their line begins; null: any way.</param>
/// <param name="Reason">Why they do no harm.</param>
internal sealed record LintException(string? Rule, string? Script, string? Text, string? Reason)
{
    public bool Covers(LintFinding finding)
        => finding.Rule == Rule
            && (Script is null || finding.Script == Script)
            && (Text is null || finding.Text.StartsWith(Text, StringComparison.Ordinal));

    public override string ToString()
        => string.Join(", ", new[] { Rule ?? "no rule", Script, Text is null ? null : $"'{Text}'" }.Where(part => part is not null));
}
