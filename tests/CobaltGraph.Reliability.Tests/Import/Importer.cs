using System.Diagnostics;
using CobaltGraph.Reliability.Servers;

namespace CobaltGraph.Reliability.Tests.Import;

/// <summary><c>cobaltgraph import</c> as a process of its own, which can be killed and made to stand still.</summary>
internal sealed class Importer : IDisposable
{
    private readonly Process _process;
    private readonly Task<string> _output;
    private readonly Task<string> _error;

    private Importer(Process process)
    {
        _process = process;
        process.StandardInput.Close();
        _output = process.StandardOutput.ReadToEndAsync();
        _error = process.StandardError.ReadToEndAsync();
    }

    public bool HasEnded => _process.HasExited;

    public static Importer Start(string connectionString, params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "cobaltgraph"), ["import", .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        start.Environment["COBALTGRAPH_CONNECTION"] = connectionString;
        start.Environment["COBALTGRAPH_HOME"] = Path.Combine(Path.GetTempPath(), "cobaltgraph-reliability-no-such-home");
        return new Importer(Process.Start(start)!);
    }

    /// <summary>Kills it, unless it has ended already.</summary>
    /// <returns>Whether it was killed.</returns>
    public async Task<bool> KillAsync()
    {
        if (!_process.HasExited)
            Signal.SendKill(_process.Id);
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
        // 128 and the number of the signal.
        return _process.ExitCode == 137;
    }

    public void Stop() => Assert.True(Signal.SendStop(_process.Id));

    public void Continue() => Assert.True(Signal.SendContinue(_process.Id));

    public async Task<(int ExitCode, string Output, string Error)> WaitAsync()
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromMinutes(3));
        await _process.WaitForExitAsync(deadline.Token);
        return (_process.ExitCode, await _output, await _error);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }
}
