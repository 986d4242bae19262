using System.CommandLine;
using System.Globalization;
using CobaltGraph.Cli.Terminal;
using CobaltGraph.Data.Schema;

namespace CobaltGraph.Cli.Verbs.Status;

internal static class StatusVerb
{
    private static readonly IReadOnlyList<Column<(string Migration, string State)>> MigrationColumns =
    [
        new("migration", "Migration", m => m.Migration),
        new("state", "State", m => m.State, m => m.State == "applied" ? "green" : "yellow"),
    ];

    private static readonly IReadOnlyList<Column<TableStatus>> TableColumns =
    [
        new("table", "Table", t => t.Name),
        new("rows", "Rows", t => t.Rows) { Right = true, Display = t => Rows(t.Rows, t.Estimated) },
        new("rows_estimated", "Estimated", t => t.Estimated) { ProgramsOnly = true },
        new("bytes", "Size", t => t.Bytes) { Right = true, Display = t => Cell.Bytes(t.Bytes) },
    ];

    private static readonly IReadOnlyList<Column<PartitionStatus>> PartitionColumns =
    [
        new("partition", "Partition", p => p.Name),
        new("is_default", "Default", p => p.IsDefault) { ProgramsOnly = true },
        new("from", "From", p => p.From) { Display = p => p.From is { } from ? Day(from.UtcDateTime) : "any other time" },
        new("to", "Before", p => p.To) { Display = p => p.To is { } to ? Day(to.UtcDateTime) : "" },
        new("rows", "Rows", p => p.Rows) { Right = true, Display = p => Rows(p.Rows, p.Estimated) },
        new("rows_estimated", "Estimated", p => p.Estimated) { ProgramsOnly = true },
        new("bytes", "Size", p => p.Bytes) { Right = true, Display = p => Cell.Bytes(p.Bytes) },
    ];

    public static VerbCommand Create(CliHost host)
    {
        var check = new Option<bool>("--check")
        {
            Description = "Exit with 2 when the schema is not up to date, or connections has no partition for this month.",
        };

        var verb = new VerbCommand(
            "status",
            "Show the connection, the schema's migrations, and what the database holds.",
            "cobaltgraph status",
            "cobaltgraph status --check && systemctl start sensor");
        verb.Add(check);
        verb.Add(CommonOptions.Json);
        verb.Add(CommonOptions.Connection);
        verb.OnRun(host, async (call, cancellationToken) =>
        {
            await using var database = await call.OpenDatabaseAsync(cancellationToken);
            var state = await new SchemaMigrator(database.DataSource).ReadStateAsync(cancellationToken);
            var found = await StatusReader.ReadAsync(database.DataSource, state.Schema, cancellationToken);
            var isReady = state.IsCurrent && found.HasPartitionForNow;

            using var answer = call.BeginAnswer();
            var settings = database.Settings;
            answer.Value("host", "Host", settings.Host);
            answer.Value("port", "Port", settings.Port, $"{settings.Port}");
            answer.Value("database", "Database", settings.Database);
            answer.Value("user", "User", settings.User);
            answer.Value("schema_name", "Schema", state.Schema);
            answer.Value("source", "Configured by", settings.SourceName);
            answer.Value("server_version", "PostgreSQL", database.ServerVersion);
            answer.Value("tool_version", "cobaltgraph", Tool.Version);
            answer.Value("database_bytes", "Size", found.DatabaseBytes, Cell.Bytes(found.DatabaseBytes));
            answer.Value("is_current", "Up to date", state.IsCurrent);
            answer.Value("is_ready", "Ready for data", isReady);
            answer.Value("migrating", "Migrating now", found.LockHolder?.ToString());
            answer.Table(
                "migrations", "Migrations", MigrationColumns,
                state.Applied.Select(id => (id, "applied"))
                    .Concat(state.Pending.Select(id => (id, "pending")))
                    .Concat(state.Unknown.Select(id => (id, "unknown"))));
            answer.Table("tables", "Tables", TableColumns, found.Tables);
            answer.Table("partitions", "Partitions of connections", PartitionColumns, found.Partitions);
            answer.End();

            foreach (var notice in Notices(state, found)) host.Notice(notice);
            return call.Parse.GetValue(check) && !isReady ? ExitCode.NotAsWanted : ExitCode.Done;
        });
        return verb;
    }

    private static IEnumerable<string> Notices(SchemaState state, DatabaseStatus found)
    {
        if (state.Pending.Count > 0)
            yield return $"{state.Pending.Count} pending: run `cobaltgraph migrate`.";
        if (state.Unknown.Count > 0)
            yield return "The database was migrated by a newer version of cobaltgraph. Use that one.";
        if (state.IsCurrent && !found.HasPartitionForNow)
            yield return "There is no partition for this month: run `cobaltgraph migrate`.";
        if (found.UnpartitionedTimes is var (first, last)
            && found.Partitions.SingleOrDefault(partition => partition.IsDefault) is { } rest)
        {
            // A few stray times can lie decades apart; a partition for each month between them helps nobody.
            const int fewYears = 3;
            var months = last - first < TimeSpan.FromDays(365 * fewYears)
                ? $"To give their months one: SELECT ensure_connection_partitions('{Day(first)}', '{Day(last)}');"
                : "To give the months that matter one: SELECT ensure_connection_partitions('2026-01-01', '2026-03-31');";
            yield return $"{Cell.Display(rest.Rows)} connections of {Day(first)} to {Day(last)} are in {rest.Name}, " +
                $"because their months have no partition. {months}";
        }
    }

    private static string Rows(long? rows, bool estimated)
        => rows is null ? "not counted" : estimated ? $"about {Cell.Display(rows)}" : Cell.Display(rows);

    private static string Day(DateTime time) => time.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
