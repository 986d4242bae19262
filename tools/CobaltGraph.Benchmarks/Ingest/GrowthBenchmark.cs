using CobaltGraph.Benchmarks.Ingest.Methods;
using CobaltGraph.Benchmarks.Measuring;
using CobaltGraph.Model;
using CobaltGraph.Seeding;
using Npgsql;

namespace CobaltGraph.Benchmarks.Ingest;

/// <summary>Whether a batch costs more when much is stored already.</summary>
internal sealed record GrowthResult
{
    public required RowTable Table { get; init; }

    /// <summary>Rows of each measured load.</summary>
    public required int Rows { get; init; }

    public required IReadOnlyList<GrowthRun> Few { get; init; }

    public required IReadOnlyList<GrowthRun> Many { get; init; }

    /// <summary>Rate with many rows stored ÷ rate with few.</summary>
    public double Ratio => Median(Few) / Median(Many);

    private static double Median(IEnumerable<GrowthRun> runs) => Statistic.Of(runs.Select(run => run.Cost.Seconds)).Median;
}

/// <summary>One measured load.</summary>
/// <param name="StoredBefore">Connections that were there.</param>
/// <param name="NewPairs">Pairs of device and destination that the load was the first to bring.</param>
/// <param name="Cost">What the load cost.</param>
internal sealed record GrowthRun(long StoredBefore, long NewPairs, Measurement Cost);

/// <summary>
/// Stores the same rows by our ingest, one writer, into a database that holds few connections and into one that holds many;
/// what they hold is the same site's traffic before those rows.
/// </summary>
internal sealed class GrowthBenchmark(BenchmarkServer server, IngestSetup setup, Action<string> say)
{
    public const int Few = 100_000;
    public const int Many = 10_000_000;
    public const int Load = 200_000;

    /// <param name="table">Which rows.</param>
    /// <param name="few">Connections that are there in the small case; at most as many as in the large one.</param>
    /// <param name="many">Connections that are there in the large case.</param>
    /// <param name="load">Rows of each measured load.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<GrowthResult> RunAsync(RowTable table, int few, int many, int load, CancellationToken cancellationToken)
    {
        // One stream: the loads are its end, and what is there before them is all the rest or only the last of it.
        var source = new RowSource(
            table, setup.Seed, setup.Devices, many + (long)load * setup.Rounds, setup.Days, setup.ReferenceTime);
        var site = source.CreateSite();
        var end = source.Read(site).Skip(many - few).ToArray();
        var loads = end.Skip(few).Chunk(load).ToList();

        var small = new List<GrowthRun>();
        foreach (var rows in loads)
            small.AddRange(await MeasureAsync(table, site, end.Take(few), few, [rows], cancellationToken));
        var large = await MeasureAsync(table, site, source.Read(site).Take(many), many, loads, cancellationToken);
        return new() { Table = table, Rows = load, Few = small, Many = large };
    }

    public static Target Target(GrowthResult result)
        => new($"{Figure.Of(result.Table)}: rate with many stored ÷ with few", 0.8, AtMost: false, result.Ratio);

    private async Task<List<GrowthRun>> MeasureAsync(
        RowTable table, Site site, IEnumerable<Connection> before, int count, List<Connection[]> loads,
        CancellationToken cancellationToken)
    {
        var runs = new List<GrowthRun>();
        var database = await server.CreateDatabaseAsync(cancellationToken);
        try
        {
            var connection = server.ConnectionTo(database);
            await using var dataSource = NpgsqlDataSource.Create(connection);
            await Databases.MigrateAsync(dataSource, site.From, site.To, cancellationToken);
            say($"{Figure.Of(table)}: storing {Figure.Count(count)} connections to begin with");
            await OurIngest.StoreAsync(dataSource, before, setup.BatchSize, writers: 2, cancellationToken);

            foreach (var rows in loads)
            {
                var (storedBefore, pairsBefore) = await CountAsync(dataSource, cancellationToken);
                var cost = await Measurement.TakeAsync(
                    connection, server.IsOwn,
                    () => OurIngest.StoreAsync(dataSource, rows, setup.BatchSize, writers: 1, cancellationToken), cancellationToken);
                var (storedAfter, pairsAfter) = await CountAsync(dataSource, cancellationToken);
                if (storedAfter != storedBefore + rows.Length)
                    throw new BenchmarkException($"The load stored {storedAfter - storedBefore} of {rows.Length} rows.");
                runs.Add(new(storedBefore, pairsAfter - pairsBefore, cost));
                say($"{Figure.Of(table)}: {Figure.Count(rows.Length)} rows onto {Figure.Count(storedBefore)} in "
                    + $"{Figure.Seconds(cost.Seconds)} s, {Figure.Count(rows.Length / cost.Seconds)} rows/s");
            }
        }
        finally
        {
            await server.DropDatabaseAsync(database);
        }

        return runs;
    }

    private static async Task<(long Connections, long Pairs)> CountAsync(
        NpgsqlDataSource dataSource, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            "SELECT sum(connection_count)::bigint, count(*), (SELECT count(*) FROM connections) FROM device_destinations");
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var (counted, pairs, connections) = (reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2));
        return counted == connections
            ? (connections, pairs)
            : throw new BenchmarkException($"The edges count {counted} connections, and {connections} are stored.");
    }
}
