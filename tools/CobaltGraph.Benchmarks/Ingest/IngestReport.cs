using CobaltGraph.Benchmarks.Measuring;

namespace CobaltGraph.Benchmarks.Ingest;

/// <summary>What <c>--json</c> holds. Times are seconds, sizes bytes.</summary>
internal sealed record IngestReport
{
    /// <summary>Name and version of these keys.</summary>
    public string Schema { get; init; } = "cobaltgraph.benchmark.ingest/1";

    public required DateTimeOffset StartedAt { get; init; }

    public required MachineDescription Machine { get; init; }

    public required ServerDescription Server { get; init; }

    public required IngestSetup Setup { get; init; }

    /// <summary>The methods side by side, one entry for each kind of rows.</summary>
    public IReadOnlyList<TableResult> Tables { get; init; } = [];

    /// <summary>Our ingest with ever less of the schema, one entry for each kind of rows.</summary>
    public IReadOnlyList<TableResult> Parts { get; init; } = [];

    public IReadOnlyList<GrowthResult> Growth { get; init; } = [];

    public MemoryResult? Memory { get; init; }

    public IReadOnlyList<Target> Targets { get; init; } = [];
}

/// <summary>What was asked for.</summary>
internal sealed record IngestSetup
{
    public required int Rows { get; init; }

    public required int Rounds { get; init; }

    public required long Seed { get; init; }

    public required int Devices { get; init; }

    public required int Days { get; init; }

    public required int BatchSize { get; init; }

    /// <summary>The time of the last row.</summary>
    public required DateTimeOffset ReferenceTime { get; init; }
}

/// <summary>All methods on one kind of rows.</summary>
internal sealed record TableResult(RowTable Table, IReadOnlyList<MethodResult> Methods);

/// <summary>A method's runs, and their middle.</summary>
internal sealed record MethodResult
{
    public required string Method { get; init; }

    public required string Title { get; init; }

    public required int Rows { get; init; }

    public required Statistic Seconds { get; init; }

    /// <summary>At the median of the times.</summary>
    public required double RowsPerSecond { get; init; }

    public required double ClientCpuSecondsPerRow { get; init; }

    public required double? ServerCpuSecondsPerRow { get; init; }

    /// <summary>Processor time of the client as a share of client and server; null when the server's cannot be read.</summary>
    public required double? ClientShare { get; init; }

    /// <summary>Processor time of the client as a share of the time that passed; above 1 with several busy threads.</summary>
    public required double ClientShareOfTime { get; init; }

    /// <summary>Processors that other work kept busy, the server's background work in it: high, and the times say little.</summary>
    public required double? OtherProcessors { get; init; }

    /// <summary>The highest working set of all rounds, the rows in it.</summary>
    public required long PeakWorkingSet { get; init; }

    /// <summary>How far the working set rose above what it was before the run, the rows in memory; the highest of all rounds.</summary>
    public required long PeakAddedWorkingSet { get; init; }

    public required double WalBytesPerRow { get; init; }

    /// <summary>Of connections, with all its indexes.</summary>
    public required double BytesPerRow { get; init; }

    public required double TableBytesPerRow { get; init; }

    public required double IndexBytesPerRow { get; init; }

    /// <summary>Of device_destinations, which only our schema has.</summary>
    public required double DestinationBytesPerRow { get; init; }

    public required IReadOnlyList<RunResult> Runs { get; init; }

    public static MethodResult Of(string method, string title, int rows, IReadOnlyList<RunResult> runs)
    {
        var seconds = Statistic.Of(runs.Select(run => run.Cost.Seconds));
        var table = Statistic.Of(runs.Select(run => (double)run.Stored.Table)).Median / rows;
        var indexes = Statistic.Of(runs.Select(run => (double)run.Stored.Indexes)).Median / rows;
        var hasServerCpu = runs.All(run => run.Cost.ServerCpuSeconds is not null);
        return new()
        {
            Method = method,
            Title = title,
            Rows = rows,
            Seconds = seconds,
            RowsPerSecond = rows / seconds.Median,
            ClientCpuSecondsPerRow = Statistic.Of(runs.Select(run => run.Cost.ClientCpuSeconds)).Median / rows,
            ServerCpuSecondsPerRow = hasServerCpu
                ? Statistic.Of(runs.Select(run => run.Cost.ServerCpuSeconds!.Value)).Median / rows
                : null,
            ClientShare = hasServerCpu
                ? Statistic.Of(runs.Select(run =>
                    run.Cost.ClientCpuSeconds / (run.Cost.ClientCpuSeconds + run.Cost.ServerCpuSeconds!.Value))).Median
                : null,
            ClientShareOfTime = Statistic.Of(runs.Select(run => run.Cost.ClientCpuSeconds / run.Cost.Seconds)).Median,
            OtherProcessors = hasServerCpu
                ? Statistic.Of(runs.Select(run => run.Cost.OtherCpuSeconds!.Value / run.Cost.Seconds)).Median
                : null,
            PeakWorkingSet = runs.Max(run => run.Cost.MemoryPeak.WorkingSet),
            PeakAddedWorkingSet = runs.Max(run => run.Cost.MemoryPeak.WorkingSet - run.Cost.MemoryBefore.WorkingSet),
            WalBytesPerRow = Statistic.Of(runs.Select(run => (double)run.Cost.WalBytes)).Median / rows,
            BytesPerRow = table + indexes,
            TableBytesPerRow = table,
            IndexBytesPerRow = indexes,
            DestinationBytesPerRow = Statistic.Of(runs.Select(run => (double)run.Stored.Destinations)).Median / rows,
            Runs = runs,
        };
    }
}

/// <summary>The middle and the ends of several values.</summary>
internal readonly record struct Statistic(double Median, double Min, double Max)
{
    public static Statistic Of(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        var middle = sorted.Length / 2;
        return new(
            sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2, sorted[0], sorted[^1]);
    }
}

/// <summary>A number to reach.</summary>
/// <param name="Name">What it is, and of which rows.</param>
/// <param name="Wanted">The number that must be reached.</param>
/// <param name="AtMost">Whether it is a most; otherwise a least.</param>
/// <param name="Value">What was measured; null when it was not.</param>
internal sealed record Target(string Name, double Wanted, bool AtMost, double? Value)
{
    /// <summary>What was not measured is not reached.</summary>
    public bool IsReached => Value is { } value && (AtMost ? value <= Wanted : value >= Wanted);
}
