using System.CommandLine;
using CobaltGraph.Cli.Terminal;
using CobaltGraph.Data.Adoption;

namespace CobaltGraph.Cli.Verbs.Adopt;

internal static class AdoptVerb
{
    private static readonly IReadOnlyList<Column<SurveyedTable>> TableColumns =
    [
        new("table", "Table", t => t.Name),
        new("rows", "Rows", t => t.Rows) { Right = true },
        new("bytes", "Size", t => t.Bytes) { Right = true, Display = t => Cell.Bytes(t.Bytes) },
    ];

    private static readonly IReadOnlyList<Column<AdoptionCase>> CaseColumns =
    [
        new("table", "Table", c => c.Table),
        new("column", "Column", c => c.Column),
        new("problem", "Is", c => c.Problem),
        new("rows", "Rows", c => c.Rows) { Right = true },
        new("outcome", "Becomes", c => c.Outcome, c => c.SetsAside ? "yellow" : null),
        new("set_aside", "Set aside", c => c.SetsAside) { ProgramsOnly = true },
    ];

    public static VerbCommand Create(CliHost host)
    {
        var dryRun = new Option<bool>("--dry-run")
        {
            Description = "Look at every row, say what will become of it, and change nothing.",
        };
        var dropOld = new Option<bool>("--drop-old")
        {
            Description = "Drop the old tables that an adoption set aside.",
        };
        var timeout = CommonOptions.Number(
            "--timeout", "seconds", 30, 0, 86_400, "How long to wait for migrations, and for whoever uses the old tables.");

        var verb = new VerbCommand(
            "adopt",
            "Make a database of the original project one of this kind, in one transaction; its old tables are set aside.",
            "cobaltgraph adopt --dry-run",
            "cobaltgraph adopt --yes",
            "cobaltgraph adopt --drop-old");
        verb.Add(dryRun);
        verb.Add(dropOld);
        verb.Add(timeout);
        verb.Add(CommonOptions.Yes);
        verb.Add(CommonOptions.Json);
        verb.Add(CommonOptions.Connection);
        verb.Validators.Add(result =>
        {
            if (result.GetValue(dryRun) && result.GetValue(dropOld))
                result.AddError("--dry-run and --drop-old do not go together: --drop-old says what it drops, and asks.");
        });
        verb.OnRun(host, async (call, cancellationToken) =>
        {
            await using var database = await call.OpenDatabaseAsync(cancellationToken);
            var adopter = new Adopter(database.DataSource, host.Clock);
            var yes = call.Parse.GetValue(CommonOptions.Yes);
            if (call.Parse.GetValue(dropOld))
                return await DropAsync(call, adopter, yes, cancellationToken);
            if (call.Parse.GetValue(dryRun))
                return await SurveyAsync(call, adopter, cancellationToken);

            if (!yes && (await adopter.FindOldAsync(cancellationToken)).IsEmpty)
            {
                await host.ConfirmAsync(
                    $"The tables of the original in {database.Settings.Describe()} are set aside and programs that write to them must " +
                    "be stopped. `cobaltgraph adopt --dry-run` shows what becomes of the rows.",
                    "--yes",
                    cancellationToken: cancellationToken);
            }

            return await AdoptAsync(call, adopter, TimeSpan.FromSeconds(call.Parse.GetValue(timeout)), cancellationToken);
        });
        return verb;
    }

    private static async Task<int> SurveyAsync(VerbCall call, Adopter adopter, CancellationToken cancellationToken)
    {
        var survey = await adopter.SurveyAsync(cancellationToken);
        using var answer = call.BeginAnswer();
        Write(answer, survey);
        answer.Value("estimated_seconds", "Takes about", survey.EstimatedTime);
        answer.End();
        call.Host.Notice("Nothing was changed.");
        return ExitCode.Done;
    }

    private static async Task<int> AdoptAsync(
        VerbCall call, Adopter adopter, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var report = await WorkProgress.RunAsync(call.Host, "adopt", "rows", progress => adopter.AdoptAsync(
            timeout,
            holder => call.Host.Notice($"Waiting for {holder}, who is migrating this schema."),
            state => progress.Report(new(state.Rows, state.Fraction)),
            cancellationToken));

        using var answer = call.BeginAnswer();
        answer.Value("changed", "Changed", report.Survey is not null);
        if (report.Survey is not null)
        {
            Write(answer, report.Survey);
            answer.Table("stored", "Stored", TableColumns, report.Stored);
        }

        answer.Value("old_tables", "Old tables", report.OldTables);
        answer.Value("set_aside_table", "Rows set aside", report.SetAsideTable);
        answer.Value("seconds", "Time", report.Elapsed);
        answer.End();
        call.Host.Notice(report.Survey is null
            ? "It was adopted before."
            : "Look at what was stored; `cobaltgraph adopt --drop-old` drops the old tables.");
        return ExitCode.Done;
    }

    private static async Task<int> DropAsync(
        VerbCall call, Adopter adopter, bool yes, CancellationToken cancellationToken)
    {
        var old = await adopter.FindOldAsync(cancellationToken);
        if (!old.IsEmpty)
        {
            if (!yes)
            {
                await call.Host.ConfirmAsync(
                    $"{string.Join(", ", old.Tables)} in schema \"{old.Schema}\" of {call.Settings!.Describe()} will be dropped, with all data in them.",
                    "--yes",
                    call.Settings!.Database,
                    cancellationToken);
            }

            old = await adopter.DropOldAsync(cancellationToken);
        }

        using var answer = call.BeginAnswer();
        answer.Value("changed", "Changed", !old.IsEmpty);
        answer.Value("dropped", "Dropped", (string[])[.. old.Views, .. old.Tables, .. old.Functions]);
        answer.Value("bytes", "Size", old.Bytes, Cell.Bytes(old.Bytes));
        answer.End();
        if (old.IsEmpty) call.Host.Notice("No old tables are there.");
        return ExitCode.Done;
    }

    private static void Write(Answer answer, AdoptionSurvey survey)
    {
        answer.Value("from_schema", "From schema", survey.Original.Schema);
        answer.Value("to_schema", "To schema", survey.Original.Target);
        answer.Value("rows", "Rows", survey.Rows);
        answer.Value("bytes", "Size", survey.Bytes, Cell.Bytes(survey.Bytes));
        answer.Value("rows_set_aside", "Set aside", survey.SetAside);
        answer.Value("left_behind", "Stays with the old tables", survey.Notes);
        answer.Table("tables", "Tables", TableColumns, survey.Tables);
        answer.Table("cases", "Not as it is", CaseColumns, survey.Cases);
    }
}
