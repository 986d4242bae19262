using System.Text;
using System.Text.Json;
using CobaltGraph.Cli.Terminal;

namespace CobaltGraph.Cli.Tests;

/// <summary>The command with everything around it made up: run in this process, through its entry point.</summary>
internal sealed class CommandRunner
{
    /// <summary>Nothing of this machine's environment reaches the command. Its home is below a file, where none can be made.</summary>
    public Dictionary<string, string?> Environment { get; } = new()
    {
        ["COBALTGRAPH_HOME"] = Path.Combine(AppContext.BaseDirectory, "cobaltgraph.dll", "no-such-home"),
    };

    public string Folder { get; init; } = Path.GetTempPath();

    public bool Terminal { get; init; }

    public string Input { get; init; } = "";

    public Stream InputBytes { get; init; } = Stream.Null;

    public int Width { get; init; } = 200;

    /// <summary>Gets what is written; null for a text in memory.</summary>
    public TextWriter? Output { get; init; }

    public CancellationToken CancellationToken { get; init; } = TestContext.Current.CancellationToken;

    public async Task<CommandResult> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        using var bytes = new MemoryStream();
        var host = new CliHost
        {
            Output = Output ?? TextWriter.Synchronized(output),
            OutputBytes = () => bytes,
            Error = TextWriter.Synchronized(error),
            Input = () => new StringReader(Input),
            InputBytes = () => InputBytes,
            Environment = name => Environment.GetValueOrDefault(name),
            CurrentFolder = Folder,
            OutputIsTerminal = Terminal,
            ErrorIsTerminal = Terminal,
            InputIsTerminal = Terminal,
            Width = Width,
        };
        var exitCode = await CommandTree.RunAsync(arguments, host, CancellationToken);
        return new(exitCode, output + Encoding.UTF8.GetString(bytes.ToArray()), error.ToString());
    }
}

internal sealed record CommandResult(int ExitCode, string Output, string Error)
{
    public JsonElement Json => JsonDocument.Parse(Output).RootElement;

    /// <summary>Rows of the first table, by column.</summary>
    public IReadOnlyList<IReadOnlyDictionary<string, string>> Rows
    {
        get
        {
            var lines = Output.TrimEnd('\n').Split('\n');
            var header = lines[0].Split('\t');
            return [.. lines.Skip(1).Select(line => header.Zip(line.Split('\t')).ToDictionary(c => c.First, c => c.Second))];
        }
    }

    public CommandResult Should(int exitCode)
    {
        Assert.True(exitCode == ExitCode, $"exit code {ExitCode}, expected {exitCode}\nstdout:\n{Output}\nstderr:\n{Error}");
        return this;
    }
}
