using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;
using CobaltGraph.Testing;
using Npgsql;
using static CobaltGraph.Data.Tests.Ingest.IngestServiceTests;

namespace CobaltGraph.Data.Tests.Ingest;

public sealed class IngestWriterTests(PostgresServerFixture server) : DatabaseTest(server)
{
    private IngestService Service => new(Database.DataSource);

    [Fact]
    public async Task Rows_are_stored_when_they_fill_a_batch()
    {
        await using var writer = Service.OpenConnectionWriter(new() { BatchSize = 100, FlushInterval = TimeSpan.FromHours(1) });
        foreach (var row in Rows(250))
            await writer.WriteAsync(row, Cancel);

        await UntilAsync(async () => await Count("connections") == 200);

        var result = await writer.CompleteAsync(Cancel);
        Assert.Equal((250, 3), (result.Stored, result.Batches));
        Assert.Equal(250, await Count("connections"));
    }

    [Fact]
    public async Task Rows_are_stored_when_they_are_old()
    {
        await using var writer = Service.OpenConnectionWriter(new() { FlushInterval = TimeSpan.FromMilliseconds(50) });
        await writer.WriteAsync(Rows(1).Single(), Cancel);

        await UntilAsync(async () => await Count("connections") == 1);
    }

    [Fact]
    public async Task Flush_returns_when_everything_is_committed()
    {
        await using var writer = Service.OpenConnectionWriter(new() { Writers = 2, BatchSize = 7, FlushInterval = TimeSpan.FromHours(1) });
        foreach (var row in Rows(100))
            Assert.True(writer.TryWrite(row));

        await writer.FlushAsync(Cancel);

        Assert.Equal(100, await Count("connections"));
        await writer.FlushAsync(Cancel);
        await writer.WriteAsync(Rows(1).Single(), Cancel);
        await writer.FlushAsync(Cancel);
        Assert.Equal(101, await Count("connections"));
    }

    [Fact]
    public async Task Writers_of_several_threads_lose_nothing()
    {
        await using var writer = Service.OpenConnectionWriter(new() { Capacity = 10, BatchSize = 64, FlushInterval = TimeSpan.FromMilliseconds(5) });

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            foreach (var row in Rows(500))
                await writer.WriteAsync(row, Cancel);
        })));
        var result = await writer.CompleteAsync(Cancel);

        Assert.Equal(2_000, result.Stored);
        Assert.Equal(2_000, await Scalar<long>("SELECT sum(connection_count)::bigint FROM devices"));
    }

    [Fact]
    public async Task Full_writer_waits_or_says_no()
    {
        await using var blocker = await Database.DataSource.OpenConnectionAsync(Cancel);
        await using var transaction = await blocker.BeginTransactionAsync(Cancel);
        await using (var command = blocker.CreateCommand())
        {
            command.CommandText = "LOCK TABLE connections IN SHARE MODE";
            await command.ExecuteNonQueryAsync(Cancel);
        }

        await using var writer = Service.OpenConnectionWriter(new() { Capacity = 5, BatchSize = 5, FlushInterval = TimeSpan.FromHours(1) });
        var taken = 0;
        await UntilAsync(() => Task.FromResult(!writer.TryWrite(Rows(1).Single()) || ++taken < 0));
        var waiting = writer.WriteAsync(Rows(1).Single(), Cancel).AsTask();
        await Task.Delay(50, Cancel);
        Assert.False(waiting.IsCompleted);

        await transaction.RollbackAsync(Cancel);
        await waiting;
        Assert.Equal(taken + 1, (await writer.CompleteAsync(Cancel)).Stored);
    }

    [Fact]
    public async Task Completed_writer_takes_no_rows()
    {
        await using var writer = Service.OpenConnectionWriter();
        await writer.CompleteAsync(Cancel);

        await Assert.ThrowsAsync<InvalidOperationException>(() => writer.WriteAsync(Rows(1).Single(), Cancel).AsTask());
        Assert.False(writer.TryWrite(Rows(1).Single()));
    }

    [Fact]
    public async Task Failed_writer_says_why_and_takes_no_rows()
    {
        await Run("DROP TABLE connections CASCADE");
        var writer = Service.OpenConnectionWriter(new() { BatchSize = 1 });
        await writer.WriteAsync(Rows(1).Single(), Cancel);

        await Assert.ThrowsAsync<IngestException>(() => writer.FlushAsync(Cancel));
        await Assert.ThrowsAsync<IngestException>(() => writer.CompleteAsync(Cancel));
        await Assert.ThrowsAsync<IngestException>(() => writer.WriteAsync(Rows(1).Single(), Cancel).AsTask());
        await writer.DisposeAsync();
        await writer.DisposeAsync();
    }

    [Fact]
    public async Task Rejected_row_is_told_and_does_not_stop_the_writer()
    {
        var told = new List<IngestRejection<Connection>>();
        await using var writer = Service.OpenConnectionWriter(new() { OnRejected = told.Add });
        var rows = Rows(3).ToList();
        rows[1].DstPort = 99_999;
        foreach (var row in rows)
            await writer.WriteAsync(row, Cancel);

        var result = await writer.CompleteAsync(Cancel);

        Assert.Equal((2, 1), (result.Stored, result.Rejected));
        Assert.Equal(1, Assert.Single(told).Position);
    }

    [Fact]
    public void Stream_key_is_refused()
        => Assert.Throws<ArgumentException>(() => Service.OpenConnectionWriter(new() { StreamKey = "x" }));

    [Fact]
    public async Task Completion_cancelled_while_rows_wait_for_their_batch_gives_them_back()
    {
        var rows = Rows(50).ToList();
        await using var writer = Service.OpenConnectionWriter(new() { Source = "edge", BatchSize = 20, FlushInterval = TimeSpan.FromHours(1) });
        foreach (var row in rows)
            await writer.WriteAsync(row, Cancel);
        await UntilAsync(async () => await Count("connections") == 40);
        Assert.Throws<InvalidOperationException>(() => writer.Unstored);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writer.CompleteAsync(new CancellationToken(true)));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writer.CompleteAsync(Cancel));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writer.FlushAsync(Cancel));
        await Assert.ThrowsAsync<InvalidOperationException>(() => writer.WriteAsync(rows[0], Cancel).AsTask());
        var unstored = Assert.Single(writer.Unstored);
        Assert.Equal("edge", unstored.Source);
        Assert.Equal(rows.Skip(40), unstored.Records);
        await SettleAsync(writer);
        Assert.Equal(50, await Count("connections"));
    }

    [Fact]
    public async Task Flush_that_waits_ends_with_a_cancelled_completion_and_does_not_say_that_rows_are_committed()
    {
        var rows = Rows(25).ToList();
        rows[23].DstPort = -1;
        await using var blocker = await Database.DataSource.OpenConnectionAsync(Cancel);
        await using var transaction = await blocker.BeginTransactionAsync(Cancel);
        await using (var command = new NpgsqlCommand("LOCK TABLE connections IN SHARE MODE", blocker))
            await command.ExecuteNonQueryAsync(Cancel);
        await using var writer = Service.OpenConnectionWriter(new() { BatchSize = 10, FlushInterval = TimeSpan.FromHours(1) });
        foreach (var row in rows)
            await writer.WriteAsync(row, Cancel);
        var flush = writer.FlushAsync(Cancel);
        var later = writer.FlushAsync(Cancel);
        await writer.WriteAsync(rows[0], Cancel);
        await UntilAsync(async () => await Count("pg_locks WHERE NOT granted") > 0);

        using (var cancel = new CancellationTokenSource(50))
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writer.CompleteAsync(cancel.Token));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => flush.WaitAsync(TimeSpan.FromSeconds(30), Cancel));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => later.WaitAsync(TimeSpan.FromSeconds(30), Cancel));
        await transaction.RollbackAsync(Cancel);
        Assert.Equal([.. rows, rows[0]], writer.Unstored.SelectMany(batch => batch.Records));
        await SettleAsync(writer);
        Assert.Equal(25, await Count("connections"));
    }

    [Fact]
    public async Task Completion_cancelled_at_any_moment_loses_nothing_and_stores_nothing_twice()
    {
        var total = 0;
        for (var round = 0; round < 40; round++)
        {
            await using var writer = Service.OpenConnectionWriter(new() { BatchSize = 20, Writers = 2, FlushInterval = TimeSpan.FromMilliseconds(5) });
            foreach (var row in Rows(210))
                await writer.WriteAsync(row, Cancel);
            using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(round));
            try
            {
                Assert.Equal(210, (await writer.CompleteAsync(cancel.Token)).Stored);
                Assert.Empty(writer.Unstored);
            }
            catch (OperationCanceledException)
            {
                Assert.NotEmpty(writer.Unstored);
            }

            await SettleAsync(writer);
            total += 210;
            Assert.Equal(total, await Count("connections"));
        }
    }

    /// <summary>Stores what a writer gave back, twice: the second time nothing may be missing.</summary>
    private async Task SettleAsync(IngestWriter<Connection> writer)
    {
        foreach (var batch in writer.Unstored)
        {
            await Service.StoreBatchAsync(batch.Source, batch.BatchKey, batch.Records, Cancel);
            Assert.Equal(0, (await Service.StoreBatchAsync(batch.Source, batch.BatchKey, batch.Records, Cancel)).Stored);
        }
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(30), "It did not come true within 30 seconds.");
            await Task.Delay(1, Cancel);
        }
    }
}
