using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace CobaltGraph.Benchmarks.Ingest;

/// <summary>Starts this program again, so that memory and compiled code are those of one run alone.</summary>
internal static class RunProcess
{
    /// <summary>The hidden verb for one run of one method.</summary>
    public const string Verb = "ingest-run";

    /// <summary>The hidden verb for a stream whose memory is watched.</summary>
    public const string MemoryVerb = "ingest-memory";

    /// <summary>Runs an order. It goes to standard input, because it holds a password; the result comes from standard output.</summary>
    /// <param name="verb">One of the above.</param>
    /// <param name="order">What to do.</param>
    /// <param name="title">The run in words, for an error.</param>
    /// <param name="say">Told what the run says meanwhile.</param>
    /// <param name="cancellationToken">Ends the process.</param>
    public static async Task<TResult> RunAsync<TOrder, TResult>(
        string verb, TOrder order, string title, Action<string> say, CancellationToken cancellationToken)
    {
        var program = typeof(RunProcess).Assembly.Location;
        var start = new ProcessStartInfo("dotnet", [program, verb])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var said = SayAsync();
            await process.StandardInput.WriteAsync(JsonSerializer.Serialize(order, Json.Compact));
            process.StandardInput.Close();
            await process.WaitForExitAsync(cancellationToken);
            var error = await said;
            return process.ExitCode == 0
                ? JsonSerializer.Deserialize<TResult>(await output, Json.Compact)!
                : throw new BenchmarkException($"{title} ended with {process.ExitCode}:{Environment.NewLine}{error.Trim()}");
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }

        async Task<string> SayAsync()
        {
            var all = new StringBuilder();
            while (await process.StandardError.ReadLineAsync(cancellationToken) is { } line)
            {
                all.AppendLine(line);
                say(line);
            }

            return all.ToString();
        }
    }
}
