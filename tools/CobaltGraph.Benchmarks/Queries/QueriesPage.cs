using System.Globalization;
using System.Text;
using CobaltGraph.Benchmarks.Ingest;

namespace CobaltGraph.Benchmarks.Queries;

/// <summary>The report in a page, one part for each number of connections and devices.</summary>
internal static class QueriesPage
{
    /// <summary>Name of a part, of its marks and of its plot.</summary>
    public static string PartOf(QueriesSetup setup) => string.Create(CultureInfo.InvariantCulture, $"queries-{setup.Connections}-{setup.Devices}");

    public static async Task WriteAsync(QueriesReport report, FileInfo page, CancellationToken cancellationToken)
    {
        var text = page.Exists ? await File.ReadAllTextAsync(page.FullName, cancellationToken) : "";
        page.Directory?.Create();
        await File.WriteAllTextAsync(page.FullName, MarkdownReport.Replace(text, PartOf(report.Setup), Write(report)), cancellationToken);
    }

    private static string Write(QueriesReport report)
    {
        var setup = report.Setup;
        var page = new StringBuilder();
        MarkdownReport.AppendSurroundings(page, report.StartedAt, report.Machine, report.Server);
        page.Append(CultureInfo.InvariantCulture, $"{Figure.Count(setup.Connections)} connections of {Figure.Count(setup.Devices)} devices over {setup.Days} days, ");
        page.Append(CultureInfo.InvariantCulture, $"seed {setup.Seed}, about {setup.Repetitions} calls of each query in each way; ");
        page.AppendJoin(", ", report.DatabaseBytes.Select(size => $"{size.Key} {Figure.Megabytes(size.Value)}")).Append(" on disk.\n");
        MarkdownReport.Append(page, QueryTables.Of(report));
        return page.ToString();
    }
}
