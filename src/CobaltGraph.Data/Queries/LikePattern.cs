namespace CobaltGraph.Data.Queries;

/// <summary>Patterns for ILIKE of text that stands for itself.</summary>
internal static class LikePattern
{
    public const string Escape = "\\";

    public static string Contains(string text) => "%" + text
        .Replace("\\", "\\\\", StringComparison.Ordinal)
        .Replace("%", "\\%", StringComparison.Ordinal)
        .Replace("_", "\\_", StringComparison.Ordinal) + "%";
}
