using System.Text.RegularExpressions;

namespace CobaltGraph.Cli.Verbs.Lint;

/// <summary>Finds statements inside <c>DO</c> blocks, where squawk does not look, that lock tables or change them.</summary>
internal static partial class HiddenStatements
{
    public const string Rule = "statement-in-do-block";

    public static IEnumerable<LintFinding> Find(string script, string sql)
        => from block in DoBlock().Matches(sql)
           from Match statement in Statement().Matches(block.Value)
           let position = block.Index + statement.Groups["statement"].Index
           select new LintFinding(
               script,
               sql.AsSpan(0, position).Count('\n') + 1,
               statement.Groups["statement"].Value,
               Rule,
               "A linter sees nothing inside DO. Write the statement outside, or say what it locks and for how long.");

    [GeneratedRegex(@"^DO (?<tag>\$\w*\$).*?\k<tag>;", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex DoBlock();

    [GeneratedRegex(
        @"(^|;|\b(BEGIN|THEN|ELSE|LOOP)\b)\s*(EXECUTE\s+((pg_catalog\.)?format\s*\(\s*)?')?(?<statement>(LOCK|ALTER|CREATE|DROP|TRUNCATE|CLUSTER|REINDEX|REFRESH)\s[^\n]*)",
        RegexOptions.Multiline | RegexOptions.IgnoreCase)]
    private static partial Regex Statement();
}
