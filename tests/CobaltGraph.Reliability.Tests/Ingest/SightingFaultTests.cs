using System.Globalization;
using System.Net;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;
using CobaltGraph.Reliability.Audit;
using CobaltGraph.Reliability.Oracle;
using CobaltGraph.Reliability.Proxy;
using Npgsql;

namespace CobaltGraph.Reliability.Tests.Ingest;

// RELIABILITY row 3 and trap 1: the connection breaks at each point of a batch of sightings, which one statement claims,
// merges and commits.
public sealed class SightingFaultTests(DurableServer server) : IngestTest(server)
{
    private const string Source = "sightings";
    private const int DevicesOfCase = 20;

    private static readonly DateTimeOffset Start = new(2026, 10, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Connection_broken_at_each_point_of_a_batch_of_sightings_merges_it_once()
    {
        var runs = new FaultRuns(Server, ConnectionString);
        var driver = new OracleDriver(Oracle);
        var trace = await runs.TraceAsync(async ingest => Assert.Null(await TryAsync(ingest, "clean", Batch(-1), FaultRuns.Long, 1, Cancel)));
        var cases = FaultCase.Of(Points(trace)).ToList();

        await runs.RunAsync(
            cases, (ingest, c, timeout, attempts, ct) => TryAsync(ingest, c.Batch, Batch(c.Number), timeout, attempts, ct), Cancel);

        await SessionsEndAsync();
        var before = await JudgeSightingsAsync();
        var gaveUp = 0;
        await using (var host = new IngestHost(ConnectionString))
        {
            foreach (var c in cases)
                gaveUp += await TryAsync(host.Ingest, c.Batch, Batch(c.Number), FaultRuns.Long, 1, Cancel) is null ? 0 : 1;
        }

        var after = await JudgeSightingsAsync();
        var difference = await DifferenceFromCleanAsync(cases);
        Report.Put(new(
            "3. the same with sightings", $"{cases.Count} cases, {cases.Select(c => c.Point).Distinct().Count()} points",
            $"{runs.FiredText}; {before.OnceUnknown} outcomes unknown, {driver.Retries} attempts repeated",
            before.Lost + after.Lost, before.Duplicate + after.Duplicate, gaveUp,
            runs.Findings.Count + before.Findings.Count + after.Findings.Count + (difference.Length > 0 ? 1 : 0))
        {
            ServerVersion = Server.Version,
        });
        Assert.True(runs.Findings.IsEmpty, string.Join(Environment.NewLine, runs.Findings));
        Assert.Empty(before.Findings);
        Assert.Empty(after.Findings);
        Assert.Equal("", difference);
        Assert.Equal((cases.Count + 1, 0), (after.Acknowledged, gaveUp));
        Assert.True(before.OnceUnknown > 0, "No outcome was ever unknown.");
        Assert.Equal(cases.Count, runs.Fired.Values.Sum());
        Assert.Equal(
            (long)(cases.Count + 1) * Batch(0).Count,
            await Direct.ScalarAsync<long>("SELECT sum(rows_stored)::bigint FROM ingest_batches WHERE rows_read = rows_stored"));

        Task<IngestException?> TryAsync(
            IIngestService ingest, string batch, IReadOnlyList<DeviceSighting> sightings, TimeSpan timeout, int attempts,
            CancellationToken cancellationToken)
            => driver.TryAsync(
                batch, Identities(sightings),
                ct => ingest.StoreAsync(
                    sightings.ToAsyncEnumerable(),
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
        var statement = trace.First(0, Up, m => m.Type is 'P' or 'Q' && m.Contains("ingest_batches"));

        yield return trace.At("startup", trace.First(0, Up, m => m.Type == ProxyMessage.Startup));
        yield return trace.At("statement", statement, "ingest_batches");
        yield return trace.At("values", trace.First(statement, Up, m => m.Type == 'B'));
        yield return trace.At("execute", trace.First(statement, Up, m => m.Type == 'E'));
        yield return trace.At("sync", trace.First(statement, Up, m => m.Type == 'S'));
        yield return trace.At("answer", trace.First(statement, Down, m => m.Type == 'D'));
        yield return trace.At("end of answer", trace.First(statement, Down, m => m.Type == 'C' && m.Contains("SELECT")), "SELECT");
        yield return trace.At("ready", trace.First(statement, Down, m => m.Type == 'Z'));
    }

    /// <summary>Devices of the case's own, which take an address, move to another and come back to the first a week later.</summary>
    private static IReadOnlyList<DeviceSighting> Batch(int number)
        => [.. Enumerable.Range(0, DevicesOfCase).SelectMany(device => Enumerable.Range(0, 3).Select(step => new DeviceSighting
        {
            MacAddress = new MacAddress(0x0200_5E00_0000 + (number + 1) * DevicesOfCase + device),
            IpAddress = new IPAddress([10, (byte)(100 + step % 2), (byte)(number + 1), (byte)device]),
            Hostname = Name(number, device),
            SeenAt = Start.AddDays(step * 7),
            Source = "arp",
        }))];

    private static string Name(int number, int device) => string.Create(CultureInfo.InvariantCulture, $"case{number}-{device}");

    private static List<string> Identities(IReadOnlyList<DeviceSighting> sightings)
        => [.. sightings.Select((sighting, place) => $"{sighting.Hostname}/{place % 3}")];

    /// <summary>The devices, each as often as it was discovered, against what the driver was told.</summary>
    private async Task<OracleVerdict> JudgeSightingsAsync()
    {
        var stored = new Dictionary<string, long>(StringComparer.Ordinal);
        await using var command = Direct.CreateCommand(
            """
            SELECT d.hostname, count(e.id)
            FROM devices AS d
            LEFT JOIN device_events AS e ON e.device_mac = d.mac_address AND e.event_type = 'discovered'
            GROUP BY d.mac_address, d.hostname
            """);
        await using var reader = await command.ExecuteReaderAsync(Cancel);
        while (await reader.ReadAsync(Cancel))
        {
            for (var step = 0; step < 3; step++)
                stored.Add($"{reader.GetString(0)}/{step}", reader.GetInt64(1));
        }

        return OracleJudge.Judge(OracleEntries(), stored);
    }

    /// <summary>What a database has otherwise that took each batch once and undisturbed; nothing when they are alike.</summary>
    private async Task<string> DifferenceFromCleanAsync(List<FaultCase> cases)
    {
        var connectionString = await Server.CreateDatabaseAsync(Cancel);
        await using var clean = DurableServer.Source(connectionString);
        await using (var host = new IngestHost(connectionString))
        {
            foreach (var number in cases.Select(c => c.Number).Prepend(-1))
            {
                Assert.Equal(
                    Batch(number).Count,
                    (await host.Ingest.StoreBatchAsync(Source, number.ToString(CultureInfo.InvariantCulture), Batch(number), Cancel)).Stored);
            }
        }

        var difference = (await DatabaseContents.ReadAsync(Direct, Cancel)).DifferenceFrom(await DatabaseContents.ReadAsync(clean, Cancel));
        return await AddressesAsync(Direct) == await AddressesAsync(clean) ? difference : $"{difference}\nheld addresses";
    }

    private static Task<string> AddressesAsync(NpgsqlDataSource database) => database.ScalarAsync<string>(
        "SELECT string_agg(a::text, E'\\n' ORDER BY a.mac_address, a.ip_address, a.source, a.first_seen) FROM device_addresses AS a");
}
