using CobaltGraph.Model;
using CobaltGraph.Reliability.Audit;
using CobaltGraph.Reliability.Results;
using CobaltGraph.Reliability.Workloads;
using CobaltGraph.Testing;

namespace CobaltGraph.Reliability.Tests.Ingest;

// RELIABILITY row 6. On the shared server without fsync: nothing is killed here, and each seed needs a database.
public sealed class AnyOrderTests(PostgresServerFixture server)
{
    private const int MaxWriters = 4;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rows_in_any_order_split_and_repetition_leave_the_contents_that_the_model_says()
    {
        var seeds = RunSize.Pick(10, 200);
        var findings = new List<string>();
        var (deliveries, repeated, concurrent) = (0, 0, 0);
        for (var i = 0; i < seeds; i++)
        {
            var seed = unchecked(Seed.Value + i);
            var plan = Plan.Of(seed);
            await using var database = await server.CreateDatabaseAsync();
            await using (var host = new IngestHost(database.ConnectionString))
                await plan.DeliverAsync(host, Cancel);
            deliveries += plan.Deliveries;
            repeated += plan.Repeated;
            concurrent += plan.Writers > 1 ? 1 : 0;

            var model = new NetworkModel();
            model.Add(plan.Rows);
            var (expected, contents) = (model.Contents(), await DatabaseContents.ReadAsync(database.DataSource, Cancel));
            if (expected.Hash() != contents.Hash())
                findings.Add($"seed {seed}: {plan.Writers} writers, {plan.Deliveries} deliveries\n{expected.DifferenceFrom(contents)}");
            var audit = await DatabaseAudit.RunAsync(database.DataSource, everyRowByLedger: true, indexes: false, Cancel);
            findings.AddRange(audit.Findings.Select(finding => $"seed {seed}: {finding}"));
        }

        Report.Put(new(
            "6. same rows in any order, split, repetition and number of writers", $"{seeds} seeds, {deliveries} batches delivered",
            $"{repeated} batches delivered again, {concurrent} seeds with several writers", 0, 0, 0, findings.Count)
        {
            ServerVersion = (await server.GetVersionAsync()).ToString(2),
        });
        Assert.Empty(findings);
        Assert.True(repeated > 0 && concurrent > 0);
    }

    // What the test above is worth.
    [Fact]
    public async Task One_row_that_is_stored_otherwise_is_seen()
    {
        var plan = Plan.Of(Seed.Value);
        await using var database = await server.CreateDatabaseAsync();
        await using (var host = new IngestHost(database.ConnectionString))
            await plan.DeliverAsync(host, Cancel);
        var model = new NetworkModel();
        model.Add(plan.Rows.Skip(1));

        Assert.NotEqual(model.Contents().Hash(), (await DatabaseContents.ReadAsync(database.DataSource, Cancel)).Hash());
    }

    /// <summary>The same rows for everybody who has the seed, and who delivers which of them when.</summary>
    private sealed class Plan
    {
        private readonly List<(string Key, IReadOnlyList<Connection> Rows)>[] _writers;

        private Plan(IReadOnlyList<Connection> rows, List<(string Key, IReadOnlyList<Connection> Rows)>[] writers, int repeated)
        {
            Rows = rows;
            Repeated = repeated;
            _writers = writers;
        }

        public IReadOnlyList<Connection> Rows { get; }

        public int Writers => _writers.Length;

        public int Deliveries => _writers.Sum(w => w.Count);

        public int Repeated { get; }

        public static Plan Of(int seed)
        {
            var rows = new Workload(Seed.Random("any order, rows", seed), new() { Devices = 20, Destinations = 10, Threats = 0.1 }).Batch("r", 400);
            var random = Seed.Random("any order, plan", seed);
            var order = rows.ToArray();
            random.Shuffle(order);

            var batches = new List<(string Key, IReadOnlyList<Connection> Rows)>();
            var largest = random.Next(4) switch { 0 => 1 + random.Next(10), 1 => order.Length, _ => 1 + random.Next(120) };
            for (var from = 0; from < order.Length;)
            {
                var count = Math.Min(1 + random.Next(largest), order.Length - from);
                batches.Add(($"batch {batches.Count}", order[from..(from + count)]));
                from += count;
            }

            // Every batch by somebody, and some of them again: by the same writer or by another at the same time.
            var writers = Enumerable.Range(0, 1 + random.Next(MaxWriters)).Select(_ => new List<(string Key, IReadOnlyList<Connection> Rows)>()).ToArray();
            var repeated = 0;
            foreach (var batch in batches)
            {
                var times = random.Next(5) == 0 ? 2 + random.Next(2) : 1;
                repeated += times - 1;
                for (var n = 0; n < times; n++)
                    writers[random.Next(writers.Length)].Add(batch);
            }

            return new Plan(rows, writers, repeated);
        }

        public async Task DeliverAsync(IngestHost host, CancellationToken cancellationToken)
        {
            var results = await Task.WhenAll(_writers.Select(batches => Task.Run(async () =>
            {
                long stored = 0;
                foreach (var (key, rows) in batches)
                    stored += (await host.Ingest.StoreBatchAsync("any order", key, rows, cancellationToken)).Stored;
                return stored;
            }, cancellationToken)));
            Assert.Equal(Rows.Count, results.Sum());
        }
    }
}
