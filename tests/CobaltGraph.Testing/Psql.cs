using System.Diagnostics;
using System.Globalization;
using System.Text;
using Npgsql;

namespace CobaltGraph.Testing;

/// <summary>The psql of the machine.</summary>
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
        string[] arguments = ["-q", "-v", "ON_ERROR_STOP=1", .. variables.SelectMany(variable => (string[])["-v", variable]), "-f", "-"];
        var result = await CallAsync(psql, connectionString, arguments, script, cancellationToken);
        if (result.ExitCode != 0)
            throw new InvalidOperationException($"psql ended with {result.ExitCode}: {result.Error}{result.Output}");
    }

    public static async Task<PsqlResult> CallAsync(
        string psql, string connectionString, string[] arguments, string input, CancellationToken cancellationToken)
    {
        using var process = Start(psql, connectionString, arguments);
        return await FinishAsync(process, input, cancellationToken);
    }

    public static async Task<PsqlResult> FinishAsync(Process process, string input, CancellationToken cancellationToken)
    {
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        try
        {
            await process.StandardInput.WriteAsync(input.AsMemory(), cancellationToken);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It stopped reading at an error, which it tells.
        }

        await process.WaitForExitAsync(cancellationToken);
        return new(process.ExitCode, await output, await errors);
    }

    public static Process Start(string psql, string connectionString, string[] arguments)
        => Process.Start(StartInfo(psql, connectionString, ["-X", .. arguments]))!;

    /// <summary>A program in the folder of the scripts, whose environment leads psql to the database.</summary>
    public static ProcessStartInfo StartInfo(string program, string connectionString, string[] arguments)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        return new(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
            WorkingDirectory = Repository.PathOf("Migrations.Sql", "scripts"),
            Environment =
            {
                ["PGHOST"] = settings.Host,
                ["PGPORT"] = settings.Port.ToString(CultureInfo.InvariantCulture),
                ["PGUSER"] = settings.Username,
                ["PGPASSWORD"] = settings.Password,
                ["PGDATABASE"] = settings.Database,
                ["PGAPPNAME"] = settings.ApplicationName,
            },
        };
    }
}
