using CobaltGraph.Benchmarks.Ingest.Methods;

namespace CobaltGraph.Benchmarks.Ingest;

/// <summary>Measures methods side by side, in rounds that go back and forth.</summary>
internal sealed class Comparison(BenchmarkServer server, IngestSetup setup, Action<string> say)
{
    public async Task<TableResult> RunAsync(
        RowTable table, IReadOnlyList<IngestMethod> methods, CancellationToken cancellationToken)
    {
        var runs = methods.ToDictionary(method => method, _ => new List<RunResult>());
        for (var round = 0; round < setup.Rounds; round++)
        {
            // Whoever comes first in one round comes last in the next: what drifts hits all alike.
            foreach (var method in round % 2 == 0 ? methods : methods.Reverse())
            {
                var result = await RunAsync(table, method, cancellationToken);
                runs[method].Add(result);
                var rows = RowsOf(method);
                say($"{Figure.Of(table)}, round {round + 1} of {setup.Rounds}, {method.Key}: {Figure.Count(rows)} rows in "
                    + $"{Figure.Seconds(result.Cost.Seconds)} s, {Figure.Count(rows / result.Cost.Seconds)} rows/s");
            }
        }

        return new(table, [.. methods.Select(method => MethodResult.Of(method.Key, method.Title, RowsOf(method), runs[method]))]);
    }

    /// <summary>What is to be reached, and what was.</summary>
    public static IEnumerable<Target> Targets(TableResult result)
    {
        var of = result.Methods.ToDictionary(method => method.Method);
        var ours = of.GetValueOrDefault("a1");
        foreach (var (key, least) in ((string, double)[])[("b", 1), ("c", 8), ("d", 30), ("e", 10), ("f", 1)])
            yield return new($"{Figure.Of(result.Table)}: rate of a1 ÷ {key}", least, AtMost: false, ours?.RowsPerSecond / of.GetValueOrDefault(key)?.RowsPerSecond);
        yield return new($"{Figure.Of(result.Table)}: rate of a1 ÷ m1", 0.9, AtMost: false, ours?.RowsPerSecond / of.GetValueOrDefault("m1")?.RowsPerSecond);
        yield return new($"{Figure.Of(result.Table)}: client's share of a1", 0.25, AtMost: true, ours?.ClientShare);
        yield return new($"{Figure.Of(result.Table)}: bytes per row of a1 ÷ b", 0.75, AtMost: true, ours?.BytesPerRow / of.GetValueOrDefault("b")?.BytesPerRow);
    }

    private int RowsOf(IngestMethod method) => Math.Min(method.MaxRows, setup.Rows);

    private async Task<RunResult> RunAsync(RowTable table, IngestMethod method, CancellationToken cancellationToken)
    {
        var database = await server.CreateDatabaseAsync(cancellationToken);
        var warmUp = await server.CreateDatabaseAsync(cancellationToken);
        try
        {
            var order = new RunOrder
            {
                Method = method.Key,
                Source = new(table, setup.Seed, setup.Devices, setup.Rows, setup.Days, setup.ReferenceTime),
                Rows = RowsOf(method),
                BatchSize = setup.BatchSize,
                Connection = server.ConnectionTo(database),
                WarmUpConnection = server.ConnectionTo(warmUp),
                ReadServerCpu = server.IsOwn,
            };
            return await RunProcess.RunAsync<RunOrder, RunResult>(
                RunProcess.Verb, order, $"The run of {order.Method} on {order.Rows} rows", _ => { }, cancellationToken);
        }
        finally
        {
            await server.DropDatabaseAsync(database);
            await server.DropDatabaseAsync(warmUp);
        }
    }
}
