using System.CommandLine;
using System.CommandLine.Invocation;
using CobaltGraph.Benchmarks;
using CobaltGraph.Benchmarks.Adopt;
using CobaltGraph.Benchmarks.Ingest;
using CobaltGraph.Benchmarks.Queries;
using CobaltGraph.Data;
using CobaltGraph.LocalPostgres;

var run = new Command(RunProcess.Verb, "One run, ordered on standard input.") { Hidden = true };
run.SetAction((_, cancellationToken) => TimedRun.ServeAsync(Console.In, Console.Out, cancellationToken));
var memoryRun = new Command(RunProcess.MemoryVerb, "A stream whose memory is watched, ordered on standard input.") { Hidden = true };
memoryRun.SetAction((_, cancellationToken) => MemoryRun.ServeAsync(Console.In, Console.Out, Console.Error.WriteLine, cancellationToken));
var root = new RootCommand("Measures CobaltGraph against the other ways of doing the same work.")
{
    IngestCommand.Create(),
    QueriesCommand.Create(),
    AdoptCommand.Create(),
    run,
    memoryRun,
};

var parse = root.Parse(args);
if (parse.Errors.Count > 0 && parse.Action is ParseErrorAction)
{
    await parse.InvokeAsync();
    return 64;
}

try
{
    // Longer than the default, so that the server and its files are gone when the process is.
    return await parse.InvokeAsync(
        new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeSpan.FromSeconds(30) });
}
catch (OperationCanceledException)
{
    Console.Error.WriteLine("Interrupted.");
    return 130;
}
catch (Exception failure) when (failure is BenchmarkException or LocalPostgresException or DatabaseSettingsException)
{
    Console.Error.WriteLine(failure.Message);
    return 1;
}
catch (Exception failure)
{
    // Of a tool for those who work on the code: where it broke is what they want to know.
    Console.Error.WriteLine(failure);
    return 1;
}
