using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;
using CobaltGraph.Reliability.Proxy;
using CobaltGraph.Reliability.Workloads;

namespace CobaltGraph.Reliability.Tests.Ingest;

// A sensor cannot say its rows again: what a writer took it stores, or gives back.
public sealed class WriterTests(DurableServer server) : IngestTest(server)
{
    private const int Rows = 1_000, BatchSize = 100;

    [Fact]
    public async Task Rows_of_a_writer_that_gave_up_on_a_dead_server_are_stored_once_later()
    {
        var rows = new Workload(Seed.Random("writer, dead server")).Batch("w", Rows);
        IReadOnlyList<UnstoredBatch<Connection>> unstored;
        await using (var host = new IngestHost(ConnectionString))
        {
            var writer = host.Ingest.OpenConnectionWriter(Options(attempts: 5, TimeSpan.FromMilliseconds(500)));
            foreach (var row in rows.Take(Rows / 2))
                await writer.WriteAsync(row, Cancel);
            await Server.KillAsync(Cancel);
            foreach (var row in rows.Skip(Rows / 2))
                Assert.True(writer.TryWrite(row));

            await Assert.ThrowsAsync<IngestException>(() => writer.CompleteAsync(Cancel));
            unstored = writer.Unstored;
            await writer.DisposeAsync();
            await Server.RestartAsync(Cancel);
        }

        Assert.InRange(unstored.Sum(batch => batch.Records.Count), Rows / 2, Rows);
        await SettleAsync(rows, unstored);
    }

    [Fact]
    public async Task Batch_of_a_writer_whose_outcome_was_unknown_is_stored_once_later()
    {
        var rows = new Workload(Seed.Random("writer, unknown outcome")).Batch("w", Rows);
        await using var proxy = ChaosProxy.Start(Server.Port);
        var fault = proxy.Arm(new()
        {
            Direction = Direction.ToServer, Text = "COMMIT", Nth = 3, Mode = FaultMode.DropReply,
        });
        // The server is gone afterwards, so that no later attempt can find out.
        var gone = proxy.Arm(new()
        {
            Direction = Direction.ToServer, Type = ProxyMessage.Startup, Nth = 2, Times = int.MaxValue / 2, Mode = FaultMode.Reset,
        });
        IReadOnlyList<UnstoredBatch<Connection>> unstored;
        await using (var host = new IngestHost(proxy.ConnectionStringOf(ConnectionString)))
        {
            var writer = host.Ingest.OpenConnectionWriter(Options(attempts: 3, TimeSpan.FromMilliseconds(20)));
            foreach (var row in rows)
                await writer.WriteAsync(row, Cancel);

            var error = await Assert.ThrowsAsync<IngestException>(() => writer.CompleteAsync(Cancel));
            Assert.True(error.IsOutcomeUnknown, error.Message);
            unstored = writer.Unstored;
            Assert.Equal(error.BatchKey, unstored[0].BatchKey);
            await writer.DisposeAsync();
        }

        Assert.Equal((1, 2), (fault.Fired, gone.Fired));
        Assert.Equal(300, await Direct.ScalarAsync<long>("SELECT count(*) FROM connections"));
        Assert.Equal(800, unstored.Sum(batch => batch.Records.Count));
        Assert.Equal(100, await SettleAsync(rows, unstored));
    }

    /// <returns>Rows that were stored already.</returns>
    private async Task<long> SettleAsync(IReadOnlyList<Connection> rows, IReadOnlyList<UnstoredBatch<Connection>> unstored)
    {
        await using var host = new IngestHost(ConnectionString);
        var duplicate = 0L;
        foreach (var batch in unstored)
        {
            var result = await host.Ingest.StoreBatchAsync(batch.Source, batch.BatchKey, batch.Records, Cancel);
            duplicate += result.Duplicate;
            Assert.Equal(batch.Records.Count, result.Stored + result.Duplicate);
        }

        await using var command = Direct.CreateCommand("SELECT metadata->>'uid' FROM connections ORDER BY 1");
        await using var reader = await command.ExecuteReaderAsync(Cancel);
        var stored = new List<string>();
        while (await reader.ReadAsync(Cancel))
            stored.Add(reader.GetString(0));
        Assert.Equal(Workload.Identities(rows).Order(StringComparer.Ordinal), stored.Order(StringComparer.Ordinal));
        Assert.Empty((await AuditAsync()).Findings);
        return duplicate;
    }

    private static IngestWriterOptions<Connection> Options(int attempts, TimeSpan firstDelay) => new()
    {
        Source = "sensor",
        BatchSize = BatchSize,
        FlushInterval = TimeSpan.FromHours(1),
        Retry = new() { MaxAttempts = attempts, FirstDelay = firstDelay },
    };
}
