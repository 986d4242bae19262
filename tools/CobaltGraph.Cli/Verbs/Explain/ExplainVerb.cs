using System.CommandLine;
using System.Globalization;
using CobaltGraph.Cli.Terminal;
using CobaltGraph.Data.Queries.Catalogue;

namespace CobaltGraph.Cli.Verbs.Explain;

internal static class ExplainVerb
{
    private const int Seed = 42;

    private static readonly Column<CallPlan>[] Shown =
    [
        new("query", "Query", plan => plan.Call.Query),
        new("values", "Values", plan => plan.Call.Values),
        new("method", "Method", plan => plan.Call.Method) { ProgramsOnly = true },
        new("covered", "Covered", plan => plan.IsCovered, plan => plan.IsCovered ? null : "red"),
        new("rows", "Rows", plan => plan.Rows) { Right = true },
        new("rows_read", "Rows read", plan => plan.RowsRead) { Right = true, Display = plan => Number(plan.RowsRead) },
        new("rows_read_per_row", "Read per row", plan => plan.RowsRead / Math.Max(plan.Rows, 1))
        {
            Right = true,
            Display = plan => Number(plan.RowsRead / Math.Max(plan.Rows, 1)),
        },
        new("rows_sorted", "Sorted", plan => plan.MostSorted) { ProgramsOnly = true },
        new("blocks", "Blocks", plan => plan.Plans.Sum(each => each.Blocks)) { Right = true, Spare = 1 },
        new("milliseconds", "ms", plan => plan.Milliseconds)
        {
            Right = true,
            Display = plan => plan.Milliseconds.ToString("0.0", CultureInfo.InvariantCulture),
        },
        new("partitions", "Partitions", plan => plan.Partitions.Count) { Right = true },
        new("partition_names", "Partitions read", plan => Joined(plan.Partitions)) { ProgramsOnly = true },
        new("indexes", "Indexes", plan => Joined(plan.Plans.SelectMany(each => each.Indexes))) { ProgramsOnly = true },
        new("sequential_scans", "Read as a whole", plan => Joined(plan.SequentialScans.Select(scan => scan.Relation))) { ProgramsOnly = true },
        new("plans", "Plans", plan => string.Join("; ", plan.Plans.Select(each => each.Shape))) { Spare = 2 },
        new("sql", "SQL", plan => string.Join(";\n", plan.Statements.Select(statement => statement.Sql))) { ProgramsOnly = true },
    ];

    private static readonly Column<IndexUse>[] IndexesShown =
    [
        new("index", "Index", use => use.Index.Name),
        new("table", "Table", use => use.Index.Table),
        new("unique", "Unique", use => use.Index.IsUnique),
        new("bytes", "MB", use => use.Index.Bytes) { Right = true, Display = use => Number(use.Index.Bytes / 1048576.0) },
        new("queries", "Queries", use => use.Queries.Count) { Right = true },
        new("used_by", "Used by", use => string.Join(", ", use.Queries)) { Spare = 1 },
    ];

    public static VerbCommand Create(CliHost host)
    {
        var only = new Option<string[]>("--only")
        {
            HelpName = "text",
            Description = "Only queries with this text in their name; may be given more than once.",
        };
        var values = CommonOptions.Number(
            "--values", "number", 1, 1, 20, "How many common values of each condition are asked for, and as many rare ones.");
        var least = CommonOptions.Number("--min", "percent", 0, 0, 100, "End with 2 when the coverage is lower.");

        var verb = new VerbCommand(
            "explain",
            "Ask every query with values that are stored and show how the database answers it: EXPLAIN (ANALYZE, BUFFERS) of each " +
            "statement that was sent. The coverage is the part of the queries that read neither connections as a whole, nor a table " +
            $"above {Coverage.SmallBytes >> 20} MB of which they drop rows, nor more than {Number(Coverage.MostDropped)} connections to drop them. " +
            "Then follow the indexes, each with the queries that used it; without --only also those that none did.",
            "cobaltgraph explain --min 95",
            "cobaltgraph explain --only country --json");
        verb.Add(only);
        verb.Add(values);
        verb.Add(least);
        verb.Add(CommonOptions.Json);
        verb.Add(CommonOptions.Connection);
        verb.OnRun(host, async (call, cancellationToken) =>
        {
            await using var database = await call.OpenDatabaseAsync(cancellationToken);
            await using var catalogue = await CataloguePlans.OpenAsync(database.Settings.ConnectionString, cancellationToken);
            var plans = new List<CallPlan>();
            var texts = call.Parse.GetValue(only) ?? [];
            await foreach (var plan in catalogue.ReadAsync(texts, call.Parse.GetValue(values), Seed, cancellationToken))
                plans.Add(plan);
            if (plans.Count == 0)
                throw new CliException(ExitCode.NotAsWanted, "No query has such a text in its name.", "`cobaltgraph explain` shows all names.");

            var coverage = Coverage.Of(plans);
            using var answer = call.BeginAnswer();
            answer.Table("queries", "Queries", Shown, plans);
            var uses = catalogue.Tables.Indexes.Select(index => new IndexUse(index, [
                .. plans.Where(plan => plan.Plans.Any(each => each.Indexes.Any(name => catalogue.Tables.ParentOf(name) == index.Name)))
                    .Select(plan => plan.Call.Query).Distinct(),
            ]));
            // What some queries do not use, others may.
            answer.Table("indexes", "Indexes", IndexesShown, texts.Length == 0 ? uses : uses.Where(use => use.Queries.Count > 0));
            answer.Value("partitions_of_connections", "Partitions of connections", catalogue.Tables.Partitions);
            answer.Value("queries_covered", "Queries covered", coverage.Covered);
            answer.Value("queries_asked", "Queries asked", coverage.Asked);
            answer.Value("coverage_percent", "Coverage", coverage.Percent, $"{Number(coverage.Percent)} %");
            answer.Value("not_covered", "Not covered", coverage.Missing);
            answer.End();
            if (coverage.Percent >= call.Parse.GetValue(least))
                return ExitCode.Done;
            host.Notice($"The coverage is {Number(coverage.Percent)} %, less than the {call.Parse.GetValue(least)} % of --min.");
            return ExitCode.NotAsWanted;
        });
        return verb;
    }

    private sealed record IndexUse(TableIndex Index, IReadOnlyList<string> Queries);

    private static string Joined(IEnumerable<string> names) => string.Join(' ', names.Distinct().Order(StringComparer.Ordinal));

    private static string Number(double number) => number.ToString(number < 10 ? "0.#" : "#,0", CultureInfo.InvariantCulture);
}
