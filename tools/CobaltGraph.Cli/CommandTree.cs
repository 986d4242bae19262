using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using CobaltGraph.Cli.Terminal;

namespace CobaltGraph.Cli;

/// <summary>The command's verbs, and how a command line is read and run.</summary>
internal static class CommandTree
{
    private static readonly string[] Codes =
    [
        "0    done, or nothing to do",
        "1    failed",
        "2    looked up or checked, and not there or not as wanted",
        "3    refused by a guard",
        "64   the command line is wrong",
        "130  interrupted",
        "141  nobody read the answer to its end",
    ];

    public static RootCommand Create(CliHost host)
    {
        var root = new RootCommand("CobaltGraph: network devices and their connections in PostgreSQL.");
        foreach (var verb in Verbs.All.Create(host)) root.Add(verb);

        root.Add(CommonOptions.Verbose);
        var version = root.Options.OfType<VersionOption>().Single();
        version.Action = new PrintVersion(host);
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new PrintHelp((HelpAction)help.Action!, host);
        return root;
    }

    /// <summary>Runs a command line. Everything it does to the outside goes through the host.</summary>
    public static async Task<int> RunAsync(
        IReadOnlyList<string> arguments, CliHost host, CancellationToken cancellationToken)
    {
        var root = Create(host);
        var parse = root.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        try
        {
            if (parse.Errors.Count > 0 && parse.Action is ParseErrorAction)
            {
                WriteUsageError(parse, host);
                return ExitCode.Usage;
            }

            return await parse.InvokeAsync(
                new InvocationConfiguration
                {
                    Output = host.Output,
                    Error = host.Error,
                    EnableDefaultExceptionHandler = false,
                    // The process handles its signals itself; the token that comes in here is theirs.
                    ProcessTerminationTimeout = null,
                },
                cancellationToken);
        }
        finally
        {
            await host.Output.FlushAsync(CancellationToken.None);
        }
    }

    private static void WriteUsageError(ParseResult parse, CliHost host)
    {
        var command = parse.CommandResult.Command;
        var name = command is RootCommand ? "cobaltgraph" : $"cobaltgraph {command.Name}";
        if (command is RootCommand && parse.Tokens.Count == 0)
        {
            host.Notice("cobaltgraph: say what to do.");
            host.Notice("`cobaltgraph demo` shows everything once; `cobaltgraph --help` lists the verbs.");
            return;
        }

        // The choices of an option come on indented lines; on the same line they need no escaping.
        var messages = parse.Errors
            .Select(error => error.Message.ReplaceLineEndings("\n")
                .Replace(":\n\t", ": ", StringComparison.Ordinal).Replace("\n\t", ", ", StringComparison.Ordinal))
            .Distinct().ToList();
        // Of a verb that is not one, it also says that there is none.
        if (parse.UnmatchedTokens.Count > 0 && messages.Count > parse.UnmatchedTokens.Count) messages.RemoveAt(0);
        foreach (var message in messages) host.Notice($"{name}: {message}");

        var known = command.Subcommands.Select(verb => verb.Name)
            .Concat(command.Options.Where(option => !option.Hidden).Select(option => option.Name))
            .ToList();
        foreach (var token in parse.UnmatchedTokens)
        {
            if (Data.NearestName.Find(token, known) is { } near)
                host.Notice($"Did you mean {near}?");
        }

        host.Notice($"See `{name} --help`.");
    }

    private sealed class PrintHelp : SynchronousCommandLineAction
    {
        private readonly HelpAction _help;
        private readonly CliHost _host;

        public PrintHelp(HelpAction help, CliHost host)
        {
            _help = help;
            _host = host;
            // The width of a window decides only where there is one: redirected, the text is always the same.
            help.MaxWidth = host.OutputIsTerminal ? Math.Max(60, host.Width) : 100;
        }

        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            _help.Invoke(parseResult);
            if (parseResult.CommandResult.Command is VerbCommand verb)
            {
                WriteBlock(verb.Examples.Count == 1 ? "Example:" : "Examples:", verb.Examples);
                return ExitCode.Done;
            }

            WriteBlock("Examples:", ["cobaltgraph demo", "cobaltgraph devices --status active"]);
            _host.Output.WriteLine();
            WriteBlock("Exit codes:", Codes);
            return ExitCode.Done;
        }

        private void WriteBlock(string title, IEnumerable<string> lines)
        {
            _host.Output.WriteLine(title);
            foreach (var line in lines) _host.Output.WriteLine($"  {line}");
        }
    }

    private sealed class PrintVersion(CliHost host) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            host.Output.WriteLine($"cobaltgraph {Tool.Version}");
            return ExitCode.Done;
        }
    }
}
