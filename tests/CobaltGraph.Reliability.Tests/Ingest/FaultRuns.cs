using System.Collections.Concurrent;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Reliability.Proxy;
using CobaltGraph.Reliability.Servers;
using Npgsql;

namespace CobaltGraph.Reliability.Tests.Ingest;

/// <summary>Runs cases, a connection through a proxy of its own for each, and keeps what was wrong.</summary>
internal sealed class FaultRuns(ServerControl server, string connectionString)
{
    /// <summary>How long an attempt may take that meets a clean connection.</summary>
    public static readonly TimeSpan Long = TimeSpan.FromSeconds(20);

    private const int AtOnce = 4;

    private static readonly TimeSpan Short = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(8);

    /// <summary>How often each kind of fault happened.</summary>
    public ConcurrentDictionary<FaultMode, int> Fired { get; } = [];

    public ConcurrentQueue<string> Findings { get; } = [];

    /// <summary>The faults that happened, as text.</summary>
    public string FiredText => string.Join(", ", Fired.OrderBy(f => f.Key).Select(f => $"{f.Value} {f.Key}"));

    /// <summary>What a clean batch says.</summary>
    public async Task<TraceReader> TraceAsync(Func<IIngestService, Task> store)
    {
        await using var proxy = ChaosProxy.Start(server.Port);
        proxy.BeginTrace();
        await using (var host = new IngestHost(Through(proxy)))
            await store(host.Ingest);
        return new TraceReader(proxy.EndTrace());
    }

    /// <summary>Runs all cases.</summary>
    /// <param name="cases">The cases.</param>
    /// <param name="tryAsync">Hands the case's batch over once, with a timeout and a number of attempts.</param>
    /// <param name="cancellationToken">Ends the runs.</param>
    public Task RunAsync(
        IEnumerable<FaultCase> cases,
        Func<IIngestService, FaultCase, TimeSpan, int, CancellationToken, Task<IngestException?>> tryAsync,
        CancellationToken cancellationToken)
        => Parallel.ForEachAsync(
            cases,
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
            async (c, ct) => await RunAsync(c, tryAsync, ct));

    private async Task RunAsync(
        FaultCase c,
        Func<IIngestService, FaultCase, TimeSpan, int, CancellationToken, Task<IngestException?>> tryAsync,
        CancellationToken cancellationToken)
    {
        await using var proxy = ChaosProxy.Start(server.Port);
        var fault = proxy.Arm(c.Rule);
        await using (var host = new IngestHost(Through(proxy)))
        {
            var timeout = c.Mode == FaultMode.Blackhole ? Short : Long;
            var started = TimeProvider.System.GetTimestamp();
            var error = await tryAsync(host.Ingest, c, timeout, c.Patient ? 6 : 1, cancellationToken);
            var elapsed = TimeProvider.System.GetElapsedTime(started);
            // Only the attempt that met the fault has to wait for its end; the machine may be busy.
            if (elapsed > timeout + Grace)
                Findings.Enqueue($"{c.Name}: took {elapsed.TotalSeconds:0.0} s, and an attempt may wait for {timeout.TotalSeconds:0} s");
            if (error is not null && c.Patient)
                Findings.Enqueue($"{c.Name}: gave up: {error.Message}");
            if (error is not null && c.Mode == FaultMode.Delay)
                Findings.Enqueue($"{c.Name}: a delay is no failure: {error.Message}");
        }

        if (fault.Fired != 1)
            Findings.Enqueue($"{c.Name}: the fault happened {fault.Fired} times");
        else if (c.Point.Text is { } text && fault.FiredOn?.Contains(text) != true)
            Findings.Enqueue($"{c.Name}: the fault met another message: {fault.FiredOn}");
        else
            Fired.AddOrUpdate(c.Mode, 1, (_, n) => n + 1);
        foreach (var problem in proxy.Problems)
            Findings.Enqueue($"{c.Name}: {problem}");
    }

    private string Through(ChaosProxy proxy)
        => new NpgsqlConnectionStringBuilder(proxy.ConnectionStringOf(connectionString))
        {
            MaxPoolSize = 4,
            // How long Npgsql waits for the end of a statement that it has asked the server to cancel.
            CancellationTimeout = 300,
        }.ConnectionString;
}
