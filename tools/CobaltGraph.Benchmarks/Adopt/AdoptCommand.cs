using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using CobaltGraph.Benchmarks.Ingest;
using CobaltGraph.Benchmarks.Ingest.Methods;
using CobaltGraph.Data.Adoption;
using CobaltGraph.Model;
using CobaltGraph.Seeding;
using Npgsql;

namespace CobaltGraph.Benchmarks.Adopt;

/// <summary>The verb <c>adopt</c>: how long an original database takes to adopt, beside the COPY that filled it.</summary>
internal static class AdoptCommand
{
    private const string OtherTables =
        """
        CREATE TABLE device_events (
            id bigserial PRIMARY KEY,
            "timestamp" timestamptz NOT NULL DEFAULT now(),
            device_mac varchar(17) NOT NULL,
            event_type varchar(50) NOT NULL,
            old_value text,
            new_value text,
            metadata jsonb NOT NULL DEFAULT '{}'
        );
        INSERT INTO device_events (device_mac, event_type) SELECT mac_address, 'discovered' FROM devices;
        """;

    // A database in use has been vacuumed and analysed long ago: adoption reads rows whose pages are settled.
    private const string Settle = "VACUUM (ANALYZE) devices, connections, device_events";

    public static Command Create()
    {
        var rows = IngestCommand.Number("--rows", 500_000, 1_000, 100_000_000, "Connections.");
        var days = IngestCommand.Number("--days", 90, 1, 3_650, "Days over which they spread.");
        var rounds = IngestCommand.Number("--rounds", 3, 1, 99, "Rounds; the middle of them counts.");
        var seed = IngestCommand.Number("--seed", 42, int.MinValue, int.MaxValue, "The same number gives the same rows.");
        var version = new Option<string?>("--server") { HelpName = "version", Description = "Version of the server that is started, as 16." };
        var folder = new Option<string?>("--folder") { HelpName = "folder", Description = "Folder on a disk for that server's data; without it /var/tmp." };
        var connection = new Option<string?>("--connection")
        {
            HelpName = "connection",
            Description = "A server that runs, for a role that may create databases and checkpoint. Without it one is started.",
        };
        var command = new Command("adopt", "Adopting a database of the original beside the COPY that filled it.")
        {
            rows, days, rounds, seed, version, folder, connection,
        };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var to = DateTimeOffset.FromUnixTimeSeconds(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
            var source = new RowSource(RowTable.Campus, parse.GetValue(seed), 1_000, parse.GetValue(rows), parse.GetValue(days), to);
            await using var server = await BenchmarkServer.StartAsync(
                parse.GetValue(connection), parse.GetValue(version), parse.GetValue(folder), new IngestCommand.Progress(Console.Error.WriteLine), cancellationToken);

            // Made beforehand, so that making them is not measured.
            var site = source.CreateSite();
            var connections = source.Read(site).ToArray();
            var runs = new List<Round>();
            while (runs.Count < parse.GetValue(rounds))
            {
                runs.Add(await RunAsync(server, site, connections, cancellationToken));
                Console.Error.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"round {runs.Count}: COPY {Figure.Seconds(runs[^1].Copied.TotalSeconds)} s, adopt {Figure.Seconds(runs[^1].Adopted.TotalSeconds)} s"));
            }

            Write("COPY into the original's tables", runs.Select(run => run.Copied));
            Write("adopt", runs.Select(run => run.Adopted));
            foreach (var step in Enum.GetValues<AdoptionStep>())
                Console.WriteLine($"  {step}: {Describe(runs.Select(run => run.Steps.GetValueOrDefault(step).TotalSeconds), Figure.Seconds)} s");
            Console.WriteLine($"speed of adopt to that of COPY: {Describe(runs.Select(run => run.Copied / run.Adopted), value => Figure.Ratio(value))}");
            return 0;

            void Write(string what, IEnumerable<TimeSpan> times)
            {
                var seconds = times.Select(time => time.TotalSeconds).ToList();
                Console.WriteLine(
                    $"{what}: {Describe(seconds, Figure.Seconds)} s, {Figure.Count(connections.Length / Statistic.Of(seconds).Median)} rows/s");
            }
        });
        return command;
    }

    private static string Describe(IEnumerable<double> values, Func<double, string> show)
    {
        var statistic = Statistic.Of(values);
        return statistic.Min == statistic.Max
            ? show(statistic.Median)
            : $"{show(statistic.Median)} ({show(statistic.Min)} to {show(statistic.Max)})";
    }

    private static async Task<Round> RunAsync(
        BenchmarkServer server, Site site, Connection[] connections, CancellationToken cancellationToken)
    {
        var database = await server.CreateDatabaseAsync(cancellationToken);
        await using var dataSource = NpgsqlDataSource.Create(server.ConnectionTo(database));
        await Databases.PrepareAsync(dataSource, new BareCopy(original: true), site, cancellationToken);
        await ExecuteAsync(dataSource, OtherTables, cancellationToken);

        // Neither part pays for what was written before it.
        await ExecuteAsync(dataSource, "CHECKPOINT", cancellationToken);
        var started = Stopwatch.GetTimestamp();
        await BareCopy.OriginalAsync(dataSource, connections, cancellationToken);
        var copied = Stopwatch.GetElapsedTime(started);

        await ExecuteAsync(dataSource, Settle, cancellationToken);
        await ExecuteAsync(dataSource, "CHECKPOINT", cancellationToken);
        var steps = new Dictionary<AdoptionStep, TimeSpan>();
        var step = AdoptionStep.Survey;
        var since = Stopwatch.GetTimestamp();
        var report = await new Adopter(dataSource).AdoptAsync(
            TimeSpan.FromMinutes(1), _ => { }, state => EndStep(state.Step), cancellationToken);
        EndStep(AdoptionStep.Commit);

        await dataSource.DisposeAsync();
        await server.DropDatabaseAsync(database);
        return new(copied, report.Elapsed, steps);

        void EndStep(AdoptionStep next)
        {
            var now = Stopwatch.GetTimestamp();
            steps[step] = steps.GetValueOrDefault(step) + Stopwatch.GetElapsedTime(since, now);
            (step, since) = (next, now);
        }
    }

    private static async Task ExecuteAsync(NpgsqlDataSource dataSource, string sql, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>What one round took.</summary>
    private sealed record Round(TimeSpan Copied, TimeSpan Adopted, IReadOnlyDictionary<AdoptionStep, TimeSpan> Steps);
}
