using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using CobaltGraph.Benchmarks.Ingest;
using CobaltGraph.Benchmarks.Ingest.Methods;
using CobaltGraph.Data.Adoption;
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

    public static Command Create()
    {
        var rows = IngestCommand.Number("--rows", 500_000, 1_000, 100_000_000, "Connections.");
        var days = IngestCommand.Number("--days", 90, 1, 3_650, "Days over which they spread.");
        var seed = IngestCommand.Number("--seed", 42, int.MinValue, int.MaxValue, "The same number gives the same rows.");
        var version = new Option<string?>("--server") { HelpName = "version", Description = "Version of the server that is started, as 16." };
        var folder = new Option<string?>("--folder") { HelpName = "folder", Description = "Folder on a disk for that server's data; without it /var/tmp." };
        var connection = new Option<string?>("--connection")
        {
            HelpName = "connection",
            Description = "A server that runs, for a role that may create databases. Without it one is started.",
        };
        var command = new Command("adopt", "Adopting a database of the original beside the COPY that filled it.")
        {
            rows, days, seed, version, folder, connection,
        };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var to = DateTimeOffset.FromUnixTimeSeconds(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
            var source = new RowSource(RowTable.Campus, parse.GetValue(seed), 1_000, parse.GetValue(rows), parse.GetValue(days), to);
            await using var server = await BenchmarkServer.StartAsync(
                parse.GetValue(connection), parse.GetValue(version), parse.GetValue(folder), new IngestCommand.Progress(Console.Error.WriteLine), cancellationToken);
            var (copied, report) = await RunAsync(server, source, cancellationToken);

            var count = parse.GetValue(rows);
            Write("COPY into the original's tables", copied);
            Write("adopt", report.Elapsed);
            Console.WriteLine($"speed of adopt to that of COPY: {Figure.Ratio(copied / report.Elapsed)}");
            return 0;

            void Write(string what, TimeSpan time)
                => Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"{what}: {Figure.Seconds(time.TotalSeconds)} s, {Figure.Count(count / time.TotalSeconds)} rows/s"));
        });
        return command;
    }

    private static async Task<(TimeSpan Copied, AdoptionReport Report)> RunAsync(
        BenchmarkServer server, RowSource source, CancellationToken cancellationToken)
    {
        var site = source.CreateSite();
        var database = await server.CreateDatabaseAsync(cancellationToken);
        await using var dataSource = NpgsqlDataSource.Create(server.ConnectionTo(database));
        await Databases.PrepareAsync(dataSource, new BareCopy(original: true), site, cancellationToken);
        await using (var others = dataSource.CreateCommand(OtherTables))
            await others.ExecuteNonQueryAsync(cancellationToken);

        // Made beforehand, so that making them is not measured.
        var connections = source.Read(site).ToArray();
        var started = Stopwatch.GetTimestamp();
        await BareCopy.OriginalAsync(dataSource, connections, cancellationToken);
        var copied = Stopwatch.GetElapsedTime(started);

        var step = (AdoptionStep?)null;
        var since = Stopwatch.GetTimestamp();
        var report = await new Adopter(dataSource).AdoptAsync(
            TimeSpan.FromMinutes(1),
            _ => { },
            state =>
            {
                if (state.Step == step)
                    return;
                if (step is not null)
                    Console.Error.WriteLine($"{step}: {Figure.Seconds(Stopwatch.GetElapsedTime(since).TotalSeconds)} s");
                (step, since) = (state.Step, Stopwatch.GetTimestamp());
            },
            cancellationToken);
        await dataSource.DisposeAsync();
        await server.DropDatabaseAsync(database);
        return (copied, report);
    }
}
