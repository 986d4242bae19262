using CobaltGraph.Benchmarks.Ingest;
using CobaltGraph.Benchmarks.Ingest.Methods;
using CobaltGraph.Testing;

namespace CobaltGraph.Benchmarks.Tests;

/// <summary>Every method, in a process of its own, on few rows: the schema may change, the comparison must go on.</summary>
public sealed class ComparisonTests(PostgresServerFixture server)
{
    private static readonly IngestSetup Setup = new()
    {
        Rows = 1_000,
        Rounds = 1,
        Seed = 7,
        Devices = 50,
        Days = 3,
        BatchSize = 10_000,
        ReferenceTime = new(2026, 3, 2, 12, 0, 0, TimeSpan.Zero),
    };

    [Fact]
    public async Task Every_method_stores_all_rows_and_is_compared()
    {
        var result = await RunAsync(IngestMethod.All);

        Assert.Equal(IngestMethod.All.Select(method => method.Key), result.Methods.Select(method => method.Method));
        Assert.All(result.Methods, method =>
        {
            Assert.Equal(1_000, method.Rows);
            Assert.True(method.RowsPerSecond > 0);
            Assert.True(method.WalBytesPerRow > 0);
            Assert.True(method.TableBytesPerRow > 0);
        });
        Assert.Equal(["a1", "a2", "m1", "e", "f"], result.Methods.Where(m => m.DestinationBytesPerRow > 0).Select(m => m.Method));
        Assert.Equal(["g"], result.Methods.Where(m => m.IndexBytesPerRow == 0).Select(m => m.Method));
        // All but the client's share, which a server that is not ours does not tell.
        Assert.Equal(["campus: client's share of a1"], Comparison.Targets(result).Where(t => t.Value is null).Select(t => t.Name));
    }

    [Fact]
    public async Task Every_step_takes_something_from_the_schema()
    {
        var result = await RunAsync(StrippedIngest.Series);

        Assert.Equal(["s0", "s1"], result.Methods.Where(m => m.DestinationBytesPerRow > 0).Select(m => m.Method));
        Assert.Equal(["s4", "s5"], result.Methods.Where(m => m.IndexBytesPerRow == 0).Select(m => m.Method));
        Assert.True(result.Methods[3].IndexBytesPerRow < result.Methods[2].IndexBytesPerRow);
    }

    [Fact]
    public async Task Growth_is_measured_on_the_same_rows_and_leaves_no_database()
    {
        await using var benchmark = await StartAsync();
        var setup = Setup with { Rounds = 2 };

        var result = await new GrowthBenchmark(benchmark, setup, _ => { })
            .RunAsync(RowTable.Uniform, few: 500, many: 2_000, load: 1_000, TestContext.Current.CancellationToken);

        Assert.Equal([500L, 500L], result.Few.Select(run => run.StoredBefore));
        Assert.Equal([2_000L, 3_000L], result.Many.Select(run => run.StoredBefore));
        Assert.All(result.Few.Concat(result.Many), run => Assert.InRange(run.NewPairs, 990, 1_000));
        await using var database = await server.CreateDatabaseAsync(migrated: false);
        Assert.Equal(0, await database.ScalarAsync<long>(
            "SELECT count(*) FROM pg_database WHERE starts_with(datname, 'cobaltgraph_bench_')"));
    }

    [Fact]
    public async Task Stream_is_stored_as_a_whole_while_memory_is_watched()
    {
        await using var benchmark = await StartAsync();

        var result = await new MemoryBenchmark(benchmark, Setup, _ => { }).RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal(500, result.Samples.Count);
        Assert.Equal(1_000, result.Samples[^1].Rows);
        Assert.True(result.PeakWorkingSet >= result.Samples.Max(sample => sample.Memory.Heap));
    }

    private async Task<TableResult> RunAsync(IReadOnlyList<IngestMethod> methods)
    {
        await using var benchmark = await StartAsync();
        return await new Comparison(benchmark, Setup, _ => { })
            .RunAsync(RowTable.Campus, methods, TestContext.Current.CancellationToken);
    }

    private async Task<BenchmarkServer> StartAsync() => await BenchmarkServer.StartAsync(
        await server.GetAdminConnectionStringAsync(), version: null, folder: null, new Progress<string>(),
        TestContext.Current.CancellationToken);
}
