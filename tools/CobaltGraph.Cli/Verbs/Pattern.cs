namespace CobaltGraph.Cli.Verbs;

/// <summary>Patterns for LIKE.</summary>
internal static class Pattern
{
    public const string Escape = "\\";

    public static string Containing(string text)
        => "%" + text.Replace(@"\", @"\\", StringComparison.Ordinal)
            .Replace("%", @"\%", StringComparison.Ordinal)
            .Replace("_", @"\_", StringComparison.Ordinal) + "%";
}
