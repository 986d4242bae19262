using System.CommandLine;
using CobaltGraph.Cli.Terminal;
using CobaltGraph.Data.Import;

namespace CobaltGraph.Cli.Verbs.Import;

internal static class ImportVerb
{
    private static readonly IReadOnlyList<Column<ImportFileResult>> FileColumns =
    [
        new("file", "File", f => new Escaped(f.File)),
        new("rows_read", "Read", f => f.Read) { Right = true },
        new("rows_stored", "Stored", f => f.Stored, f => f.Error is null ? null : "yellow") { Right = true },
        new("rows_rejected", "Rejected", f => f.Rejected, f => f.Rejected > 0 ? "yellow" : null) { Right = true },
        new("error", "Not read to its end", f => new Escaped(f.Error), _ => "red"),
    ];

    private static readonly IReadOnlyList<Column<RejectedLine>> RejectedColumns =
    [
        new("file", "File", r => new Escaped(r.File)),
        new("line", "Line", r => r.LineNumber) { Right = true },
        new("reason", "Reason", r => new Escaped(r.Reason)),
        new("excerpt", "Text", r => new Escaped(r.Excerpt)),
    ];

    public static VerbCommand Create(CliHost host)
    {
        var files = new Argument<string[]>("file")
        {
            HelpName = "FILE",
            Description = "Zeek conn logs, as TSV or JSON lines, plain or gzip.",
            Arity = ArgumentArity.OneOrMore,
        };
        var show = CommonOptions.Number(
            "--show-rejected", "lines", 20, 0, int.MaxValue, "Show at most this many rejected lines; all are counted.");

        var verb = new VerbCommand(
            "import",
            "Import connections from log files. Exit code 2 if lines were rejected, 1 if a file could not be read to its end.",
            "cobaltgraph import conn.log conn.2026-01-31.log.gz");
        verb.Add(files);
        verb.Add(show);
        verb.Add(CommonOptions.Json);
        verb.Add(CommonOptions.Connection);
        verb.OnRun(host, async (call, cancellationToken) =>
        {
            var paths = call.Parse.GetValue(files)!.Select(file => Path.GetFullPath(file, host.CurrentFolder)).ToList();
            await using var database = await call.OpenDatabaseAsync(cancellationToken);
            var sizes = Sizes(paths);
            var total = sizes.Sum();
            var options = new ImportOptions { MaxReportedRejections = call.Parse.GetValue(show) };

            var started = host.Clock.GetTimestamp();
            var result = await WorkProgress.RunAsync(host, "import", "rows", progress => ConnectionFileImporter.ImportAsync(
                database.DataSource,
                paths,
                options,
                new CallerProgress<ImportProgress>(state => progress.Report(new(
                    state.Read,
                    total == 0 ? null
                        : Math.Min(1, (double)(sizes.Take(state.FileNumber - 1).Sum() + state.FileBytesRead) / total)))),
                cancellationToken));

            using var answer = call.BeginAnswer();
            answer.Table("files", "Files", FileColumns, result.Files);
            if (result.Rejections.Count > 0 || call.Json)
                answer.Table("rejected", "Rejected lines", RejectedColumns, result.Rejections);
            answer.Value("rows_read", "Read", result.Read);
            answer.Value("rows_stored", "Stored", result.Stored);
            answer.Value("rows_rejected", "Rejected", result.Rejected);
            answer.Value("seconds", "Time", host.Clock.GetElapsedTime(started));
            answer.End();

            if (result.Failure is { } failure) throw failure;
            cancellationToken.ThrowIfCancellationRequested();
            if (result.Files.Count(file => file.Error is not null) is > 0 and var broken)
            {
                throw CliException.Failed(
                    $"{broken} of {paths.Count} files could not be read to the end.",
                    "The lines before the place are stored. See the last column above.");
            }

            if (result.Rejected > 0)
            {
                host.Notice($"{Cell.Display(result.Rejected)} lines were rejected; the others are stored.");
                return ExitCode.NotAsWanted;
            }

            return ExitCode.Done;
        });
        return verb;
    }

    private static List<long> Sizes(IEnumerable<string> paths)
        => [.. paths.Select(path => new FileInfo(path) is { Exists: true } file ? file.Length : 0)];
}
