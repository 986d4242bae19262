using CobaltGraph.Benchmarks.Ingest;
using CobaltGraph.Data.Queries.Catalogue;

namespace CobaltGraph.Benchmarks.Queries;

/// <summary>The tables and targets of a report on queries.</summary>
internal static class QueryTables
{
    private const double MostTime = 1.2;
    private const double MostAllocated = 2;
    private const double LeastSummaryGain = 50;
    private const double MostGrowth = 2;

    public static IEnumerable<ReportTable> Of(QueriesReport report)
    {
        foreach (var kind in report.Queries.GroupBy(query => query.Kind))
            yield return Times(kind.Key, [.. kind]);
        if (report.Targets.Count > 0)
            yield return ReportTables.Targets(report.Targets);
    }

    /// <summary>What is to be reached, and what was.</summary>
    /// <param name="queries">The queries.</param>
    /// <param name="baseline">The same with few rows stored; null when it was not given.</param>
    public static IEnumerable<Target> Targets(IReadOnlyList<QueryResult> queries, IReadOnlyList<QueryResult>? baseline)
    {
        // Of pairs alone nothing else is missing.
        var kinds = queries.All(query => query.Kind is QueryKind.Pair or QueryKind.PairOfDay)
            ? [QueryKind.Pair, QueryKind.PairOfDay] : Enum.GetValues<QueryKind>();
        foreach (var kind in kinds.Where(kind => QueryResult.LimitOf(kind) is not null))
        {
            var slowest = queries.Where(query => query.Kind == kind).MaxBy(query => query.Of("ours")!.P95);
            yield return new(
                $"{TitleOf(kind)}: p95 in ms{Named(slowest)}", QueryResult.LimitOf(kind)!.Value, AtMost: true, slowest?.Of("ours")!.P95);
        }

        var compared = queries.Where(query => query.Of("a") is not null).ToList();
        foreach (var kind in compared.GroupBy(query => query.Kind))
        {
            yield return new(
                $"{TitleOf(kind.Key)}: time of ours ÷ a, all together", MostTime, AtMost: true,
                kind.Sum(query => query.Of("ours")!.Medians) / kind.Sum(query => query.Of("a")!.Medians));
        }

        if (compared.Count == 0)
            yield break;
        var greediest = compared.MaxBy(query => query.Of("ours")!.AllocatedBytes / query.Of("a")!.AllocatedBytes);
        yield return new(
            $"allocated by ours ÷ a{Named(greediest)}", MostAllocated, AtMost: true,
            greediest?.Of("ours")!.AllocatedBytes / greediest?.Of("a")!.AllocatedBytes);
        var summary = queries.FirstOrDefault(query => query.Kind == QueryKind.Summary);
        yield return new(
            "device summary: time of c ÷ ours", LeastSummaryGain, AtMost: false,
            summary?.Of("c")?.Medians / summary?.Of("ours")!.Medians);
        if (baseline is null)
            yield break;

        var of = baseline.ToDictionary(query => query.Query);
        var grown = queries.Where(query => query.Kind is QueryKind.DeviceList or QueryKind.Search && of.ContainsKey(query.Query))
            .MaxBy(query => query.Of("ours")!.P95 / of[query.Query].Of("ours")!.P95);
        yield return new(
            $"p95 ÷ p95 with few rows stored{Named(grown)}", MostGrowth, AtMost: true,
            grown is null ? null : grown.Of("ours")!.P95 / of[grown.Query].Of("ours")!.P95);

        static string Named(QueryResult? query) => query is null ? "" : $", most: {query.Query}";
    }

    private static ReportTable Times(QueryKind kind, List<QueryResult> queries) => new(
        QueryResult.LimitOf(kind) is { } limit ? $"{TitleOf(kind)}: p95 at most {limit} ms" : $"{TitleOf(kind)}",
        ["query", "rows", "p50 ms", "p95 ms", "p99 ms", "", "a: p95", "ours ÷ a", "b: p95", "c: p95", "c ÷ ours", "kB", "kB ÷ a"],
        [.. queries.Select(Row)],
        LeftColumns: 1);

    private static string[] Row(QueryResult query)
    {
        var (ours, a, b, c) = (query.Of("ours")!, query.Of("a"), query.Of("b"), query.Of("c"));
        return
        [
            query.Query,
            query.LeastRows == query.MostRows ? Figure.Count(query.MostRows) : $"{Figure.Count(query.LeastRows)}–{Figure.Count(query.MostRows)}",
            Figure.Milliseconds(ours.All.P50),
            Figure.Milliseconds(ours.P95),
            Figure.Milliseconds(ours.All.P99),
            query.Limit is not { } limit ? "" : ours.P95 <= limit ? "reached" : "missed",
            Figure.Milliseconds(a?.P95),
            Figure.Ratio(ours.Medians / a?.Medians),
            Figure.Milliseconds(b?.P95),
            c is { TimedOut: true } ? "> 10 s" : Figure.Milliseconds(c?.P95),
            Figure.Ratio(c?.Medians / ours.Medians),
            Figure.Kilobytes(ours.AllocatedBytes),
            Figure.Ratio(ours.AllocatedBytes / a?.AllocatedBytes),
        ];
    }

    private static string TitleOf(QueryKind kind) => kind switch
    {
        QueryKind.DeviceList => "device list",
        QueryKind.Search => "connections by one condition",
        QueryKind.Text => "connections by text or metadata over everything",
        QueryKind.TextOfDay => "connections by text or metadata within a day",
        QueryKind.Pair => "connections by two conditions over everything",
        QueryKind.PairOfDay => "connections by two conditions within a day",
        QueryKind.Detail => "device detail",
        QueryKind.Summary => "device summary",
        QueryKind.Holder => "who had an address",
        _ => "other queries",
    };
}
