using System.Runtime.InteropServices;
using CobaltGraph.Cli;
using CobaltGraph.Cli.Terminal;

using var interrupt = new CancellationTokenSource();

// The first signal asks the verb to stop and lets it clean up; the second one ends the process at once.
void OnSignal(PosixSignalContext context)
{
    context.Cancel = !interrupt.IsCancellationRequested;
    interrupt.Cancel();
}

using var sigint = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
using var sigterm = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
using var sighup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnSignal);

return await CommandTree.RunAsync(args, CliHost.ForProcess(), interrupt.Token);
