using Microsoft.Extensions.Logging;

namespace CobaltGraph.Data.Ingest;

internal static partial class IngestLog
{
    [LoggerMessage(1, LogLevel.Warning, "Batch '{BatchKey}' of source '{Source}' failed, try {Attempt} of {MaxAttempts}; the next one in {Delay}.")]
    public static partial void Retrying(
        ILogger logger, Exception exception, string source, string batchKey, int attempt, int maxAttempts, TimeSpan delay);

    [LoggerMessage(2, LogLevel.Information, "Batch '{BatchKey}' of source '{Source}' is stored in parts: {Reason}")]
    public static partial void Splitting(ILogger logger, string source, string batchKey, string reason);

    [LoggerMessage(3, LogLevel.Information, "Server process {Pid}, which still worked for a lost connection, was ended.")]
    public static partial void EndedStale(ILogger logger, int pid);

    [LoggerMessage(5, LogLevel.Error, "Storing ends, for the application's own code failed that was told of it; what is stored stays so.")]
    public static partial void CallbackFailed(ILogger logger, Exception exception);

    [LoggerMessage(4, LogLevel.Error, "Storing ended: {Reason}")]
    public static partial void Failed(ILogger logger, Exception exception, string reason);
}
