using Microsoft.Extensions.Logging;

namespace CobaltGraph.Cli.Terminal;

/// <summary>Tells the person who started the command what the library warns of.</summary>
internal sealed class NoticeLogger(CliHost host) : ILogger, ILoggerFactory
{
    public ILogger CreateLogger(string categoryName) => this;

    // What ends the work is told with it.
    public bool IsEnabled(LogLevel logLevel) => logLevel == LogLevel.Warning;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
        => null;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
            host.Notice($"warning: {formatter(state, exception)}{(exception is null ? "" : $" ({exception.Message})")}");
    }

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public void Dispose()
    {
    }
}
