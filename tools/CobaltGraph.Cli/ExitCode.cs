namespace CobaltGraph.Cli;

/// <summary>What the command's exit codes mean. They are part of its interface: a number is never reused.</summary>
internal static class ExitCode
{
    /// <summary>Done, or there was nothing to do.</summary>
    public const int Done = 0;

    /// <summary>It failed.</summary>
    public const int Failed = 1;

    /// <summary>It was looked up or checked, and is not there or not as wanted.</summary>
    public const int NotAsWanted = 2;

    /// <summary>A guard refused: data is there already, or nobody said yes.</summary>
    public const int Refused = 3;

    /// <summary>The command line is wrong (EX_USAGE of sysexits.h).</summary>
    public const int Usage = 64;

    /// <summary>Interrupted by Ctrl-C or SIGTERM.</summary>
    public const int Interrupted = 130;

    /// <summary>Whoever read the answer stopped before its end, as <c>head</c> does: what a shell says of SIGPIPE.</summary>
    public const int BrokenPipe = 141;
}
