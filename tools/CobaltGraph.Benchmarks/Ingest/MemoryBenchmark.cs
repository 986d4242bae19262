using CobaltGraph.Benchmarks.Measuring;
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

/// <summary>Lets a process of its own stream rows through our ingest, one writer, and watch its memory.</summary>
internal sealed class MemoryBenchmark(BenchmarkServer server, IngestSetup setup, Action<string> say)
{
    private const double Bound = 200_000_000;
    private const double Flat = 20_000_000;

    public async Task<MemoryResult> RunAsync(CancellationToken cancellationToken)
    {
        var source = new RowSource(RowTable.Campus, setup.Seed, setup.Devices, setup.Rows, setup.Days, setup.ReferenceTime);
        var database = await server.CreateDatabaseAsync(cancellationToken);
        try
        {
            // Here, for an application that stores connections does not migrate.
            var connection = server.ConnectionTo(database);
            await using var dataSource = NpgsqlDataSource.Create(connection);
            var site = source.CreateSite();
            await Databases.MigrateAsync(dataSource, site.From, site.To, cancellationToken);
            var result = await RunProcess.RunAsync<MemoryOrder, MemoryResult>(
                RunProcess.MemoryVerb, new(source, setup.BatchSize, connection, server.IsOwn), $"The stream of {setup.Rows} rows", say,
                cancellationToken);
            await using var command = dataSource.CreateCommand("SELECT count(*) FROM connections");
            var stored = (long)(await command.ExecuteScalarAsync(cancellationToken))!;
            return stored == setup.Rows ? result : throw new BenchmarkException($"The stream stored {stored} of {setup.Rows} rows.");
        }
        finally
        {
            await server.DropDatabaseAsync(database);
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
