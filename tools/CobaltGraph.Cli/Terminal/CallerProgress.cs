namespace CobaltGraph.Cli.Terminal;

/// <summary>
/// Reports on the caller's own thread. <see cref="Progress{T}"/> hands reports to the thread pool, where a later one
/// can come first and the last one after the end.
/// </summary>
internal sealed class CallerProgress<T>(Action<T> report) : IProgress<T>
{
    public void Report(T value) => report(value);
}
