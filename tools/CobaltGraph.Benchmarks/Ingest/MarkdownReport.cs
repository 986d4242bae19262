using System.Globalization;
using System.Text;

namespace CobaltGraph.Benchmarks.Ingest;

/// <summary>The report in a page: its own part is replaced, what others wrote around it stays.</summary>
internal static class MarkdownReport
{
    public static async Task WriteAsync(IngestReport report, FileInfo page, CancellationToken cancellationToken)
    {
        var part = report.Memory is not null ? "memory" : report.Growth.Count > 0 ? "growth" : report.Parts.Count > 0 ? "parts" : "comparison";
        var text = page.Exists ? await File.ReadAllTextAsync(page.FullName, cancellationToken) : "";
        page.Directory?.Create();
        await File.WriteAllTextAsync(page.FullName, Replace(text, part, Write(report)), cancellationToken);
    }

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

    private static string Write(IngestReport report)
    {
        var (machine, server, setup) = (report.Machine, report.Server, report.Setup);
        var page = new StringBuilder();
        page.Append(CultureInfo.InvariantCulture, $"{report.StartedAt:yyyy-MM-dd}, {machine.Program}. {machine.Processors} × {machine.Processor}, ");
        page.Append(CultureInfo.InvariantCulture, $"{Figure.Count(machine.MemoryBytes / 1e9)} GB, {machine.System}, {machine.Runtime}.\n");
        page.Append(CultureInfo.InvariantCulture, $"PostgreSQL {server.Version}{(server.FileSystem is null ? "" : $" on {server.FileSystem}")}: ");
        page.AppendJoin(", ", server.Settings.Select(setting => $"`{setting.Key}={setting.Value}`")).Append(".\n");
        page.Append(CultureInfo.InvariantCulture, $"{Figure.Count(setup.Rows)} rows of {Figure.Count(setup.Devices)} devices over {setup.Days} days, seed {setup.Seed}, ");
        page.Append(CultureInfo.InvariantCulture, $"batches of {Figure.Count(setup.BatchSize)}, {setup.Rounds} rounds.\n");
        foreach (var table in ReportTables.Of(report))
        {
            page.Append(CultureInfo.InvariantCulture, $"\n**{table.Title}**\n\n");
            Append(table.Columns);
            Append([.. table.Columns.Select((_, i) => i < table.LeftColumns ? "---" : "--:")]);
            foreach (var row in table.Rows)
                Append(row);
        }

        return page.ToString();

        void Append(IEnumerable<string> cells) => page.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
    }
}
