using System.Diagnostics;
using System.Runtime.InteropServices;
using CobaltGraph.Cli;
using CobaltGraph.Cli.Terminal;

// timeout(1) and some shells signal a process and its group, which makes two of one.
var echo = TimeSpan.FromSeconds(1);
using var interrupt = new CancellationTokenSource();
var first = 0L;

// The first signal asks the verb to stop and lets it clean up; a later one ends the process at once.
void OnSignal(PosixSignalContext context)
{
    var before = Interlocked.CompareExchange(ref first, Stopwatch.GetTimestamp(), 0);
    context.Cancel = before == 0 || Stopwatch.GetElapsedTime(before) < echo;
    interrupt.Cancel();
}

using var sigint = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
using var sigterm = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
using var sighup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnSignal);

return await CommandTree.RunAsync(args, CliHost.ForProcess(), interrupt.Token);
