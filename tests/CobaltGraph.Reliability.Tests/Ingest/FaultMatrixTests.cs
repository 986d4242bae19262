using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;
using CobaltGraph.Reliability.Proxy;
using CobaltGraph.Reliability.Workloads;

namespace CobaltGraph.Reliability.Tests.Ingest;

// RELIABILITY row 3 and trap 1: the connection breaks at each point of a batch of connections, in each way.
public sealed class FaultMatrixTests(DurableServer server) : IngestTest(server)
{
    private const string Source = "matrix";
    private const int Rows = 300, DevicesOfCase = 10, DestinationsOfCase = 30;

    [Fact]
    public async Task Connection_broken_at_each_point_of_a_batch_stores_it_once()
    {
        var runs = new FaultRuns(Server, ConnectionString);
        var driver = new OracleDriver(Oracle);
        var clean = new Workload(Seed.Random("matrix"), new() { FirstDevice = 1_000_000, Devices = DevicesOfCase }).Batch("clean", Rows);
        var trace = await runs.TraceAsync(async ingest => Assert.Null(await TryAsync(ingest, "clean", clean, FaultRuns.Long, 1, Cancel)));
        var cases = FaultCase.Of(Points(trace)).ToList();
        Assert.True(cases.Count >= 120, $"There are only {cases.Count} cases.");
        var batches = cases.ToDictionary(c => c, c => new Workload(
            Seed.Random($"matrix {c.Number}"),
            // Devices and destinations of its own: a session that is left behind must hold up nobody else's batch.
            new()
            {
                FirstDevice = c.Number * DevicesOfCase,
                Devices = DevicesOfCase,
                FirstDestination = c.Number * DestinationsOfCase,
                Destinations = DestinationsOfCase,
            }).Batch(c.Batch, Rows));

        await runs.RunAsync(
            cases, (ingest, c, timeout, attempts, ct) => TryAsync(ingest, c.Batch, batches[c], timeout, attempts, ct), Cancel);

        // What was said so far must hold before anything is tried again.
        await SessionsEndAsync();
        var before = await JudgeAsync();

        var gaveUp = 0;
        await using (var host = new IngestHost(ConnectionString))
        {
            foreach (var c in cases)
                gaveUp += await TryAsync(host.Ingest, c.Batch, batches[c], FaultRuns.Long, 1, Cancel) is null ? 0 : 1;
        }

        var after = await JudgeAsync();
        var audit = await AuditAsync();
        Report.Put(new(
            "3. connection broken at a point of the batch", $"{cases.Count} cases, {cases.Select(c => c.Point).Distinct().Count()} points",
            $"{runs.FiredText}; {before.OnceUnknown} outcomes unknown, {driver.Retries} attempts repeated",
            before.Lost + after.Lost, before.Duplicate + after.Duplicate, gaveUp,
            runs.Findings.Count + before.Findings.Count + after.Findings.Count + audit.Findings.Count)
        {
            ServerVersion = Server.Version,
        });
        Assert.True(runs.Findings.IsEmpty, string.Join(Environment.NewLine, runs.Findings));
        Assert.Empty(before.Findings);
        Assert.Empty(after.Findings);
        Assert.Empty(audit.Findings);
        // And the clean one.
        Assert.Equal(cases.Count + 1, after.Acknowledged);
        Assert.Equal((long)(cases.Count + 1) * Rows, audit.Connections);
        Assert.True(before.OnceUnknown > 0, "No outcome was ever unknown.");
        Assert.Equal(cases.Count, runs.Fired.Values.Sum());

        Task<IngestException?> TryAsync(
            IIngestService ingest, string batch, IReadOnlyList<Connection> rows, TimeSpan timeout, int attempts, CancellationToken cancellationToken)
            => driver.TryAsync(
                batch, rows,
                ct => ingest.StoreAsync(
                    rows.ToAsyncEnumerable(),
                    new()
                    {
                        Source = Source,
                        StreamKey = batch,
                        Retry = new() { MaxAttempts = attempts, FirstDelay = TimeSpan.FromMilliseconds(20), AttemptTimeout = timeout },
                    },
                    cancellationToken: ct),
                cancellationToken);
    }

    private static IEnumerable<FaultPoint> Points(TraceReader trace)
    {
        const Direction Up = Direction.ToServer, Down = Direction.ToClient;
        var claim = trace.First(0, Up, m => m.Type is 'P' or 'Q' && m.Contains("ingest_batches"));
        var copy = trace.First(claim, Up, m => m.Type is 'P' or 'Q' && m.Contains("COPY"));
        var commit = trace.First(copy, Up, m => m.Type is 'P' or 'Q' && m.Contains("COMMIT"));
        var data = trace.Places(m => m is { Direction: Up, Type: 'd' });
        Assert.True(data.Count >= 3, $"There are only {data.Count} messages of data.");

        yield return trace.At("startup", trace.First(0, Up, m => m.Type == ProxyMessage.Startup));
        yield return trace.At("ledger insert", claim, "ingest_batches");
        yield return trace.At("ledger answer", trace.First(claim, Down, m => m.Type == 'C' && m.Contains("INSERT")), "INSERT");
        yield return trace.At("COPY", copy, "COPY");
        yield return trace.At("leave to copy", trace.First(copy, Down, m => m.Type == 'G'));
        yield return trace.At("first data", data[0]);
        yield return trace.At("middle data", data[data.Count / 2]);
        yield return trace.At("last data", data[^1]);
        yield return trace.At("COPY end", trace.First(copy, Up, m => m.Type == 'c'));
        yield return trace.At("COPY answer", trace.First(copy, Down, m => m.Type == 'C' && m.Contains("COPY")), "COPY");
        yield return trace.At("COMMIT", commit, "COMMIT");
        yield return trace.At("COMMIT answer", trace.First(commit, Down, m => m.Type == 'C' && m.Contains("COMMIT")), "COMMIT");
        yield return trace.At("ready after COMMIT", trace.First(commit, Down, m => m.Type == 'Z'));
    }
}
