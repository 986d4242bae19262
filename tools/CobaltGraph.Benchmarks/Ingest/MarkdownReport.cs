using System.Globalization;
using System.Text;
using CobaltGraph.Benchmarks.Measuring;

namespace CobaltGraph.Benchmarks.Ingest;

/// <summary>The report in a page: its own part is replaced, what others wrote around it stays.</summary>
internal static class MarkdownReport
{
    public static async Task WriteAsync(IngestReport report, FileInfo page, CancellationToken cancellationToken)
    {
        var text = page.Exists ? await File.ReadAllTextAsync(page.FullName, cancellationToken) : "";
        page.Directory?.Create();
        await File.WriteAllTextAsync(page.FullName, Replace(text, PartOf(report), Write(report)), cancellationToken);
    }

    /// <summary>The part of the page that a report is; a comparison of one kind of rows stands beside that of the other.</summary>
    internal static string PartOf(IngestReport report) => report switch
    {
        { Memory: not null } => "memory",
        { Growth.Count: > 0 } => "growth",
        { Parts.Count: > 0 } => "parts",
        { Tables: [var only] } => $"comparison-{only.Table}".ToLowerInvariant(),
        _ => "comparison",
    };

    /// <summary>Puts a text between the marks of a part; at the end of the page when it has no such marks.</summary>
    internal static string Replace(string page, string part, string text)
    {
        var (begin, end) = ($"<!-- begin {part} -->", $"<!-- end {part} -->");
        var from = page.IndexOf(begin, StringComparison.Ordinal);
        var to = page.IndexOf(end, StringComparison.Ordinal);
        var block = $"{begin}\n\n{text}\n{end}";
        return from >= 0 && to > from
            ? page[..from] + block + page[(to + end.Length)..]
            : $"{page}{(page.Length == 0 || page.EndsWith('\n') ? "" : "\n")}{block}\n";
    }

    /// <summary>The machine, the server and the program, as every part of a page begins.</summary>
    internal static void AppendSurroundings(StringBuilder page, DateTimeOffset startedAt, MachineDescription machine, ServerDescription server)
    {
        page.Append(CultureInfo.InvariantCulture, $"{startedAt:yyyy-MM-dd}, {machine.Program}. {machine.Processors} × {machine.Processor}, ");
        page.Append(CultureInfo.InvariantCulture, $"{Figure.Count(machine.MemoryBytes / 1e9)} GB, {machine.System}, {machine.Runtime}.\n");
        page.Append(CultureInfo.InvariantCulture, $"PostgreSQL {server.Version}{(server.FileSystem is null ? "" : $" on {server.FileSystem}")}: ");
        page.AppendJoin(", ", server.Settings.Select(setting => $"`{setting.Key}={setting.Value}`")).Append(".\n");
    }

    internal static void Append(StringBuilder page, IEnumerable<ReportTable> tables)
    {
        foreach (var table in tables)
        {
            page.Append(CultureInfo.InvariantCulture, $"\n**{table.Title}**\n\n");
            AppendRow(table.Columns);
            AppendRow([.. table.Columns.Select((_, i) => i < table.LeftColumns ? "---" : "--:")]);
            foreach (var row in table.Rows)
                AppendRow(row);
        }

        void AppendRow(IEnumerable<string> cells) => page.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
    }

    private static string Write(IngestReport report)
    {
        var setup = report.Setup;
        var page = new StringBuilder();
        AppendSurroundings(page, report.StartedAt, report.Machine, report.Server);
        page.Append(CultureInfo.InvariantCulture, $"{Figure.Count(setup.Rows)} rows of {Figure.Count(setup.Devices)} devices over {setup.Days} days, seed {setup.Seed}, ");
        page.Append(CultureInfo.InvariantCulture, $"batches of {Figure.Count(setup.BatchSize)}, {setup.Rounds} rounds.\n");
        Append(page, ReportTables.Of(report));
        return page.ToString();
    }
}
