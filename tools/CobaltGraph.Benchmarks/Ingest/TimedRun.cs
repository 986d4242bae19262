using System.Text.Json;
using CobaltGraph.Benchmarks.Ingest.Methods;
using CobaltGraph.Benchmarks.Measuring;
using Npgsql;

namespace CobaltGraph.Benchmarks.Ingest;

/// <summary>One run of one method, for a process of its own.</summary>
internal sealed record RunOrder
{
    public required string Method { get; init; }

    public required RowSource Source { get; init; }

    /// <summary>How many of the source's rows, from the first on.</summary>
    public required int Rows { get; init; }

    public required int BatchSize { get; init; }

    /// <summary>An empty database.</summary>
    public required string Connection { get; init; }

    /// <summary>Another one, for the rows that warm up.</summary>
    public required string WarmUpConnection { get; init; }

    public required bool ReadServerCpu { get; init; }
}

/// <summary>What came of a run.</summary>
internal sealed record RunResult(Measurement Cost, StoredSize Stored);

/// <summary>Runs a method, in a process of its own.</summary>
internal static class TimedRun
{
    public static async Task ServeAsync(TextReader input, TextWriter output, CancellationToken cancellationToken)
    {
        var order = JsonSerializer.Deserialize<RunOrder>(await input.ReadToEndAsync(cancellationToken), Json.Compact)!;
        var result = await RunAsync(order, cancellationToken);
        await output.WriteLineAsync(JsonSerializer.Serialize(result, Json.Compact));
    }

    private static async Task<RunResult> RunAsync(RunOrder order, CancellationToken cancellationToken)
    {
        var method = IngestMethod.All.Concat(StrippedIngest.Series).Single(method => method.Key == order.Method);
        await WarmUpAsync(method, order, cancellationToken);

        var site = order.Source.CreateSite();
        var rows = order.Source.Read(site).Take(order.Rows).ToArray();
        var expectation = new Expectation(rows);
        await using var dataSource = NpgsqlDataSource.Create(order.Connection);
        await Databases.PrepareAsync(dataSource, method, site, cancellationToken);
        var cost = await Measurement.TakeAsync(
            order.Connection, order.ReadServerCpu,
            () => method.StoreAsync(dataSource, rows, order.BatchSize, cancellationToken), cancellationToken);
        var stored = await StoredSize.ReadAsync(dataSource, method.Schema, cancellationToken);
        await expectation.VerifyAsync(dataSource, method.Schema, cancellationToken);
        return new(cost, stored);
    }

    private static async Task WarmUpAsync(IngestMethod method, RunOrder order, CancellationToken cancellationToken)
    {
        var source = order.Source with { Seed = order.Source.Seed + 1, Rows = Math.Min(method.WarmUpRows, order.Rows) };
        var site = source.CreateSite();
        var rows = source.Read(site).ToArray();
        await using var dataSource = NpgsqlDataSource.Create(order.WarmUpConnection);
        await Databases.PrepareAsync(dataSource, method, site, cancellationToken);
        await method.StoreAsync(dataSource, rows, Math.Min(order.BatchSize, rows.Length / 2), cancellationToken);
        // The optimising compiler waits for a quiet moment and then takes a while.
        await Task.Delay(500, cancellationToken);
    }
}
