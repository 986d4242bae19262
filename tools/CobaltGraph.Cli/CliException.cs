namespace CobaltGraph.Cli;

/// <summary>Ends the command with a message for its user and an exit code.</summary>
internal sealed class CliException(int exitCode, string message, string? next = null, Exception? inner = null)
    : Exception(message, inner)
{
    public int ExitCode { get; } = exitCode;

    /// <summary>What to do next.</summary>
    public string? Next { get; } = next;

    public static CliException Failed(string message, string? next = null, Exception? inner = null)
        => new(Cli.ExitCode.Failed, message, next, inner);

    public static CliException Refused(string message, string? next = null)
        => new(Cli.ExitCode.Refused, message, next);

    public static CliException Usage(string message, string? next = null)
        => new(Cli.ExitCode.Usage, message, next);
}
