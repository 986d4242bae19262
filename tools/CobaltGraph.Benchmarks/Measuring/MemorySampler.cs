namespace CobaltGraph.Benchmarks.Measuring;

/// <summary>Memory of this process, in bytes.</summary>
/// <param name="WorkingSet">What the operating system has given it.</param>
/// <param name="Heap">What is on the managed heap, garbage included.</param>
internal readonly record struct MemoryReading(long WorkingSet, long Heap)
{
    public static MemoryReading Now() => new(Environment.WorkingSet, GC.GetTotalMemory(forceFullCollection: false));
}

/// <summary>Looks at this process's memory as long as it lives.</summary>
internal sealed class MemorySampler : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    private readonly ManualResetEventSlim _stop = new();
    private readonly Thread _thread;
    private MemoryReading _peak;

    public MemorySampler()
    {
        // Not a timer: the pool's threads are the work's.
        _thread = new Thread(Sample) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>The highest reading of each kind so far.</summary>
    public MemoryReading Peak
    {
        get
        {
            lock (_stop)
            {
                var now = MemoryReading.Now();
                return _peak = new(Math.Max(_peak.WorkingSet, now.WorkingSet), Math.Max(_peak.Heap, now.Heap));
            }
        }
    }

    public void Dispose()
    {
        _stop.Set();
        _thread.Join();
        _stop.Dispose();
    }

    private void Sample()
    {
        while (!_stop.Wait(Interval))
            _ = Peak;
    }
}
