using System.Diagnostics;
using System.Text.Json;

namespace CobaltGraph.Benchmarks.Ingest;

/// <summary>Starts this program again for one run.</summary>
internal static class RunProcess
{
    /// <summary>The hidden verb that the new process is given.</summary>
    public const string Verb = "ingest-run";

    public static async Task<RunResult> RunAsync(RunOrder order, CancellationToken cancellationToken)
    {
        var program = typeof(RunProcess).Assembly.Location;
        var start = new ProcessStartInfo("dotnet", [program, Verb])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var error = process.StandardError.ReadToEndAsync(cancellationToken);
            await process.StandardInput.WriteAsync(JsonSerializer.Serialize(order, Json.Compact));
            process.StandardInput.Close();
            await process.WaitForExitAsync(cancellationToken);
            return process.ExitCode == 0
                ? JsonSerializer.Deserialize<RunResult>(await output, Json.Compact)!
                : throw new BenchmarkException(
                    $"The run of {order.Method} on {order.Rows} rows ended with {process.ExitCode}:{Environment.NewLine}{(await error).Trim()}");
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
    }
}
