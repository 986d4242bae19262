namespace CobaltGraph.Data.Schema;

/// <summary>Names and texts as they stand in a statement, where no parameter can.</summary>
internal static class SqlText
{
    /// <summary>A name in quotes.</summary>
    public static string Identifier(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>A text in quotes. Backslashes stand for themselves: standard_conforming_strings is on.</summary>
    public static string Literal(string text) => $"'{Escaped(text)}'";

    /// <summary>A text to stand between quotes.</summary>
    public static string Escaped(string text) => text.Replace("'", "''", StringComparison.Ordinal);
}
