using System.CommandLine;
using CobaltGraph.Cli.Terminal;

namespace CobaltGraph.Cli;

/// <summary>A verb: its options, its examples, and how its action's errors end.</summary>
internal sealed class VerbCommand : Command
{
    public VerbCommand(string name, string description, params string[] examples)
        : base(name, description)
        => Examples = examples;

    /// <summary>Command lines for the help, each with what it is for after a <c>#</c>, or none.</summary>
    public IReadOnlyList<string> Examples { get; }

    /// <summary>Sets what the verb does.</summary>
    public void OnRun(CliHost host, Func<VerbCall, CancellationToken, Task<int>> action)
        => SetAction(async (parse, cancellationToken) =>
        {
            var call = new VerbCall(host, parse, Name);
            try
            {
                var code = await action(call, cancellationToken);
                await host.Output.FlushAsync(CancellationToken.None);
                return code == ExitCode.Done && host.OutputIsBroken() ? ExitCode.BrokenPipe : code;
            }
            catch (Exception e)
            {
                var code = ErrorReport.Write(call, e, cancellationToken);
                await host.Output.FlushAsync(CancellationToken.None);
                return code;
            }
        });
}
