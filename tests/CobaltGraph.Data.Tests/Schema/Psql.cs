using System.Diagnostics;
using CobaltGraph.Testing;
using Npgsql;

namespace CobaltGraph.Data.Tests.Schema;

internal static class Psql
{
    public static string? Find()
        => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, OperatingSystem.IsWindows() ? "psql.exe" : "psql"))
            .FirstOrDefault(File.Exists);

    public static Task RunAsync(string psql, TestDatabase database, string script, CancellationToken cancellationToken)
        => RunAsync(psql, database.ConnectionString, script, [], cancellationToken);

    public static async Task RunAsync(
        string psql, string connectionString, string script, IEnumerable<string> variables, CancellationToken cancellationToken)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        string[] arguments = ["-X", "-q", "-v", "ON_ERROR_STOP=1", .. variables.SelectMany(variable => (string[])["-v", variable]), "-f", "-"];
        var start = new ProcessStartInfo(psql, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        start.Environment["PGHOST"] = settings.Host;
        start.Environment["PGPORT"] = settings.Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        start.Environment["PGUSER"] = settings.Username;
        start.Environment["PGPASSWORD"] = settings.Password;
        start.Environment["PGDATABASE"] = settings.Database;

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        await process.StandardInput.WriteAsync(script.AsMemory(), cancellationToken);
        process.StandardInput.Close();
        await process.WaitForExitAsync(cancellationToken);

        Assert.True(process.ExitCode == 0, $"psql ended with {process.ExitCode}: {await errors}{await output}");
    }
}
