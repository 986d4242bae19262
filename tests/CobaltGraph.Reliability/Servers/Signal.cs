using System.ComponentModel;
using System.Runtime.InteropServices;

namespace CobaltGraph.Reliability.Servers;

/// <summary>Signals to processes that a test started.</summary>
public static class Signal
{
    private const int Kill = 9, Quit = 3, Term = 15;
    private const int NoSuchProcess = 3;

    private static readonly int Stop = OperatingSystem.IsMacOS() ? 17 : 19;
    private static readonly int Continue = OperatingSystem.IsMacOS() ? 19 : 18;

    /// <summary>SIGKILL: the process gets no time for anything.</summary>
    /// <returns>Whether the process was there.</returns>
    public static bool SendKill(int processId) => Send(processId, Kill);

    /// <summary>SIGQUIT: to the first process of a server, an immediate stop.</summary>
    /// <inheritdoc cref="SendKill"/>
    public static bool SendQuit(int processId) => Send(processId, Quit);

    /// <summary>SIGTERM: a request to end.</summary>
    /// <inheritdoc cref="SendKill"/>
    public static bool SendTerminate(int processId) => Send(processId, Term);

    /// <summary>SIGSTOP: the process stands still until it is told to go on.</summary>
    /// <inheritdoc cref="SendKill"/>
    public static bool SendStop(int processId) => Send(processId, Stop);

    /// <summary>SIGCONT: a process that stands still goes on.</summary>
    /// <inheritdoc cref="SendKill"/>
    public static bool SendContinue(int processId) => Send(processId, Continue);

    private static bool Send(int processId, int signal)
    {
        // Zero and below mean groups of processes, our own among them.
        ArgumentOutOfRangeException.ThrowIfLessThan(processId, 2);
        if (SystemKill(processId, signal) == 0)
            return true;
        var error = Marshal.GetLastPInvokeError();
        return error == NoSuchProcess
            ? false
            : throw new Win32Exception(error, $"Signal {signal} cannot be sent to process {processId}: {Marshal.GetPInvokeErrorMessage(error)}.");
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SystemKill(int processId, int signal);
}
