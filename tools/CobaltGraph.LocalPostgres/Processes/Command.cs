using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace CobaltGraph.LocalPostgres.Processes;

internal sealed record CommandResult(int ExitCode, string Output, string Error)
{
    /// <summary>The last lines of what the command said, for an error message.</summary>
    public string Tail(int lines = 6) => LastLines(Error.Length > 0 ? Error : Output, lines);

    public static string LastLines(string text, int lines)
    {
        var all = text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return string.Join(Environment.NewLine, all.TakeLast(lines).Select(line => "  " + line));
    }
}

internal sealed record Command(string FileName, params string[] Arguments)
{
    public ServerAccount Account { get; init; } = ServerAccount.Self;

    public string? Input { get; init; }

    public string? WorkingDirectory { get; init; }

    /// <summary>Whether a command that is given up takes its children along; pg_ctl must not, for one is the server.</summary>
    public bool KillChildren { get; init; } = true;

    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(2);

    public static Command Shell(string script, params string[] arguments) => new("/bin/sh", ["-c", script, "sh", .. arguments]);

    public async Task<CommandResult> RunAsync(CancellationToken cancellationToken = default)
    {
        using var process = Start(redirectOutput: true);
        var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var error = process.StandardError.ReadToEndAsync(CancellationToken.None);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Timeout);
        try
        {
            if (Input is not null)
                await process.StandardInput.WriteAsync(Input.AsMemory(), deadline.Token);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The command ended without reading; its exit code tells why.
        }

        try
        {
            await process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(KillChildren);
            process.WaitForExit(TimeSpan.FromSeconds(5));
            cancellationToken.ThrowIfCancellationRequested();
            throw new LocalPostgresException(
                $"{Path.GetFileName(FileName)} did not end within {Timeout.TotalSeconds:0} s and was stopped. Try again when the machine is less busy.");
        }

        // On Windows a server inherits the pipes, and they stay open for as long as it runs.
        await Task.WhenAny(Task.WhenAll(output, error), Task.Delay(TimeSpan.FromSeconds(2), CancellationToken.None));
        return new CommandResult(process.ExitCode, Finished(output), Finished(error));

        static string Finished(Task<string> task) => task.IsCompletedSuccessfully ? task.Result.Trim() : "";
    }

    public Process Start(bool redirectOutput)
    {
        var start = new ProcessStartInfo(FileName, Arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = redirectOutput,
            RedirectStandardError = redirectOutput,
            UseShellExecute = false,
            CreateNoWindow = true,
            // The current folder may be out of reach for the server's account.
            WorkingDirectory = WorkingDirectory ?? Path.GetPathRoot(Environment.CurrentDirectory) ?? "/",
        };
        if (redirectOutput)
        {
            start.StandardOutputEncoding = Encoding.UTF8;
            start.StandardErrorEncoding = Encoding.UTF8;
        }

        // The user's own PGDATA, PGPORT, … are about another server, and messages are read in English.
        foreach (var name in start.Environment.Keys.Where(IsForeign).ToList())
            start.Environment.Remove(name);
        start.Environment["LC_ALL"] = "C";
        if (Account.Name is { } account && !OperatingSystem.IsWindows())
            start.UserName = account;
        try
        {
            return Process.Start(start) ?? throw new LocalPostgresException($"{FileName} did not start.");
        }
        catch (Win32Exception failure)
        {
            var as_ = Account.Name is null ? "" : $" as user {Account.Name}";
            throw new LocalPostgresException($"{FileName} cannot be run{as_}: {failure.Message}.", failure);
        }
    }

    private static bool IsForeign(string name) =>
        name.StartsWith("PG", StringComparison.Ordinal)
        || name.StartsWith("COBALTGRAPH_CONNECTION", StringComparison.Ordinal)
        || name is "LANGUAGE" or "LC_MESSAGES";
}
