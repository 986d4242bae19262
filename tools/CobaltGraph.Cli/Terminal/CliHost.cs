using System.Runtime.CompilerServices;
using System.Text;

namespace CobaltGraph.Cli.Terminal;

/// <summary>Everything the command uses of the process around it.</summary>
internal sealed class CliHost
{
    private const int WidthWhenUnknown = 80;

    /// <summary>Answers, and nothing else.</summary>
    public required TextWriter Output { get; init; }

    /// <summary>The same as bytes, for data instead of answers.</summary>
    public Func<Stream> OutputBytes { get; init; } = () => Stream.Null;

    /// <summary>Whether nobody reads the answers any more.</summary>
    public Func<bool> OutputIsBroken { get; init; } = () => false;

    /// <summary>Progress, notices, prompts, errors.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>
    /// Asked for only when something is read: a console that is read from sets up its terminal, which shows.
    /// </summary>
    public required Func<TextReader> Input { get; init; }

    /// <summary>The same as bytes, for data instead of answers. A read that is cancelled ends at once.</summary>
    public Func<Stream> InputBytes { get; init; } = () => Stream.Null;

    public required Func<string, string?> Environment { get; init; }

    public required string CurrentFolder { get; init; }

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    public bool OutputIsTerminal { get; init; }

    public bool ErrorIsTerminal { get; init; }

    public bool InputIsTerminal { get; init; }

    public int Width { get; init; } = WidthWhenUnknown;

    /// <summary>Whether escape sequences are wanted: NO_COLOR (no-color.org) and TERM=dumb say no.</summary>
    public bool Colour => string.IsNullOrEmpty(Environment("NO_COLOR")) && !IsDumb;

    /// <summary>Whether somebody watches who is helped by a moving progress bar.</summary>
    public bool LiveProgress => ErrorIsTerminal && Colour && !IsAutomated;

    /// <summary>Whether a question would be seen and could be answered.</summary>
    public bool CanPrompt => InputIsTerminal && ErrorIsTerminal && !IsAutomated;

    private bool IsDumb => Environment("TERM") == "dumb";

    private bool IsAutomated => Environment("CI") is { Length: > 0 } and not ("0" or "false");

    public static CliHost ForProcess()
    {
        // Own writers: the console's flush after each write, which makes long answers slow.
        var utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        var outputIsTerminal = !Console.IsOutputRedirected;
        var errorIsTerminal = !Console.IsErrorRedirected;
        if (OperatingSystem.IsWindows() && (outputIsTerminal || errorIsTerminal)) Console.OutputEncoding = utf8;

        var output = StandardOutput.Open(throws: false);
        return new()
        {
            Output = new StreamWriter(output, utf8, bufferSize: 1 << 14),
            OutputBytes = () => StandardOutput.Open(throws: true),
            OutputIsBroken = () => output is StandardOutput { IsBroken: true },
            Error = new StreamWriter(Console.OpenStandardError(), utf8) { AutoFlush = true },
            Input = () => Console.In,
            InputBytes = () => new CancellableStream(Console.OpenStandardInput()),
            Environment = System.Environment.GetEnvironmentVariable,
            CurrentFolder = Directory.GetCurrentDirectory(),
            OutputIsTerminal = outputIsTerminal,
            ErrorIsTerminal = errorIsTerminal,
            InputIsTerminal = !Console.IsInputRedirected,
            Width = WidthOfWindow(outputIsTerminal || errorIsTerminal),
        };
    }

    /// <summary>Rows for an answer, as long as somebody reads it.</summary>
    /// <exception cref="BrokenPipeException">Nobody does.</exception>
    public async IAsyncEnumerable<T> WhileReadAsync<T>(IAsyncEnumerable<T> rows, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var row in rows.WithCancellation(cancellationToken))
        {
            if (OutputIsBroken()) throw new BrokenPipeException();
            yield return row;
        }
    }

    /// <summary>Says something to the person who started the command.</summary>
    public void Notice(string message) => Error.WriteLine(SafeText.EscapeMessage(message));

    /// <summary>
    /// Asks for a yes. Without one, or without anybody to ask, the command ends as refused.
    /// </summary>
    /// <param name="question">What will happen, as a statement.</param>
    /// <param name="flag">The option that answers beforehand.</param>
    /// <param name="expected">What has to be typed, when y is too easily said; or null.</param>
    /// <param name="cancellationToken">Cancels the wait for an answer.</param>
    public async Task ConfirmAsync(
        string question, string flag, string? expected = null, CancellationToken cancellationToken = default)
    {
        if (!CanPrompt)
        {
            throw CliException.Refused(
                $"{question} That needs a yes, and there is no terminal to ask on.", $"Add {flag}.");
        }

        Notice(question);
        await Error.WriteAsync(SafeText.Escape(expected is null ? "Go on? [y/N] " : $"Type {expected} to go on: "));
        await Error.FlushAsync(cancellationToken);
        var answer = await Task.Run(() => Input().ReadLine(), cancellationToken).WaitAsync(cancellationToken);
        var yes = expected is null
            ? answer?.Trim().ToUpperInvariant() is "Y" or "YES"
            : answer?.Trim() == expected;
        if (!yes) throw CliException.Refused("Not confirmed. Nothing was changed.");
    }

    private static int WidthOfWindow(bool terminal)
    {
        try
        {
            return terminal && Console.WindowWidth > 0 ? Console.WindowWidth : WidthWhenUnknown;
        }
        catch (IOException)
        {
            return WidthWhenUnknown;
        }
    }
}
