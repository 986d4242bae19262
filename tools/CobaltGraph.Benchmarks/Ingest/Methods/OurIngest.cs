using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace CobaltGraph.Benchmarks.Ingest.Methods;

/// <summary>CobaltGraph's ingest as an application calls it, every rule of the database in force.</summary>
/// <param name="writers">How many sessions store at a time.</param>
/// <param name="migration">The last migration that is applied; null for all.</param>
internal sealed class OurIngest(int writers, string? migration = null) : IngestMethod
{
    public override string Key => $"{(migration is null ? "a" : "m")}{writers}";

    public override string Title
        => $"CobaltGraph's ingest, {(writers == 1 ? "one writer" : $"{writers} writers")}{(migration is null ? "" : ", on migration 001 alone")}";

    public override string? Migration => migration;

    public override Schema Schema => Schema.CobaltGraph;

    public override Task StoreAsync(
        NpgsqlDataSource dataSource, Connection[] rows, int batchSize, CancellationToken cancellationToken)
        => StoreAsync(dataSource, rows, batchSize, writers, cancellationToken);

    /// <summary>Stores rows, which are read as they are stored.</summary>
    public static async Task StoreAsync(
        NpgsqlDataSource dataSource, IEnumerable<Connection> rows, int batchSize, int writers, CancellationToken cancellationToken)
    {
        await using var services = new ServiceCollection().AddCobaltGraph(dataSource).BuildServiceProvider();
        var options = new IngestOptions<Connection>
        {
            Source = "benchmark",
            // With a key, as a stream that may be sent again has it: the content of every batch is hashed too.
            StreamKey = batchSize == IngestOptions<Connection>.DefaultBatchSize ? $"{Guid.NewGuid():N}" : null,
            BatchSize = batchSize,
            Writers = writers,
        };
        var result = await services.GetRequiredService<IIngestService>().StoreAsync(
            rows.ToAsyncEnumerable(), options, progress: null, cancellationToken);
        if (result.Rejected > 0 || result.Duplicate > 0)
            throw new BenchmarkException($"{result.Rejected} rows were rejected and {result.Duplicate} taken for stored already.");
        if (result.Retries > 0)
            throw new BenchmarkException($"{result.Retries} attempts were repeated: the run measures the retries as well.");
    }
}
