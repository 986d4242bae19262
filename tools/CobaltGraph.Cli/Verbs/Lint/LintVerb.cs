using CobaltGraph.Cli.Terminal;
using CobaltGraph.Data.Schema.Scripts;

namespace CobaltGraph.Cli.Verbs.Lint;

internal static class LintVerb
{
    private static readonly Column<LintFinding>[] Columns =
    [
        new("script", "Script", finding => finding.Script),
        new("line", "Line", finding => finding.Line) { ProgramsOnly = true },
        new("rule", "Rule", finding => finding.Rule),
        new("text", "Statement", finding => finding.Text) { Spare = 1 },
        new("message", "What can happen", finding => finding.Message) { Spare = 2 },
    ];

    public static VerbCommand Create(CliHost host)
    {
        var verb = new VerbCommand(
            "lint",
            "Look through the SQL of all migrations for what hurts a database in use: rewrites, long locks, dropped columns. " +
            $"squawk does it, fetched once with npm. Needs no database. Exceptions, each with its reason, stand in {LintReport.ExceptionsFile}.",
            "cobaltgraph lint",
            "cobaltgraph lint --json");
        verb.Add(CommonOptions.Json);
        verb.OnRun(host, async (call, cancellationToken) =>
        {
            var squawk = await Squawk.FetchAsync(
                call.Home, host.Environment("PATH"), new CallerProgress<string>(host.Notice), cancellationToken);
            var report = LintReport.Of(
                await FindAsync(squawk, PlainScripts(), cancellationToken), LintReport.ReadExceptions());

            using var answer = call.BeginAnswer();
            answer.Table("findings", "Findings", Columns, report.Findings);
            answer.Value("accepted", "Accepted by an exception", report.Accepted);
            answer.Value("problems", "Exceptions that do not count", report.Problems);
            answer.End();
            foreach (var problem in report.Problems) host.Notice(problem);
            return report.IsClean ? ExitCode.Done : ExitCode.NotAsWanted;
        });
        return verb;
    }

    public static async Task<IReadOnlyList<LintFinding>> FindAsync(
        Squawk squawk, IReadOnlyDictionary<string, string> scripts, CancellationToken cancellationToken)
        =>
        [
            .. await squawk.CheckAsync(scripts, cancellationToken),
            .. scripts.SelectMany(script => HiddenStatements.Find(script.Key, script.Value)),
        ];

    private static SortedDictionary<string, string> PlainScripts()
    {
        var scripts = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var migration in MigrationScripts.Read())
        {
            scripts.Add($"{migration.FileName}.up", MigrationScripts.Plain(migration.Up));
            scripts.Add($"{migration.FileName}.down", MigrationScripts.Plain(migration.Down));
        }

        return scripts;
    }
}
