using CobaltGraph.Data.Ingest;
using CobaltGraph.Reliability.Workloads;

namespace CobaltGraph.Reliability.Tests.Ingest;

public sealed class SameKeyTests(DurableServer server) : IngestTest(server)
{
    [Fact]
    public async Task Same_key_with_other_content_is_a_conflict_and_stores_nothing()
    {
        var workload = new Workload(Seed.Random("same key"));
        var (first, other) = (workload.Batch("first", 100), workload.Batch("other", 100));
        await using var host = new IngestHost(ConnectionString);
        await host.Ingest.StoreBatchAsync("sensor", "1", first, Cancel);

        var conflict = await Assert.ThrowsAsync<BatchConflictException>(() => host.Ingest.StoreBatchAsync("sensor", "1", other, Cancel));

        Assert.Equal(("sensor", "1", false), (conflict.BatchSource, conflict.BatchKey, conflict.IsOutcomeUnknown));
        var again = await host.Ingest.StoreBatchAsync("sensor", "1", first, Cancel);
        Assert.Equal((0, 100), (again.Stored, again.Duplicate));
        Assert.Equal(100, await Direct.ScalarAsync<long>("SELECT count(*) FROM connections"));
        Assert.Empty((await AuditAsync()).Findings);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(50)]
    [InlineData(99)]
    public async Task One_row_that_differs_is_other_content(int changed)
    {
        var rows = new Workload(Seed.Random("one row")).Batch("one", 100);
        await using var host = new IngestHost(ConnectionString);
        await host.Ingest.StoreBatchAsync("sensor", "1", rows, Cancel);

        rows[changed].DstPort ^= 1;

        await Assert.ThrowsAsync<BatchConflictException>(() => host.Ingest.StoreBatchAsync("sensor", "1", rows, Cancel));
    }

    [Fact]
    public async Task Same_key_of_two_sources_is_two_batches()
    {
        var workload = new Workload(Seed.Random("two sources"));
        await using var host = new IngestHost(ConnectionString);

        Assert.Equal(10, (await host.Ingest.StoreBatchAsync("a", "1", workload.Batch("a", 10), Cancel)).Stored);
        Assert.Equal(10, (await host.Ingest.StoreBatchAsync("b", "1", workload.Batch("b", 10), Cancel)).Stored);
    }

    // Both at once, from two processes' worth of services: one stores, the other learns of it.
    [Fact]
    public async Task Batch_delivered_by_several_at_once_is_stored_by_one()
    {
        var rows = new Workload(Seed.Random("at once")).Batch("once", 500);
        await using var one = new IngestHost(ConnectionString);
        await using var two = new IngestHost(ConnectionString);

        for (var round = 0; round < 10; round++)
        {
            var results = await Task.WhenAll(new[] { one, two, one, two }.Select(host => Task.Run(
                () => host.Ingest.StoreBatchAsync("sensor", $"{round}", Renamed(rows, round), Cancel), Cancel)));

            Assert.Equal((500, 1500), (results.Sum(r => r.Stored), results.Sum(r => r.Duplicate)));
            Assert.Single(results, r => r.Stored == 500);
        }

        Assert.Equal(5000, await Direct.ScalarAsync<long>("SELECT count(DISTINCT metadata->>'uid') FROM connections"));
        Assert.Empty((await AuditAsync()).Findings);
    }

    private static List<Model.Connection> Renamed(IReadOnlyList<Model.Connection> rows, int round)
        => [.. rows.Select((row, i) => new Model.Connection
        {
            Timestamp = row.Timestamp, SrcMac = row.SrcMac, DstIp = row.DstIp, DstPort = row.DstPort, ThreatScore = row.ThreatScore,
            Metadata = new() { Uid = $"{round}/{i}" },
        })];
}
