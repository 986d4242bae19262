using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace CobaltGraph.LocalPostgres.Tests;

/// <summary>
/// This program again, as a process of its own that starts a server and prints its port: something that a test can
/// kill. It then waits, unless it was asked to end.
/// </summary>
internal sealed class Owner : IDisposable
{
    private const string Variable = "COBALTGRAPH_TEST_OWNER";

    private readonly Process _process;

    private Owner(Process process, string[] said)
    {
        _process = process;
        Port = int.Parse(said[0]);
        Folder = said[1];
    }

    public int Port { get; }

    public string Folder { get; }

    public static Task<Owner> OfTemporaryServerAsync() => StartAsync("temporary", "");

    public static Task<Owner> OfSharedServerAsync(string key) => StartAsync("shared", key);

    public static Task<Owner> OfUserServerAsync(string home) => StartAsync("user", home);

    public void Kill(bool wholeTree = false)
    {
        _process.Kill(wholeTree);
        _process.WaitForExit();
    }

    public Task WaitForExitAsync(CancellationToken cancellationToken) => _process.WaitForExitAsync(cancellationToken);

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }

    private static async Task<Owner> StartAsync(string kind, string argument)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "CobaltGraph.LocalPostgres.Tests");
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true };
        start.Environment[Variable] = $"{kind}\n{argument}";
        var process = Process.Start(start)!;
        var line = await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
        return new Owner(process, Assert.IsType<string>(line).Split('\t'));
    }

#pragma warning disable CA2255 // The only code that runs before the test runner's own entry point.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void RunIfAsked()
    {
        if (Environment.GetEnvironmentVariable(Variable)?.Split('\n') is not [var kind, var argument])
            return;
        Environment.SetEnvironmentVariable(Variable, null);
        switch (kind)
        {
            case "temporary":
                var temporary = TemporaryServer.StartAsync().GetAwaiter().GetResult();
                Say(temporary.Port, temporary.Folder);
                Thread.Sleep(Timeout.Infinite);
                break;
            case "shared":
                var shared = TemporaryServer.ShareAsync(argument).GetAwaiter().GetResult();
                Say(shared.Port, shared.Folder);
                Thread.Sleep(Timeout.Infinite);
                break;
            case "user":
                var user = UserServerTestBase.ServerIn(argument).StartAsync().GetAwaiter().GetResult();
                Say(user.Port, user.DataDirectory);
                Environment.Exit(0);
                break;
        }

        static void Say(int port, string folder)
        {
            Console.Out.WriteLine($"{port}\t{folder}");
            Console.Out.Flush();
        }
    }
}
