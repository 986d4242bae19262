using Spectre.Console;

namespace CobaltGraph.Benchmarks.Ingest;

/// <summary>A report on standard output.</summary>
internal static class ConsoleReport
{
    public static void Write(IEnumerable<ReportTable> tables)
    {
        var console = AnsiConsole.Console;
        if (Console.IsOutputRedirected)
            console.Profile.Width = 200;
        foreach (var table in tables)
        {
            console.WriteLine();
            console.Write(new Text(table.Title + Environment.NewLine, new Style(decoration: Decoration.Bold)));
            var shown = new Table().Border(TableBorder.Rounded);
            for (var i = 0; i < table.Columns.Count; i++)
            {
                var column = new TableColumn(new Text(table.Columns[i]));
                shown.AddColumn(i < table.LeftColumns ? column : column.RightAligned());
            }

            foreach (var row in table.Rows)
                shown.AddRow(row.Select(Cell));
            console.Write(shown);
        }
    }

    private static Text Cell(string text) => new(text, text switch
    {
        "reached" => new Style(Color.Green),
        "missed" or "not measured" => new Style(Color.Red),
        _ => Style.Plain,
    });
}
