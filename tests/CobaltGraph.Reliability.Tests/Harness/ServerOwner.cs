using System.Diagnostics;
using System.Runtime.CompilerServices;
using CobaltGraph.Reliability.Servers;

namespace CobaltGraph.Reliability.Tests.Harness;

/// <summary>This program again, as a process of its own that starts a server and waits to be killed.</summary>
internal sealed class ServerOwner : IDisposable
{
    private const string Variable = "COBALTGRAPH_RELIABILITY_OWNER";

    private readonly Process _process;

    private ServerOwner(Process process, string[] said)
    {
        _process = process;
        ServerProcessId = int.Parse(said[0]);
        Folder = said[1];
    }

    public int ServerProcessId { get; }

    public string Folder { get; }

    public static async Task<ServerOwner> StartAsync()
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "CobaltGraph.Reliability.Tests")) { RedirectStandardOutput = true };
        start.Environment[Variable] = "1";
        var process = Process.Start(start)!;
        var line = await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
        return new ServerOwner(process, Assert.IsType<string>(line).Split('\t'));
    }

    public void Kill() => _process.Kill();

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }

#pragma warning disable CA2255 // The only code that runs before the test runner's own entry point.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void RunIfAsked()
    {
        if (Environment.GetEnvironmentVariable(Variable) is null)
            return;
        var server = ServerControl.StartAsync().GetAwaiter().GetResult();
        Console.Out.WriteLine($"{server.ProcessId}\t{server.Folder}");
        Console.Out.Flush();
        Thread.Sleep(Timeout.Infinite);
    }
}
