using System.Globalization;
using System.Text;
using CobaltGraph.Benchmarks.Ingest;

namespace CobaltGraph.Benchmarks.Queries;

/// <summary>The report in a page, one part for each number of connections and devices.</summary>
internal static class QueriesPage
{
    /// <summary>Name of a part, of its marks and of its plot.</summary>
    public static string PartOf(QueriesSetup setup) => string.Create(CultureInfo.InvariantCulture, $"{(setup.OnlyPairs ? "pairs" : "queries")}-{setup.Connections}-{setup.Devices}");

    /// <param name="report">What was measured.</param>
    /// <param name="page">The page.</param>
    /// <param name="plot">Path of the picture; null without one.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task WriteAsync(QueriesReport report, FileInfo page, string? plot, CancellationToken cancellationToken)
    {
        var text = page.Exists ? await File.ReadAllTextAsync(page.FullName, cancellationToken) : "";
        page.Directory?.Create();
        await File.WriteAllTextAsync(page.FullName, MarkdownReport.Replace(text, PartOf(report.Setup), Write(report, Link(page, plot))), cancellationToken);
    }

    private static string Write(QueriesReport report, string? picture)
    {
        var setup = report.Setup;
        var page = new StringBuilder();
        MarkdownReport.AppendSurroundings(page, report.StartedAt, report.Machine, report.Server);
        page.Append(CultureInfo.InvariantCulture, $"{Figure.Count(setup.Connections)} connections of {Figure.Count(setup.Devices)} devices over {setup.Days} days, ");
        page.Append(CultureInfo.InvariantCulture, $"seed {setup.Seed}, about {setup.Repetitions} calls of each query in each way; ");
        page.AppendJoin(", ", report.DatabaseBytes.Select(size => $"{size.Key} {Figure.Megabytes(size.Value)}")).Append(" on disk.\n");
        if (picture is not null)
            page.Append(CultureInfo.InvariantCulture, $"\n![p95 of each query]({picture})\n");
        MarkdownReport.Append(page, QueryTables.Of(report));
        return page.ToString();
    }

    private static string? Link(FileInfo page, string? plot)
        => plot is null ? null : Path.GetRelativePath(page.DirectoryName!, plot).Replace('\\', '/');
}
