using System.Text;
using Spectre.Console;

namespace CobaltGraph.Cli.Terminal;

/// <summary>Spectre.Console on one of the command's own writers.</summary>
internal static class Consoles
{
    public static IAnsiConsole For(CliHost host, TextWriter writer)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = host.Colour ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = host.Colour ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = host.LiveProgress ? InteractionSupport.Yes : InteractionSupport.No,
            Out = new Target(writer, host.Width),
            // The host has looked at NO_COLOR, CI and TERM already.
            Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false },
        });
        console.Profile.Capabilities.Unicode = true;
        return console;
    }

    private sealed class Target(TextWriter writer, int width) : IAnsiConsoleOutput
    {
        public TextWriter Writer => writer;

        public bool IsTerminal => true;

        public int Width => width;

        public int Height => 24;

        public void SetEncoding(Encoding encoding)
        {
        }
    }
}
