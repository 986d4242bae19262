using CobaltGraph.Data.Ingest;
using CobaltGraph.Data.Tests.Import;
using CobaltGraph.Model;
using Microsoft.Extensions.Logging.Abstractions;
using static CobaltGraph.Data.Tests.Ingest.IngestServiceTests;

namespace CobaltGraph.Data.Tests.Ingest;

public class BatchQueueTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Batch_is_told_once_and_as_what_it_is_though_the_telling_fails(int writers)
    {
        var (stored, failed) = (0, 0);
        var queue = new BatchQueue<Connection>(
            new MemoryStore(), new ConnectionSink(), new IngestOptions<Connection> { Writers = writers }, null,
            NullLogger.Instance, TestContext.Current.CancellationToken)
        {
            OnStored = (_, _) => { stored++; throw new IOException("stored"); },
            OnFailed = (_, _) => { failed++; throw new IOException("failed"); },
        };
        await using (queue)
        {
            await queue.AddAsync(Batch(queue));
            await queue.DrainAsync();
            Assert.False(await queue.AddAsync(Batch(queue)));

            var error = await Assert.ThrowsAsync<IOException>(queue.CompleteAsync);

            Assert.Equal(("stored", 1, 0, 1), (error.Message, stored, failed, queue.Unstored.Count));
        }
    }

    [Fact]
    public async Task Failure_is_thrown_though_the_telling_fails()
    {
        var queue = new BatchQueue<Connection>(
            new MemoryStore { BeforeBatch = _ => throw new IngestException("gone", "s", "k") }, new ConnectionSink(),
            new IngestOptions<Connection> { Writers = 2 }, null, NullLogger.Instance, TestContext.Current.CancellationToken)
        {
            OnFailed = (_, _) => throw new IOException("failed"),
        };
        await using (queue)
        {
            await queue.AddAsync(Batch(queue));
            await queue.DrainAsync();

            await Assert.ThrowsAsync<IngestException>(queue.CompleteAsync);
            Assert.Single(queue.Unstored);
        }
    }

    private static Batch<Connection> Batch(BatchQueue<Connection> queue)
    {
        var identity = RecordIdentity<Connection>.Named("k");
        identity.Batch = new Batch<Connection>("s", 0, identity, queue.TakeBuffer());
        identity.Batch.Add(Rows(1).Single(), DateTimeOffset.UnixEpoch);
        return identity.Batch;
    }
}
