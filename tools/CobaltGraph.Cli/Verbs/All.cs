using CobaltGraph.Cli.Terminal;

namespace CobaltGraph.Cli.Verbs;

/// <summary>The verbs in the order in which the help lists them.</summary>
internal static class All
{
    public static IEnumerable<VerbCommand> Create(CliHost host) =>
    [
    ];
}
