using CobaltGraph.Benchmarks.Ingest.Methods;
using CobaltGraph.Benchmarks.Measuring;
using CobaltGraph.Model;
using Npgsql;

namespace CobaltGraph.Benchmarks.Ingest;

/// <summary>Memory of a process that makes and stores a long stream.</summary>
internal sealed record MemoryResult
{
    public required long Rows { get; init; }

    public required double Seconds { get; init; }

    public required long PeakWorkingSet { get; init; }

    public required long PeakHeap { get; init; }

    /// <summary>By how much the working set rises from a tenth of the stream to its end, on the line nearest to all readings.</summary>
    public required double WorkingSetRise { get; init; }

    /// <summary>The same of the managed heap.</summary>
    public required double HeapRise { get; init; }

    public required IReadOnlyList<MemorySample> Samples { get; init; }
}

/// <summary>Memory after so many rows.</summary>
internal sealed record MemorySample(long Rows, MemoryReading Memory);

/// <summary>Streams rows that are never held through our ingest, one writer, and watches this process's memory.</summary>
internal sealed class MemoryBenchmark(BenchmarkServer server, IngestSetup setup, Action<string> say)
{
    private const double Bound = 200_000_000;
    private const double Flat = 20_000_000;
    private const int Readings = 500;

    public async Task<MemoryResult> RunAsync(CancellationToken cancellationToken)
    {
        var source = new RowSource(RowTable.Campus, setup.Seed, setup.Devices, setup.Rows, setup.Days, setup.ReferenceTime);
        var samples = new List<MemorySample>();
        var database = await server.CreateDatabaseAsync(cancellationToken);
        try
        {
            var connection = server.ConnectionTo(database);
            await using var dataSource = NpgsqlDataSource.Create(connection);
            var site = source.CreateSite();
            await Databases.MigrateAsync(dataSource, site.From, site.To, cancellationToken);
            var cost = await Measurement.TakeAsync(
                connection, server.IsOwn,
                () => OurIngest.StoreAsync(dataSource, Watched(source.Read(site)), setup.BatchSize, writers: 1, cancellationToken),
                cancellationToken);
            await using var command = dataSource.CreateCommand("SELECT count(*) FROM connections");
            var stored = (long)(await command.ExecuteScalarAsync(cancellationToken))!;
            if (stored != setup.Rows)
                throw new BenchmarkException($"The stream stored {stored} of {setup.Rows} rows.");
            return new()
            {
                Rows = setup.Rows,
                Seconds = cost.Seconds,
                PeakWorkingSet = cost.MemoryPeak.WorkingSet,
                PeakHeap = cost.MemoryPeak.Heap,
                WorkingSetRise = Rise(samples, memory => memory.WorkingSet),
                HeapRise = Rise(samples, memory => memory.Heap),
                Samples = samples,
            };
        }
        finally
        {
            await server.DropDatabaseAsync(database);
        }

        IEnumerable<Connection> Watched(IEnumerable<Connection> rows)
        {
            var every = Math.Max(1, setup.Rows / Readings);
            var count = 0L;
            foreach (var row in rows)
            {
                if (++count % every == 0)
                    samples.Add(new(count, MemoryReading.Now()));
                if (count % 1_000_000 == 0)
                    say($"{Figure.Count(count)} rows, working set {Figure.Megabytes(samples[^1].Memory.WorkingSet)}");
                yield return row;
            }
        }
    }

    public static IEnumerable<Target> Targets(MemoryResult result) =>
    [
        new($"{Figure.Count(result.Rows)} rows streamed: peak working set, MB", Bound / 1_000_000, AtMost: true, result.PeakWorkingSet / 1_000_000.0),
        new($"{Figure.Count(result.Rows)} rows streamed: rise of the working set, MB", Flat / 1_000_000, AtMost: true, result.WorkingSetRise / 1_000_000),
    ];

    /// <summary>Least squares over all readings but the first tenth, in which pools and compiled code come to be.</summary>
    internal static double Rise(IReadOnlyList<MemorySample> samples, Func<MemoryReading, long> value)
    {
        var settled = samples.Skip(samples.Count / 10).ToList();
        if (settled.Count < 2)
            return 0;
        var meanRows = settled.Average(sample => (double)sample.Rows);
        var mean = settled.Average(sample => (double)value(sample.Memory));
        var slope = settled.Sum(sample => (sample.Rows - meanRows) * (value(sample.Memory) - mean))
            / settled.Sum(sample => (sample.Rows - meanRows) * (sample.Rows - meanRows));
        return slope * (settled[^1].Rows - settled[0].Rows);
    }
}
