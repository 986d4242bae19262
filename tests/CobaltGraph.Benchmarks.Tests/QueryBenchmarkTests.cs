using System.Text.Json;
using CobaltGraph.Benchmarks.Queries;
using CobaltGraph.Data.Queries.Catalogue;
using CobaltGraph.Testing;

namespace CobaltGraph.Benchmarks.Tests;

/// <summary>Every query of the catalogue in every way, on few rows: the answers are compared, the times are not looked at.</summary>
public sealed class QueryBenchmarkTests(PostgresServerFixture server)
{
    private static readonly QueriesSetup Setup = new()
    {
        Connections = 2_000,
        Devices = 40,
        Days = 5,
        Seed = 7,
        Repetitions = 1,
        ValuesPerKind = 1,
        TimePerQuery = TimeSpan.FromMinutes(1),
        ReferenceTime = new(2026, 3, 2, 12, 0, 0, TimeSpan.Zero),
    };

    [Fact]
    public async Task All_queries_give_the_same_rows_in_every_way_and_are_reported()
    {
        await using var benchmark = await BenchmarkServer.StartAsync(
            await server.GetAdminConnectionStringAsync(), version: null, folder: null, new Progress<string>(),
            TestContext.Current.CancellationToken);

        var report = await QueriesCommand.RunAsync(
            benchmark, Setup, only: [], withOriginal: true, keep: false, few: null, Setup.ReferenceTime, _ => { },
            TestContext.Current.CancellationToken);

        Assert.All(Enum.GetValues<QueryKind>(), kind => Assert.Contains(report.Queries, query => query.Kind == kind));
        Assert.All(
            report.Queries.Where(query => query.Kind is not (QueryKind.DeviceList or QueryKind.Other)),
            query => Assert.NotNull(query.Of("a")));
        Assert.All(
            report.Queries.Where(query => query.Kind is
                QueryKind.Search or QueryKind.Text or QueryKind.TextOfDay or QueryKind.Pair or QueryKind.PairOfDay or QueryKind.Summary),
            query => Assert.Equal(["a", "b", "c", "ours"], query.Methods.Select(times => times.Method).Order(StringComparer.Ordinal)));
        Assert.DoesNotContain(QueryTables.Targets(report.Queries, report.Queries), target => target.Value is null);
        Assert.Equal(report.Queries.Count, QueryTables.Of(report).SkipLast(1).Sum(table => table.Rows.Count));
        Assert.Contains("<svg", QueryPlot.Draw(report), StringComparison.Ordinal);
        var read = JsonSerializer.Deserialize<QueriesReport>(JsonSerializer.Serialize(report, Json.Readable), Json.Readable)!;
        Assert.Equal(report.Queries.Select(query => query.Of("ours")!.P95), read.Queries.Select(query => query.Of("ours")!.P95));
    }

    [Fact]
    public void Percentile_is_the_least_time_that_so_many_calls_do_not_exceed()
        => Assert.Equal(new Latency(20, 10, 19, 20, 20), Latency.Of([.. Enumerable.Range(1, 20).Select(i => (double)i)]));
}
