using System.Diagnostics;
using System.Globalization;

namespace CobaltGraph.Cli.Tests;

/// <summary>The command as a process of its own, the way a shell starts it.</summary>
internal sealed class ChildCommand : IDisposable
{
    /// <summary>The number of SIGHUP.</summary>
    public const int HangUp = 1;

    private const int Interrupt = 2;

    private readonly Process _process;
    private readonly Task<string> _output;
    private readonly Task<string> _error;

    private ChildCommand(Process process)
    {
        _process = process;
        process.StandardInput.Close();
        _output = process.StandardOutput.ReadToEndAsync();
        _error = process.StandardError.ReadToEndAsync();
    }

    public static string Program { get; } = Path.Combine(
        AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "cobaltgraph.exe" : "cobaltgraph");

    public static ChildCommand Start(IReadOnlyDictionary<string, string?> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo(Program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        start.Environment["COBALTGRAPH_HOME"] = Path.Combine(AppContext.BaseDirectory, "cobaltgraph.dll", "no-such-home");
        foreach (var (name, value) in environment) start.Environment[name] = value;
        return new(Process.Start(start)!);
    }

    public int ProcessId => _process.Id;

    public async Task<CommandResult> WaitAsync()
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromSeconds(60));
        await _process.WaitForExitAsync(deadline.Token);
        return new(_process.ExitCode, await _output, await _error);
    }

    /// <summary>What Ctrl-C sends.</summary>
    public Task InterruptAsync() => SignalAsync(Ignores(Interrupt) ? "TERM" : "INT");

    public async Task SignalAsync(string signal, bool mayBeGone = false)
    {
        using var kill = Process.Start(new ProcessStartInfo(
            "/bin/sh", ["-c", string.Create(CultureInfo.InvariantCulture, $"kill -{signal} {_process.Id}")])
        {
            RedirectStandardError = true,
        })!;
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(mayBeGone || kill.ExitCode == 0, "There is nobody to signal.");
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }

    /// <summary>
    /// Whether a signal is ignored from the start: a shell starts what it puts in the background without SIGINT, nohup without
    /// SIGHUP, and children inherit that.
    /// </summary>
    public bool Ignores(int signal)
    {
        var status = $"/proc/{_process.Id}/status";
        if (!File.Exists(status)) return false;
        var ignored = File.ReadLines(status).First(line => line.StartsWith("SigIgn:", StringComparison.Ordinal));
        return (ulong.Parse(ignored.Split('\t')[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture) & (1UL << (signal - 1))) != 0;
    }
}
