using System.CommandLine;
using CobaltGraph.Cli.Terminal;
using CobaltGraph.Data.Import;
using CobaltGraph.Data.Ingest;
using Npgsql;

namespace CobaltGraph.Cli.Verbs.Import;

internal static class ImportVerb
{
    private const string StandardInput = "-";
    private const int MaxHeldBackShown = 10;

    private static readonly IReadOnlyList<Column<RejectedLine>> RejectedColumns =
    [
        new("file", "File", r => new Escaped(r.File)),
        new("line", "Line", r => r.LineNumber) { Right = true },
        new("reason", "Reason", r => new Escaped(r.Reason)),
        new("excerpt", "Text", r => new Escaped(r.Excerpt)) { Spare = 1 },
    ];

    public static VerbCommand Create(CliHost host)
    {
        var files = new Argument<string[]>("file")
        {
            HelpName = "FILE",
            Description =
                "Files, folders (with all that is in them), or - for standard input. Told by content: Zeek's conn.log and " +
                "dhcp.log (TSV or JSON), ARP and DHCP as JSON lines, CSV and JSON lines that name our columns; plain or gzip.",
            Arity = ArgumentArity.OneOrMore,
        };
        var source = Source();
        var parallel = CommonOptions.Number(
            "--parallel", "number", 1, 1, 32, "Connections to the server that store side by side.");
        var rejects = new Option<string?>("--rejects")
        {
            HelpName = "file",
            Description = "Write rejected lines, with the reason above each, to this file. Mend them there, and import it.",
        };
        var complete = new Option<bool>("--complete")
        {
            Description =
                "Nobody writes to the files any more: take a last line that has no line end. Without it such a line may be half " +
                "written and is held back.",
        };
        var dryRun = new Option<bool>("--dry-run")
        {
            Description = "Read and check everything, store nothing. Needs no database.",
        };
        var show = CommonOptions.Number(
            "--show-rejected", "lines", 20, 0, int.MaxValue, "Show at most this many rejected lines; all are counted.");

        var verb = new VerbCommand(
            "import",
            "Import connections and sightings of devices from files, each line once: a file that was imported, also in part, " +
            "also under another name, adds only what is new in it. Exit code 2 if lines were rejected or held back, 1 if a file could " +
            "not be read or stored to its end; the same command then goes on.",
            "cobaltgraph import conn.log conn.2026-01-31.log.gz",
            "cobaltgraph import /var/log/zeek --parallel 4 --rejects rejected.log",
            "cobaltgraph import inventory.csv --dry-run",
            "ssh sensor cat conn.log | cobaltgraph import - --source sensor");
        verb.Add(files);
        verb.Add(source);
        verb.Add(parallel);
        verb.Add(rejects);
        verb.Add(complete);
        verb.Add(dryRun);
        verb.Add(show);
        verb.Add(CommonOptions.Json);
        verb.Add(CommonOptions.Connection);
        verb.OnRun(host, async (call, cancellationToken) =>
        {
            var inputs = FindInputs(host, call.Parse.GetValue(files)!);
            using var rejectsFile = OpenRejects(host, call.Parse.GetValue(rejects), inputs);
            var options = new ImportOptions
            {
                Source = call.Parse.GetValue(source) ?? new ImportOptions().Source,
                Writers = call.Parse.GetValue(parallel),
                Rejects = rejectsFile,
                AreComplete = call.Parse.GetValue(complete),
                Clock = host.Clock,
                MaxReportedRejections = call.Parse.GetValue(show),
            };
            return await RunAsync(
                call, inputs, options, call.Parse.GetValue(source) is null, call.Parse.GetValue(dryRun), cancellationToken);
        });
        return verb;
    }

    private static async Task<int> RunAsync(
        VerbCall call, List<ImportInput> inputs, ImportOptions options, bool isUsualSource, bool dryRun, CancellationToken cancellationToken)
    {
        var host = call.Host;
        await using var database = dryRun ? null : await call.OpenDatabaseAsync(cancellationToken);
        if (database is not null && isUsualSource)
            options = options with { Source = await UsualSourceAsync(database.DataSource, options.Source, cancellationToken) };
        using var warnings = new NoticeLogger(host);
        var target = database is null ? ImportTarget.Nowhere : ImportTarget.Database(database.DataSource, warnings);

        var started = host.Clock.GetTimestamp();
        var result = await WorkProgress.RunAsync(host, dryRun ? "check" : "import", "rows", progress =>
            FileImporter.ImportAsync(target, inputs, options, Show(progress, inputs), cancellationToken));

        IReadOnlyList<string> written = options.Rejects is { } file ? [.. file.Written.Select(part => part.Path)] : [];
        using (var answer = call.BeginAnswer())
        {
            answer.Table("files", "Files", FileColumns(dryRun), result.Files);
            if (result.Rejections.Count > 0 || call.Json)
                answer.Table("rejected", "Rejected lines", RejectedColumns, result.Rejections);
            answer.Value("rows_read", "Read", result.Read);
            answer.Value("rows_stored", dryRun ? "Would be stored" : "Stored", result.Stored);
            answer.Value("rows_duplicate", "Stored before", result.Duplicate);
            answer.Value("rows_rejected", "Rejected", result.Rejected);
            if (written.Count > 0 || call.Json) answer.Value("rejects", "Rejected lines are in", written);
            if (dryRun || call.Json) answer.Value("dry_run", "Only checked", dryRun);
            answer.Value("seconds", "Time", host.Clock.GetElapsedTime(started));
            answer.End();
        }

        return Conclude(host, inputs, options, result, cancellationToken);
    }

    /// <summary>Says what is left to do.</summary>
    private static int Conclude(
        CliHost host, List<ImportInput> inputs, ImportOptions options, ImportResult result, CancellationToken cancellationToken)
    {
        const string goOn = "What is counted as stored is stored. The same command goes on where this one ended.";
        if (inputs.Count > result.Files.Count)
            host.Notice($"{Cell.Display(inputs.Count - result.Files.Count)} of {Cell.Display(inputs.Count)} files were not begun.");
        TellHeldBack(host, result);
        if (result.Files.Count(file => file.LeftOut is not null) is > 0 and var others)
        {
            if (others == inputs.Count)
                throw CliException.Failed("None of the files found is a log that is imported.", "Of Zeek's those are conn.log and dhcp.log: name them, or their folder.");
            host.Notice($"{Cell.Display(others)} of {Cell.Display(inputs.Count)} files, found in a folder, are no logs that are imported, and were left out.");
        }

        if (result.RejectsFailure is { } refused)
        {
            throw CliException.Failed(
                $"Rejected lines cannot be written to {options.Rejects!.Path}: {refused.Message}",
                $"Make room there, or name another file with --rejects. {goOn}", refused);
        }

        if (result.Outcome != ImportOutcome.Completed)
        {
            host.Notice(goOn);
            cancellationToken.ThrowIfCancellationRequested();
            throw result.Failure!;
        }

        if (result.Files.Count(file => file.Error is not null) is > 0 and var broken)
        {
            throw CliException.Failed(
                $"{broken} of {inputs.Count} files could not be read or stored to the end.",
                $"The table above says why. {goOn}");
        }

        if (result.Rejected > 0)
        {
            host.Notice(result.Rejected == 1
                ? "1 line was rejected; the others are good."
                : $"{Cell.Display(result.Rejected)} lines were rejected; the others are good.");
        }

        return result.IsClean ? ExitCode.Done : ExitCode.NotAsWanted;
    }

    private static void TellHeldBack(CliHost host, ImportResult result)
    {
        var heldBack = result.Files.Where(file => file.HeldBack is not null).ToList();
        foreach (var file in heldBack.Take(MaxHeldBackShown))
        {
            host.Notice(
                $"{file.File}: line {Cell.Display(file.HeldBack)} is held back, for the file ends within it and it may be half written. " +
                "It is taken once it has its end, or with --complete.");
        }

        if (heldBack.Count > MaxHeldBackShown)
            host.Notice($"So it is in {Cell.Display(heldBack.Count - MaxHeldBackShown)} more files.");
    }

    private static List<ImportInput> FindInputs(CliHost host, string[] names)
    {
        if (names.Count(name => name == StandardInput) > 1)
            throw CliException.Usage("- (standard input) can be read once only.");
        List<ImportInput> inputs =
        [
            .. names.SelectMany(name => name == StandardInput
                ? [ImportInput.Of("standard input", host.InputBytes)]
                : ImportInput.FilesOf(name, host.CurrentFolder)),
        ];
        return inputs.Count > 0 ? inputs : throw CliException.Failed($"There is no file in {string.Join(", ", names)}.");
    }

    private static RejectsFile? OpenRejects(CliHost host, string? name, List<ImportInput> inputs)
    {
        if (name is null) return null;
        if (name.Length == 0) throw CliException.Usage("--rejects: '' is no file.");
        var path = Path.GetFullPath(name, host.CurrentFolder);
        if (Directory.Exists(path)) throw CliException.Usage($"--rejects: {name} is a folder; name a file.");
        if (!Directory.Exists(Path.GetDirectoryName(path)))
            throw CliException.Usage($"--rejects: the folder of {name} does not exist.");

        var rejects = new RejectsFile(path);
        // What an earlier run has left in a folder to import.
        var ours = rejects.Paths.Select(RealPath).ToHashSet(PathComparer);
        inputs.RemoveAll(input => input is { IsFound: true, FullPath: { } found } && ours.Contains(RealPath(found)) && MayReplace(found));
        if (inputs.Count == 0)
        {
            rejects.Dispose();
            throw CliException.Failed($"There is no file to import but {name}, which is for rejected lines.");
        }

        var read = inputs.Where(input => input.FullPath is not null).ToLookup(input => RealPath(input.FullPath!), PathComparer);
        if (rejects.Paths.FirstOrDefault(written => read.Contains(RealPath(written))) is { } both)
        {
            rejects.Dispose();
            throw CliException.Usage(
                $"--rejects: {both} is one of the files to import, and would be overwritten.", "Name another file.");
        }

        if (rejects.Paths.FirstOrDefault(written => !MayReplace(written)) is { } other)
        {
            rejects.Dispose();
            throw CliException.Usage(
                $"--rejects: {other} holds something else than rejected lines, and would be overwritten.",
                "Name another file, or move that one.");
        }

        return rejects;
    }

    private static bool MayReplace(string path)
    {
        try
        {
            return RejectsFile.MayReplace(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Whether it can be written is found out when there is something to write.
            return true;
        }
    }

    private static StringComparer PathComparer
        => OperatingSystem.IsLinux() ? StringComparer.Ordinal : StringComparer.OrdinalIgnoreCase;

    private static string RealPath(string path)
    {
        try
        {
            return File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        }
        catch (IOException)
        {
            return path;
        }
    }

    private static CallerProgress<ImportProgress> Show(IProgress<WorkState> progress, List<ImportInput> inputs)
    {
        // Bytes before each file; where a stream comes in, the whole is not known.
        var sizes = inputs.ConvertAll(input =>
            input.FullPath is null ? (long?)null : new FileInfo(input.FullPath) is { Exists: true } file ? file.Length : 0);
        long? total = sizes.Contains(null) ? null : sizes.Sum();
        var before = new long[sizes.Count];
        for (var i = 1; i < before.Length; i++) before[i] = before[i - 1] + (sizes[i - 1] ?? 0);
        return new(state => progress.Report(new(
            state.Read,
            total is null or 0 ? null : Math.Min(1, (double)(before[state.FileNumber - 1] + state.FileBytesRead) / total.Value))));
    }

    private static IReadOnlyList<Column<ImportFileResult>> FileColumns(bool dryRun) =>
    [
        new("file", "File", f => new Escaped(f.File)),
        new("kind", "Kind", f => f.Kind) { Spare = 1 },
        new("rows_read", "Read", f => f.Read) { Right = true },
        new("rows_stored", dryRun ? "Would be stored" : "Stored", f => f.Stored, f => f.Error is null ? null : "yellow") { Right = true },
        new("rows_duplicate", "Stored before", f => f.Duplicate) { Right = true },
        new("rows_rejected", "Rejected", f => f.Rejected, f => f.Rejected > 0 ? "yellow" : null) { Right = true },
        new("error", "Not to its end", f => new Escaped(f.Error), f => f.Error is null ? null : "red"),
        new("held_back", "Held back from line", f => f.HeldBack, f => f.HeldBack is null ? null : "yellow") { Right = true, Spare = 2 },
        new("left_out", "Left out", f => new Escaped(f.LeftOut)) { ProgramsOnly = true },
    ];

    private static async Task<string> UsualSourceAsync(NpgsqlDataSource dataSource, string usual, CancellationToken cancellationToken)
    {
        var (login, source) = await LedgerSource.DefaultAsync(dataSource, usual, cancellationToken);
        return source ?? throw CliException.Refused(
            $"This database has files of source '{usual}', which login '{login}' may not use; under another name lines would be stored again.",
            $"For other files, name a source: --source {login}/{usual}. To go on with those, have a DBA make a role {usual} and grant it to {login}.");
    }

    private static Option<string?> Source() => new("--source")
    {
        HelpName = "name",
        Description = "Who delivers the files. The same lines from another source are stored once more. " +
            "Without it, import; where sources belong to logins, LOGIN/import.",
        CustomParser = result =>
        {
            var name = result.Tokens[^1].Value;
            if (string.IsNullOrWhiteSpace(name) || name.Length > 200 || name.Contains('\0', StringComparison.Ordinal))
                result.AddError("--source: accepted is a name of 1 to 200 characters.");
            return name;
        },
    };
}
