namespace CobaltGraph.Data.Tests.Import;

/// <summary>The most managed memory in use at any moment since it was made, garbage that is not yet collected included.</summary>
internal sealed class MemoryPeak : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(5);

    private readonly ManualResetEventSlim _isOver = new();
    private readonly Thread _sampler;
    private long _peak;

    public MemoryPeak()
    {
        _peak = GC.GetTotalMemory(forceFullCollection: true);
        // A thread of its own, for those of the pool are the ones that are watched.
        _sampler = new Thread(Sample) { IsBackground = true, Priority = ThreadPriority.AboveNormal };
        _sampler.Start();
    }

    /// <summary>Ends it and gives the bytes.</summary>
    public long Stop()
    {
        _isOver.Set();
        _sampler.Join();
        return _peak;
    }

    public void Dispose()
    {
        Stop();
        _isOver.Dispose();
    }

    private void Sample()
    {
        do
            _peak = Math.Max(_peak, GC.GetTotalMemory(forceFullCollection: false));
        while (!_isOver.Wait(Interval));
    }
}
