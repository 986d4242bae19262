using System.Diagnostics;

namespace CobaltGraph.Data.Tests.Import;

// Counts what the whole process allocates, so nothing may run beside it.
[CollectionDefinition(nameof(GzipMemoryTests), DisableParallelization = true)]
[Collection(nameof(GzipMemoryTests))]
public class GzipMemoryTests
{
    [Fact]
    public async Task Bomb_of_ten_gigabytes_ends_early_in_little_memory()
    {
        // A thousand members of ten megabytes.
        var member = Logs.Gzip(new byte[10_000_000]);
        byte[] packed = [.. Logs.Gzip(Logs.GoodJson + "\n"), .. Enumerable.Repeat(member, 1000).SelectMany(m => m)];
        Assert.InRange(packed.Length, 1_000_000, 20_000_000);

        var watch = Stopwatch.StartNew();
        var before = GC.GetTotalAllocatedBytes(precise: true);
        var reading = await Logs.ReadAsync(packed);

        Assert.Contains("unpack to more than", reading.Error, StringComparison.Ordinal);
        Assert.Single(reading.Connections);
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 60_000_000);
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 10);
    }
}
