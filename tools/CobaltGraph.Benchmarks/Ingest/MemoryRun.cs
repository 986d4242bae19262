using System.Text.Json;
using CobaltGraph.Benchmarks.Ingest.Methods;
using CobaltGraph.Benchmarks.Measuring;
using CobaltGraph.Model;
using Npgsql;

namespace CobaltGraph.Benchmarks.Ingest;

/// <summary>A stream for a process of its own.</summary>
/// <param name="Source">The rows.</param>
/// <param name="BatchSize">Rows of a batch.</param>
/// <param name="Connection">A migrated database.</param>
/// <param name="ReadServerCpu">Whether the server's processor time can be read.</param>
internal sealed record MemoryOrder(RowSource Source, int BatchSize, string Connection, bool ReadServerCpu);

/// <summary>Streams rows that are never held through our ingest, and watches this process's memory.</summary>
internal static class MemoryRun
{
    private const int Readings = 500;

    public static async Task ServeAsync(TextReader input, TextWriter output, Action<string> say, CancellationToken cancellationToken)
    {
        var order = JsonSerializer.Deserialize<MemoryOrder>(await input.ReadToEndAsync(cancellationToken), Json.Compact)!;
        var samples = new List<MemorySample>();
        await using var dataSource = NpgsqlDataSource.Create(order.Connection);
        var site = order.Source.CreateSite();
        var cost = await Measurement.TakeAsync(
            order.Connection, order.ReadServerCpu,
            () => OurIngest.StoreAsync(dataSource, Watched(order.Source.Read(site)), order.BatchSize, writers: 1, cancellationToken),
            cancellationToken);
        var result = new MemoryResult
        {
            Rows = order.Source.Rows,
            Seconds = cost.Seconds,
            PeakWorkingSet = cost.MemoryPeak.WorkingSet,
            PeakHeap = cost.MemoryPeak.Heap,
            WorkingSetRise = MemoryBenchmark.Rise(samples, memory => memory.WorkingSet),
            HeapRise = MemoryBenchmark.Rise(samples, memory => memory.Heap),
            Samples = samples,
        };
        await output.WriteLineAsync(JsonSerializer.Serialize(result, Json.Compact));

        IEnumerable<Connection> Watched(IEnumerable<Connection> rows)
        {
            var every = Math.Max(1, order.Source.Rows / Readings);
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
}
