using System.Text;

namespace CobaltGraph.Data.Schema;

internal static class ScriptText
{
    private const string Indent = "    ";

    /// <summary>
    /// Takes back the indent that EF Core gives every line inside the <c>DO $EF$</c> blocks of an idempotent script:
    /// inside a function body it would be stored, and the script would leave another database than the migration.
    /// Lines end in LF.
    /// </summary>
    public static string WithoutAddedIndent(string script)
    {
        var lines = script.ReplaceLineEndings("\n").Split('\n');
        var text = new StringBuilder(script.Length);
        var inside = false;

        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i];
            if (inside && line == "    END IF;" && i + 1 < lines.Length && lines[i + 1] == "END $EF$;")
                inside = false;

            text.Append(inside && line.StartsWith(Indent, StringComparison.Ordinal) ? line.AsSpan(Indent.Length) : line);
            if (i + 1 < lines.Length)
                text.Append('\n');

            if (line.EndsWith(" THEN", StringComparison.Ordinal) && i >= 2
                && lines[i - 1] == "BEGIN" && lines[i - 2] == "DO $EF$")
            {
                inside = true;
            }
        }

        return text.ToString();
    }
}
