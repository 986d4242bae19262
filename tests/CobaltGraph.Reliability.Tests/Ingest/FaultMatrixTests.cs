using System.Collections.Concurrent;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;
using CobaltGraph.Reliability.Proxy;
using CobaltGraph.Reliability.Workloads;
using Npgsql;

namespace CobaltGraph.Reliability.Tests.Ingest;

// RELIABILITY row 3 and trap 1: the connection breaks at each point of a batch, in each way.
public sealed class FaultMatrixTests(DurableServer server) : IngestTest(server)
{
    private const string Source = "matrix";
    private const int Rows = 300, DevicesOfCase = 10, AtOnce = 4;

    private static readonly TimeSpan Short = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(20);

    /// <summary>A message of a clean batch.</summary>
    /// <param name="Name">What it is.</param>
    /// <param name="Direction">Which way it goes.</param>
    /// <param name="Type">Its type.</param>
    /// <param name="Nth">Which of that direction and type, from the opening of the connection.</param>
    /// <param name="Text">What it says, to be sure that the fault met this one.</param>
    private sealed record Point(string Name, Direction Direction, char Type, int Nth, string? Text);

    /// <param name="Number">From 0.</param>
    /// <param name="Point">Where.</param>
    /// <param name="Mode">What.</param>
    /// <param name="Moment">On which side.</param>
    /// <param name="Patient">Whether the service tries again by itself, or gives up and the caller comes again.</param>
    private sealed record Case(int Number, Point Point, FaultMode Mode, FaultMoment Moment, bool Patient)
    {
        public string Name => $"{Number} {Mode} {Moment} {Point.Name}, {(Patient ? "patient" : "one attempt")}";

        public FaultRule Rule => new()
        {
            Direction = Point.Direction, Type = Point.Type, Nth = Point.Nth, Moment = Moment, Mode = Mode,
        };
    }

    [Fact]
    public async Task Connection_broken_at_each_point_of_a_batch_stores_it_once()
    {
        var cases = Cases(await TraceAsync()).ToList();
        Assert.True(cases.Count >= 120, $"There are only {cases.Count} cases.");
        var batches = cases.ToDictionary(c => c, c => new Workload(
            Seed.Random($"matrix {c.Number}"),
            // Devices of its own: a session that is left behind must hold up nobody else's batch.
            new() { FirstDevice = c.Number * DevicesOfCase, Devices = DevicesOfCase }).Batch($"case-{c.Number}", Rows));
        var driver = new OracleDriver(Oracle);
        var findings = new ConcurrentQueue<string>();
        var fired = new ConcurrentDictionary<FaultMode, int>();

        await Parallel.ForEachAsync(
            cases,
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = Cancel },
            async (c, cancellationToken) => await RunAsync(c, batches[c], driver, findings, fired, cancellationToken));

        // What was said so far must hold before anything is tried again.
        await SessionsEndAsync();
        var before = await JudgeAsync();

        await using (var host = new IngestHost(ConnectionString))
        {
            foreach (var c in cases)
                await driver.TryAsync(Batch(c), batches[c], ct => StoreAsync(host.Ingest, c, batches[c], Long, 1, ct), Cancel);
        }

        var after = await JudgeAsync();
        var audit = await AuditAsync();
        Report.Put(new(
            "3. connection broken at a point of the batch", $"{cases.Count} cases, {cases.Select(c => c.Point).Distinct().Count()} points",
            $"{string.Join(", ", fired.OrderBy(f => f.Key).Select(f => $"{f.Value} {f.Key}"))}; {before.OnceUnknown} outcomes unknown, {driver.Retries} attempts repeated",
            before.Lost + after.Lost, before.Duplicate + after.Duplicate, after.Batches - after.Acknowledged,
            findings.Count + before.Findings.Count + after.Findings.Count + audit.Findings.Count)
        {
            ServerVersion = Server.Version,
        });
        Assert.True(findings.IsEmpty, string.Join(Environment.NewLine, findings));
        Assert.Empty(before.Findings);
        Assert.Empty(after.Findings);
        Assert.Empty(audit.Findings);
        // And the clean one.
        Assert.Equal(cases.Count + 1, after.Acknowledged);
        Assert.Equal((long)(cases.Count + 1) * Rows, audit.Connections);
        Assert.True(before.OnceUnknown > 0, "No outcome was ever unknown.");
        Assert.Equal(cases.Count, fired.Values.Sum());
    }

    private async Task RunAsync(
        Case c,
        IReadOnlyList<Connection> rows,
        OracleDriver driver,
        ConcurrentQueue<string> findings,
        ConcurrentDictionary<FaultMode, int> fired,
        CancellationToken cancellationToken)
    {
        await using var proxy = ChaosProxy.Start(Server.Port);
        var fault = proxy.Arm(c.Rule);
        await using (var host = new IngestHost(Through(proxy)))
        {
            var timeout = c.Mode == FaultMode.Blackhole ? Short : Long;
            var attempts = c.Patient ? 6 : 1;
            var started = TimeProvider.System.GetTimestamp();
            var error = await driver.TryAsync(
                Batch(c), rows, ct => StoreAsync(host.Ingest, c, rows, timeout, attempts, ct), cancellationToken);
            var elapsed = TimeProvider.System.GetElapsedTime(started);
            // Only the attempt that met the fault has to wait for its end; the machine may be busy.
            if (elapsed > timeout + Grace)
                findings.Enqueue($"{c.Name}: took {elapsed.TotalSeconds:0.0} s, and an attempt may wait for {timeout.TotalSeconds:0} s");
            if (error is not null && c.Patient)
                findings.Enqueue($"{c.Name}: gave up: {error.Message}");
            if (error is not null && c.Mode == FaultMode.Delay)
                findings.Enqueue($"{c.Name}: a delay is no failure: {error.Message}");
        }

        if (fault.Fired != 1)
            findings.Enqueue($"{c.Name}: the fault happened {fault.Fired} times");
        else if (c.Point.Text is { } text && fault.FiredOn?.Contains(text) != true)
            findings.Enqueue($"{c.Name}: the fault met another message: {fault.FiredOn}");
        else
            fired.AddOrUpdate(c.Mode, 1, (_, n) => n + 1);
        foreach (var problem in proxy.Problems)
            findings.Enqueue($"{c.Name}: {problem}");
    }

    private async Task<IReadOnlyList<TracedMessage>> TraceAsync()
    {
        await using var proxy = ChaosProxy.Start(Server.Port);
        var rows = new Workload(Seed.Random("matrix"), new() { FirstDevice = 1_000_000, Devices = DevicesOfCase }).Batch("clean", Rows);
        proxy.BeginTrace();
        await using (var host = new IngestHost(Through(proxy)))
        {
            var result = await StoreAsync(host.Ingest, "clean", rows, Long, 1, Cancel);
            Assert.Equal(Rows, result.Stored);
        }

        await Oracle.InvokeAsync("clean", Workload.Identities(rows), Cancel);
        await Oracle.OkAsync("clean", cancellationToken: Cancel);
        return proxy.EndTrace();
    }

    private static IEnumerable<Case> Cases(IReadOnlyList<TracedMessage> trace)
    {
        var number = 0;
        foreach (var point in Points(trace))
        {
            foreach (var mode in Enum.GetValues<FaultMode>())
            {
                // Nothing answers a message to the client, and nothing but the session itself the startup.
                if (mode == FaultMode.DropReply && (point.Direction == Direction.ToClient || point.Type == ProxyMessage.Startup))
                    continue;
                foreach (var moment in mode is FaultMode.DropReply or FaultMode.Delay ? [FaultMoment.Before] : Enum.GetValues<FaultMoment>())
                {
                    foreach (var patient in (bool[])[true, false])
                        yield return new Case(number++, point, mode, moment, patient);
                }
            }
        }
    }

    private static IEnumerable<Point> Points(IReadOnlyList<TracedMessage> trace)
    {
        const Direction Up = Direction.ToServer, Down = Direction.ToClient;
        var claim = First(0, Up, m => m.Type is 'P' or 'Q' && m.Contains("ingest_batches"));
        var copy = First(claim, Up, m => m.Type is 'P' or 'Q' && m.Contains("COPY"));
        var commit = First(copy, Up, m => m.Type is 'P' or 'Q' && m.Contains("COMMIT"));
        var data = trace.Index().Where(m => m.Item is { Direction: Up, Type: 'd' }).Select(m => m.Index).ToList();
        Assert.True(data.Count >= 3, $"There are only {data.Count} messages of data.");

        yield return At("startup", First(0, Up, m => m.Type == ProxyMessage.Startup));
        yield return At("ledger insert", claim, "ingest_batches");
        yield return At("ledger answer", First(claim, Down, m => m.Type == 'C' && m.Contains("INSERT")), "INSERT");
        yield return At("COPY", copy, "COPY");
        yield return At("leave to copy", First(copy, Down, m => m.Type == 'G'));
        yield return At("first data", data[0]);
        yield return At("middle data", data[data.Count / 2]);
        yield return At("last data", data[^1]);
        yield return At("COPY end", First(copy, Up, m => m.Type == 'c'));
        yield return At("COPY answer", First(copy, Down, m => m.Type == 'C' && m.Contains("COPY")), "COPY");
        yield return At("COMMIT", commit, "COMMIT");
        yield return At("COMMIT answer", First(commit, Down, m => m.Type == 'C' && m.Contains("COMMIT")), "COMMIT");
        yield return At("ready after COMMIT", First(commit, Down, m => m.Type == 'Z'));

        int First(int from, Direction direction, Func<TracedMessage, bool> predicate)
        {
            for (var i = from; i < trace.Count; i++)
            {
                if (trace[i].Direction == direction && predicate(trace[i]))
                    return i;
            }

            throw new InvalidOperationException(
                $"A clean batch shows no such message:\n{string.Join('\n', trace.Select(m => $"{m.Direction} {m.Type} {m.Text}"))}");
        }

        Point At(string name, int index, string? text = null)
        {
            var message = trace[index];
            var nth = trace.Take(index + 1).Count(m => m.Direction == message.Direction && m.Type == message.Type);
            return new Point(name, message.Direction, message.Type, nth, text);
        }
    }

    private static Task<IngestResult<Connection>> StoreAsync(
        IIngestService ingest, Case c, IReadOnlyList<Connection> rows, TimeSpan timeout, int attempts, CancellationToken cancellationToken)
        => StoreAsync(ingest, Batch(c), rows, timeout, attempts, cancellationToken);

    private static Task<IngestResult<Connection>> StoreAsync(
        IIngestService ingest, string key, IReadOnlyList<Connection> rows, TimeSpan timeout, int attempts, CancellationToken cancellationToken)
        => ingest.StoreAsync(
            rows.ToAsyncEnumerable(),
            new()
            {
                Source = Source,
                StreamKey = key,
                Retry = new() { MaxAttempts = attempts, FirstDelay = TimeSpan.FromMilliseconds(20), AttemptTimeout = timeout },
            },
            cancellationToken: cancellationToken);

    private static string Batch(Case c) => $"case-{c.Number}";

    private string Through(ChaosProxy proxy)
        => new NpgsqlConnectionStringBuilder(proxy.ConnectionStringOf(ConnectionString))
        {
            MaxPoolSize = 4,
            // How long Npgsql waits for the end of a statement that it has asked the server to cancel.
            CancellationTimeout = 300,
        }.ConnectionString;
}
