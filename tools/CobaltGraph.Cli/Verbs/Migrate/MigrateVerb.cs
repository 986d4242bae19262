using System.CommandLine;
using System.Globalization;
using CobaltGraph.Cli.Terminal;
using CobaltGraph.Data.Schema;

namespace CobaltGraph.Cli.Verbs.Migrate;

internal static class MigrateVerb
{
    private static readonly IReadOnlyList<Column<MigrationStep>> StepColumns =
    [
        new("migration", "Migration", s => s.Migration),
        new("action", "Done", s => s.Reverted ? "reverted" : "applied"),
        new("seconds", "Time", s => s.Elapsed) { Right = true },
    ];

    public static VerbCommand Create(CliHost host)
    {
        var to = new Option<string?>("--to")
        {
            HelpName = "migration",
            Description = "The last migration wanted, by id or name; 0 for none. An older one than the present reverts, after asking.",
        };
        var dryRun = new Option<bool>("--dry-run")
        {
            Description = "Print the SQL that would run, and change nothing.",
        };
        var timeout = CommonOptions.Number(
            "--timeout", "seconds", 300, 0, 86_400, "How long to wait for another migration of the same schema.");

        var verb = new VerbCommand(
            "migrate",
            "Bring the database's schema up to date.",
            "cobaltgraph migrate",
            "cobaltgraph migrate --dry-run > pending.sql",
            "cobaltgraph migrate --to DeviceInventory --yes");
        verb.Add(to);
        verb.Add(dryRun);
        verb.Add(timeout);
        verb.Add(CommonOptions.Yes);
        verb.Add(CommonOptions.Json);
        verb.Add(CommonOptions.Connection);
        verb.OnRun(host, async (call, cancellationToken) =>
        {
            var target = call.Parse.GetValue(to);
            await using var database = await call.OpenDatabaseAsync(cancellationToken);
            var migrator = new SchemaMigrator(database.DataSource, host.Clock) { Preparing = host.Notice };
            var state = await migrator.ReadStateAsync(cancellationToken);
            var plan = SchemaMigrator.Plan(state, target);

            if (call.Parse.GetValue(dryRun))
                return WriteScript(call, await migrator.ScriptAsync(state, plan, cancellationToken));

            if (plan.ToRevert.Count > 0 && !call.Parse.GetValue(CommonOptions.Yes))
            {
                await host.ConfirmAsync(
                    $"Schema \"{state.Schema}\" of {database.Settings.Describe()}: reverting " +
                    $"{string.Join(", ", plan.ToRevert)} drops what they created, with all data in it.",
                    "--yes",
                    database.Settings.Database,
                    cancellationToken);
            }

            var seconds = TimeSpan.FromSeconds(call.Parse.GetValue(timeout));
            var report = await RunAsync(call, migrator, target, plan.ToRevert, seconds, cancellationToken);
            Write(call, state.Schema, report);
            return ExitCode.Done;
        });
        return verb;
    }

    /// <summary>Migrates and tells about it on the way.</summary>
    public static Task<MigrationReport> RunAsync(
        VerbCall call,
        SchemaMigrator migrator,
        string? target,
        IReadOnlyCollection<string> mayRevert,
        TimeSpan timeout,
        CancellationToken cancellationToken)
        => migrator.MigrateAsync(
            target,
            mayRevert,
            timeout,
            holder => call.Host.Notice($"Waiting for {holder}, who is migrating this schema."),
            step => call.Host.Notice(
                $"{(step.Reverted ? "Reverted" : "Applied")} {step.Migration} in {Cell.Duration(step.Elapsed)}."),
            cancellationToken);

    private static int WriteScript(VerbCall call, string script)
    {
        if (call.Json)
        {
            using var answer = call.BeginAnswer();
            answer.Value("sql", "", script);
            answer.End();
        }
        else
        {
            call.Host.Output.Write(script);
        }

        call.Host.Notice(script.Length == 0 ? "Nothing to do." : "Nothing was changed; this is what would run.");
        return ExitCode.Done;
    }

    private static void Write(VerbCall call, string schema, MigrationReport report)
    {
        if (report.ByOthers.Count > 0)
        {
            call.Host.Notice(
                $"{report.WaitedFor?.ToString() ?? "Another run"} applied {string.Join(", ", report.ByOthers)} in the meantime.");
        }

        using var answer = call.BeginAnswer();
        answer.Value("schema_name", "Schema", schema);
        answer.Value("changed", "Changed", report.Steps.Count > 0 || report.Partitions.Count > 0);
        answer.Table("steps", "Migrations", StepColumns, report.Steps);
        answer.Value("applied_by_others", "Applied by others", report.ByOthers);
        answer.Value(
            "partitions", "New partitions", report.Partitions,
            report.Partitions.Count == 0 ? "none, all are there" : string.Join(", ", report.Partitions));
        answer.End();
        if (report.Steps.Count == 0)
        {
            var (applied, pending) = (report.Before.Applied.Count, report.Before.Pending.Count);
            call.Host.Notice(pending == 0
                ? string.Create(CultureInfo.InvariantCulture, $"Schema \"{schema}\" is up to date: {applied} applied.")
                : string.Create(CultureInfo.InvariantCulture, $"Schema \"{schema}\" is at that migration already: {applied} applied, {pending} pending."));
        }
    }
}
