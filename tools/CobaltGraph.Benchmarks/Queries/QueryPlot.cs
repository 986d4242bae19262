using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Legends;
using OxyPlot.Series;

namespace CobaltGraph.Benchmarks.Queries;

/// <summary>The 95th percentiles of a report as a picture, a line of marks for each query.</summary>
internal static class QueryPlot
{
    private const double RowHeight = 17;
    private const double Width = 980;

    private static readonly (string Method, string Title, MarkerType Marker, OxyColor Color)[] Methods =
    [
        ("c", "the original's tables and SQL", MarkerType.Square, OxyColor.FromRgb(0xb0, 0x5a, 0x2a)),
        ("b", "Dapper", MarkerType.Diamond, OxyColor.FromRgb(0x8a, 0x8a, 0x8a)),
        ("a", "SQL by hand", MarkerType.Triangle, OxyColor.FromRgb(0x3a, 0x3a, 0x3a)),
        ("ours", "CobaltGraph", MarkerType.Circle, OxyColor.FromRgb(0x1f, 0x5f, 0xc0)),
    ];

    /// <returns>Path of the picture.</returns>
    public static async Task<string> WriteAsync(QueriesReport report, DirectoryInfo folder, CancellationToken cancellationToken)
    {
        folder.Create();
        var file = Path.Combine(folder.FullName, $"{QueriesPage.PartOf(report.Setup)}.svg");
        await File.WriteAllTextAsync(file, Draw(report), cancellationToken);
        return file;
    }

    /// <summary>The picture as SVG.</summary>
    internal static string Draw(QueriesReport report)
    {
        // Pages that follow are as fast as the first ones; the tables show them.
        var queries = report.Queries.Where(query => !query.Query.EndsWith("next page", StringComparison.Ordinal)).Reverse().ToList();
        var model = new PlotModel
        {
            Title = $"p95 in milliseconds: {Figure.Count(report.Setup.Connections)} connections, {Figure.Count(report.Setup.Devices)} devices",
            TitleFontSize = 14,
            DefaultFont = "sans-serif",
            PlotAreaBorderThickness = new OxyThickness(0, 0, 0, 1),
            Background = OxyColors.White,
        };
        model.Legends.Add(new Legend
        {
            LegendPosition = LegendPosition.TopCenter,
            LegendPlacement = LegendPlacement.Outside,
            LegendOrientation = LegendOrientation.Horizontal,
        });
        var names = new CategoryAxis { Position = AxisPosition.Left, MajorGridlineStyle = LineStyle.Solid, MajorGridlineColor = OxyColor.FromRgb(0xec, 0xec, 0xec), IsTickCentered = true, FontSize = 11 };
        names.Labels.AddRange(queries.Select(query => query.Query));
        model.Axes.Add(names);
        model.Axes.Add(new LogarithmicAxis { Position = AxisPosition.Bottom, MajorGridlineStyle = LineStyle.Solid, MajorGridlineColor = OxyColor.FromRgb(0xdd, 0xdd, 0xdd), Title = "ms" });
        foreach (var (method, title, marker, color) in Methods)
        {
            var series = new ScatterSeries { Title = title, MarkerType = marker, MarkerFill = color, MarkerSize = 4 };
            series.Points.AddRange(queries.Select((query, i) => (Times: query.Of(method), i)).Where(point => point.Times is not null)
                .Select(point => new ScatterPoint(point.Times!.P95, point.i)));
            if (series.Points.Count > 0)
                model.Series.Add(series);
        }

        var limits = new ScatterSeries { Title = "promised", MarkerType = MarkerType.Plus, MarkerStroke = OxyColor.FromRgb(0xc0, 0x20, 0x20), MarkerSize = 5 };
        limits.Points.AddRange(queries.Select((query, i) => (query.Limit, i)).Where(point => point.Limit is not null)
            .Select(point => new ScatterPoint(point.Limit!.Value, point.i)));
        model.Series.Add(limits);
        return new SvgExporter { Width = Width, Height = 130 + queries.Count * RowHeight }.ExportToString(model) + "\n";
    }
}
