namespace CobaltGraph.Benchmarks.Ingest;

/// <summary>A table of text, for the terminal and for a page.</summary>
/// <param name="Title">What it shows.</param>
/// <param name="Columns">Titles of the columns.</param>
/// <param name="Rows">The cells.</param>
/// <param name="LeftColumns">How many columns, from the first on, hold words; the others hold numbers.</param>
internal sealed record ReportTable(string Title, IReadOnlyList<string> Columns, IReadOnlyList<string[]> Rows, int LeftColumns);

/// <summary>The tables of a report.</summary>
internal static class ReportTables
{
    public static IEnumerable<ReportTable> Of(IngestReport report)
    {
        foreach (var table in report.Tables)
        {
            yield return Speed(table);
            yield return Cost(table);
        }

        foreach (var table in report.Parts)
        {
            yield return Parts(table);
            yield return Cost(table);
        }

        foreach (var growth in report.Growth)
            yield return Growth(growth);
        if (report.Memory is { } memory)
            yield return Memory(memory);
        if (report.Targets.Count > 0)
            yield return Targets(report.Targets);
    }

    private static ReportTable Speed(TableResult table)
    {
        var ours = table.Methods.FirstOrDefault(method => method.Method == "a1")?.RowsPerSecond;
        var two = table.Methods.FirstOrDefault(method => method.Method == "a2")?.RowsPerSecond;
        return new(
            $"{Figure.Of(table.Table)}: speed",
            ["", "method", "rows", "seconds", "least to most", "rows/s", "a1 ÷ it", "a2 ÷ it"],
            [
                .. table.Methods.Select(method => (string[])
                [
                    method.Method,
                    method.Title,
                    Figure.Count(method.Rows),
                    Figure.Seconds(method.Seconds.Median),
                    $"{Figure.Seconds(method.Seconds.Min)} – {Figure.Seconds(method.Seconds.Max)}",
                    Figure.Count(method.RowsPerSecond),
                    Figure.Ratio(ours / method.RowsPerSecond),
                    Figure.Ratio(two / method.RowsPerSecond),
                ]),
            ],
            LeftColumns: 2);
    }

    private static ReportTable Parts(TableResult table) => new(
        $"{Figure.Of(table.Table)}: our ingest with ever less of the schema",
        ["", "schema", "seconds", "least to most", "rows/s", "of all time", "saved", "server CPU µs saved"],
        [
            .. table.Methods.Select((method, i) => (string[])
            [
                method.Method,
                method.Title,
                Figure.Seconds(method.Seconds.Median),
                $"{Figure.Seconds(method.Seconds.Min)} – {Figure.Seconds(method.Seconds.Max)}",
                Figure.Count(method.RowsPerSecond),
                Figure.Percent(method.Seconds.Median / table.Methods[0].Seconds.Median),
                i == 0 ? "–" : Figure.Percent((table.Methods[i - 1].Seconds.Median - method.Seconds.Median) / table.Methods[0].Seconds.Median),
                i == 0 ? "–" : Figure.Micro(table.Methods[i - 1].ServerCpuSecondsPerRow - method.ServerCpuSecondsPerRow),
            ]),
        ],
        LeftColumns: 2);

    private static ReportTable Cost(TableResult table) => new(
        $"{Figure.Of(table.Table)}: what a row costs",
        [
            "", "bytes stored", "of them table", "indexes", "edges, besides", "WAL bytes", "client CPU µs", "server CPU µs", "client's share",
            "busy otherwise", "peak memory", "of it added",
        ],
        [
            .. table.Methods.Select(method => (string[])
            [
                method.Method,
                Figure.Count(method.BytesPerRow),
                Figure.Count(method.TableBytesPerRow),
                Figure.Count(method.IndexBytesPerRow),
                method.DestinationBytesPerRow > 0 ? Figure.Count(method.DestinationBytesPerRow) : "–",
                Figure.Count(method.WalBytesPerRow),
                Figure.Micro(method.ClientCpuSecondsPerRow),
                Figure.Micro(method.ServerCpuSecondsPerRow),
                Figure.Percent(method.ClientShare),
                Figure.Ratio(method.OtherProcessors),
                Figure.Megabytes(method.PeakWorkingSet),
                Figure.Megabytes(method.PeakAddedWorkingSet),
            ]),
        ],
        LeftColumns: 1);

    private static ReportTable Growth(GrowthResult growth) => new(
        $"{Figure.Of(growth.Table)}: {Figure.Count(growth.Rows)} rows by a1, by what is stored before",
        ["stored before", "seconds", "rows/s", "new pairs", "WAL bytes per row", "CPU µs per row", "busy otherwise"],
        [
            .. growth.Few.Concat(growth.Many).Select(run => (string[])
            [
                Figure.Count(run.StoredBefore),
                Figure.Seconds(run.Cost.Seconds),
                Figure.Count(growth.Rows / run.Cost.Seconds),
                Figure.Count(run.NewPairs),
                Figure.Count((double)run.Cost.WalBytes / growth.Rows),
                Figure.Micro((run.Cost.ClientCpuSeconds + run.Cost.ServerCpuSeconds) / growth.Rows),
                Figure.Ratio(run.Cost.OtherCpuSeconds / run.Cost.Seconds),
            ]),
        ],
        LeftColumns: 0);

    private static ReportTable Memory(MemoryResult memory) => new(
        $"memory while {Figure.Count(memory.Rows)} rows are made and stored by a1",
        ["", "peak", "rise after the first tenth"],
        [
            ["working set", Figure.Megabytes(memory.PeakWorkingSet), Figure.Megabytes(memory.WorkingSetRise)],
            ["managed heap", Figure.Megabytes(memory.PeakHeap), Figure.Megabytes(memory.HeapRise)],
        ],
        LeftColumns: 1);

    internal static ReportTable Targets(IReadOnlyList<Target> targets) => new(
        "targets",
        ["target", "wanted", "measured", ""],
        [
            .. targets.Select(target => (string[])
            [
                target.Name,
                $"{(target.AtMost ? "≤" : "≥")} {Figure.Ratio(target.Wanted)}",
                Figure.Ratio(target.Value),
                target.Value is null ? "not measured" : target.IsReached ? "reached" : "missed",
            ]),
        ],
        LeftColumns: 1);
}
