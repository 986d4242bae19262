using System.Diagnostics;
using CobaltGraph.LocalPostgres.Processes;

namespace CobaltGraph.LocalPostgres.Servers;

/// <summary>A throw-away server on Windows, where there are neither named pipes in folders nor sessions to leave.</summary>
internal sealed class WindowsServer : IDisposable
{
    private readonly Process _guard;

    private WindowsServer(Process guard) => _guard = guard;

    public static async Task<IDisposable> StartAsync(
        TemporaryServerRun run, PostgresInstallation installation, IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(run.Folder);
        var password = Path.Combine(run.Folder, "password");
        await File.WriteAllTextAsync(password, run.Password, cancellationToken);
        var initialized = await new Command(
            installation.InitDb, "-D", run.Data, "-U", "postgres", "-A", "scram-sha-256", "--pwfile=" + password,
            "-E", "UTF8", "--locale=C", "--no-sync").RunAsync(cancellationToken);
        File.Delete(password);
        if (initialized.ExitCode != 0)
            throw new LocalPostgresException($"A test server could not be made in {run.Data}:{Environment.NewLine}{initialized.Tail()}");

        var configuration = arguments.Where(argument => argument != "-c")
            .Select(argument => argument.Split('=', 2))
            .Select(pair => $"{pair[0]} = '{pair[1].Replace("'", "''", StringComparison.Ordinal)}'");
        await File.AppendAllLinesAsync(Path.Combine(run.Data, "postgresql.conf"), configuration, cancellationToken);

        // sort reads to the end of its input, which comes when this process ends.
        var script = $"sort >nul & \"{installation.PgCtl}\" -D \"{run.Data}\" -m immediate -w stop & rmdir /s /q \"{run.Folder}\"";
        var guard = Process.Start(new ProcessStartInfo("cmd.exe", $"/d /s /c \"{script}\"")
        {
            RedirectStandardInput = true,
            UseShellExecute = false,
            CreateNoWindow = true,
        })!;
        var started = await new Command(installation.PgCtl, "-D", run.Data, "-l", run.Log, "-w", "start").RunAsync(cancellationToken);
        if (started.ExitCode != 0)
            await File.WriteAllTextAsync(run.Exit, "1", cancellationToken);
        return new WindowsServer(guard);
    }

    public void Dispose()
    {
        _guard.StandardInput.Close();
        _guard.Dispose();
    }
}
