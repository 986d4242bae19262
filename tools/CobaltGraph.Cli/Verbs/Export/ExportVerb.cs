using System.CommandLine;
using CobaltGraph.Cli.Terminal;
using CobaltGraph.Data.Export;

namespace CobaltGraph.Cli.Verbs.Export;

internal static class ExportVerb
{
    private const string Connections = "connections";
    private const string Devices = "devices";

    public static VerbCommand Create(CliHost host)
    {
        var what = new Argument<string>("what")
        {
            HelpName = $"{Connections}|{Devices}",
            Description = "What to write.",
        };
        what.AcceptOnlyFromAmong(Connections, Devices);
        var format = new Option<string?>("--format")
        {
            HelpName = "csv|ndjson",
            Description = "CSV with a header, or one JSON object per line. Without it the name of the file tells, and else it is ndjson.",
        };
        format.AcceptOnlyFromAmong("csv", "ndjson");
        var output = new Option<string?>("--output", "-o")
        {
            HelpName = "file",
            Description = "Write to this file instead of stdout, packed when its name ends in .gz. It is there once it is complete.",
        };
        var filters = new ConnectionFilterOptions(host);

        var verb = new VerbCommand(
            "export",
            "Write connections or devices as they are at one moment, for other programs and for `cobaltgraph import`.",
            "cobaltgraph export connections --output connections.csv.gz",
            "cobaltgraph export connections --level high,critical --since 7d --format csv > threats.csv",
            "cobaltgraph export devices --output devices.ndjson");
        verb.Add(what);
        verb.Add(format);
        verb.Add(output);
        filters.AddTo(verb);
        verb.Add(CommonOptions.Connection);
        verb.OnRun(host, async (call, cancellationToken) =>
        {
            var parse = call.Parse;
            var ofDevices = parse.GetValue(what) == Devices;
            if (ofDevices && filters.FirstGiven(parse) is { } given)
                throw CliException.Usage($"{given} is a filter of connections; an export of devices has all of them.");
            var filter = filters.Read(parse);
            var name = parse.GetValue(output);
            var path = name is null ? null : PathOf(host, name);
            if (path is null && host.OutputIsTerminal)
            {
                throw CliException.Usage(
                    "An export is data for a file or a program, and not made safe to show.", "Name a file with --output, or redirect.");
            }

            await using var database = await call.OpenDatabaseAsync(cancellationToken);
            var service = new ExportService(database.DataSource);
            var result = await ReadToItsEndAsync(() => WorkProgress.RunAsync(host, "export", "rows", async progress =>
            {
                var rows = new CallerProgress<long>(count => progress.Report(new(count, null)));
                var kind = FormatOf(parse.GetValue(format), name);
                if (path is not null)
                {
                    return ofDevices
                        ? await service.ExportDevicesAsync(path, kind, rows, cancellationToken)
                        : await service.ExportConnectionsAsync(path, kind, filter, rows, cancellationToken);
                }

                await using var stdout = host.OutputBytes();
                return ofDevices
                    ? await service.ExportDevicesAsync(stdout, kind, rows, cancellationToken)
                    : await service.ExportConnectionsAsync(stdout, kind, filter, rows, cancellationToken);
            }));
            host.Notice($"Wrote {Cell.Display(result.Rows)} {(result.Rows == 1 ? "row" : "rows")}{(path is null ? "" : $" to {path}")}.");
            return ExitCode.Done;
        });
        return verb;
    }

    /// <summary>Of an answer its reader may take a part; of data that is said.</summary>
    private static async Task<T> ReadToItsEndAsync<T>(Func<Task<T>> export)
    {
        try
        {
            return await export();
        }
        catch (BrokenPipeException e)
        {
            throw CliException.Failed($"{e.Message} Not all rows were written.");
        }
    }

    private static ExportFormat FormatOf(string? format, string? file)
    {
        var csv = format is not null
            ? format == "csv"
            : file is not null
              && (file.EndsWith(".csv", StringComparison.OrdinalIgnoreCase) || file.EndsWith(".csv.gz", StringComparison.OrdinalIgnoreCase));
        return csv ? ExportFormat.Csv : ExportFormat.Ndjson;
    }

    private static string PathOf(CliHost host, string name)
    {
        if (name.Length == 0) throw CliException.Usage("--output: '' is no file.");
        var path = Path.GetFullPath(name, host.CurrentFolder);
        if (Directory.Exists(path)) throw CliException.Usage($"--output: {name} is a folder; name a file.");
        if (!Directory.Exists(Path.GetDirectoryName(path)))
            throw CliException.Usage($"--output: the folder of {name} does not exist.");
        if (ExportFile.IsDevice(path))
            throw CliException.Usage($"--output: {name} is a device; leave it out to write to stdout.");
        return path;
    }
}
