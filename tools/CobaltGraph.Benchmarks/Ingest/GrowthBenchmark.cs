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
        var large = new List<GrowthRun>();
        await using var much = await StoreAsync(table, site, source.Read(site).Take(many), many, cancellationToken);
        foreach (var rows in loads)
        {
            // Side by side, so that a busy moment of the machine hits both.
            await using (var little = await StoreAsync(table, site, end.Take(few), few, cancellationToken))
                small.Add(await MeasureAsync(table, little, rows, cancellationToken));
            large.Add(await MeasureAsync(table, much, rows, cancellationToken));
        }

        return new() { Table = table, Rows = load, Few = small, Many = large };
    }

    public static Target Target(GrowthResult result)
        => new($"{Figure.Of(result.Table)}: rate with many stored ÷ with few", 0.8, AtMost: false, result.Ratio);

    private async Task<FilledDatabase> StoreAsync(
        RowTable table, Site site, IEnumerable<Connection> rows, int count, CancellationToken cancellationToken)
    {
        say($"{Figure.Of(table)}: storing {Figure.Count(count)} connections to begin with");
        var database = await FilledDatabase.CreateAsync(server, cancellationToken);
        try
        {
            await Databases.MigrateAsync(database.DataSource, site.From, site.To, cancellationToken);
            await OurIngest.StoreAsync(database.DataSource, rows, setup.BatchSize, writers: 2, cancellationToken);
            return database;
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    private async Task<GrowthRun> MeasureAsync(
        RowTable table, FilledDatabase database, Connection[] rows, CancellationToken cancellationToken)
    {
        var before = await CountAsync(database.DataSource, cancellationToken);
        var cost = await Measurement.TakeAsync(
            database.ConnectionString, server.IsOwn,
            () => OurIngest.StoreAsync(database.DataSource, rows, setup.BatchSize, writers: 1, cancellationToken), cancellationToken);
        var after = await CountAsync(database.DataSource, cancellationToken);
        if (after.Connections != before.Connections + rows.Length)
            throw new BenchmarkException($"The load stored {after.Connections - before.Connections} of {rows.Length} rows.");
        say($"{Figure.Of(table)}: {Figure.Count(rows.Length)} rows onto {Figure.Count(before.Connections)} in "
            + $"{Figure.Seconds(cost.Seconds)} s, {Figure.Count(rows.Length / cost.Seconds)} rows/s");
        return new(before.Connections, after.Pairs - before.Pairs, cost);
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

    private sealed class FilledDatabase(BenchmarkServer server, string name) : IAsyncDisposable
    {
        public string ConnectionString { get; } = server.ConnectionTo(name);

        public NpgsqlDataSource DataSource { get; } = NpgsqlDataSource.Create(server.ConnectionTo(name));

        public static async Task<FilledDatabase> CreateAsync(BenchmarkServer server, CancellationToken cancellationToken)
            => new(server, await server.CreateDatabaseAsync(cancellationToken));

        public async ValueTask DisposeAsync()
        {
            await DataSource.DisposeAsync();
            await server.DropDatabaseAsync(name);
        }
    }
}
