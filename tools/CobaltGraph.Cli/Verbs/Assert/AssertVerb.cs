using System.CommandLine;
using System.Text;
using CobaltGraph.Cli.Terminal;
using CobaltGraph.Data.Schema;
using CobaltGraph.Data.Schema.Catalog;
using Npgsql;

namespace CobaltGraph.Cli.Verbs.Assert;

internal static class AssertVerb
{
    private static readonly IReadOnlyList<Column<CatalogDifference>> DifferenceColumns =
    [
        new("kind", "Kind", d => d.Kind),
        new("object", "Object", d => d.Name),
        new("property", "Property", d => d.Property),
        new("expected", "Expected", d => d.Expected, _ => "green") { Display = d => d.Expected ?? "nothing" },
        new("found", "Found", d => d.Found, _ => "red") { Display = d => d.Found ?? "nothing" },
    ];

    public static VerbCommand Create(CliHost host)
    {
        var patch = new Option<string?>("--patch")
        {
            HelpName = "file",
            Description = "Write statements that would mend the differences to this file, for review. They are not run.",
        };
        var with = new Option<string?>("--with")
        {
            HelpName = "file",
            Description = "SQL that belongs to this database beside its migrations, as the grants of its roles: it is expected too. " +
                "Names without a schema; no commands of psql.",
        };

        var verb = new VerbCommand(
            "assert",
            "Compare the schema with what its recorded migrations must have made, object by object. Exits with 2 on a difference.",
            "cobaltgraph assert",
            "cobaltgraph assert --with grants.sql --patch mend.sql");
        verb.Add(patch);
        verb.Add(with);
        verb.Add(CommonOptions.Json);
        verb.Add(CommonOptions.Connection);
        verb.OnRun(host, async (call, cancellationToken) =>
        {
            var own = call.Parse.GetValue(with) is { } file
                ? await File.ReadAllTextAsync(Path.GetFullPath(file, host.CurrentFolder), cancellationToken)
                : null;
            await using var database = await call.OpenDatabaseAsync(cancellationToken);
            var proof = new SchemaProof(database.DataSource, own is null ? null : RunAsync);

            SchemaProofReport report;
            try
            {
                report = await proof.RunAsync(cancellationToken);
            }
            catch (SchemaProofException e)
            {
                throw new CliException(e.IsNotOurs ? ExitCode.NotAsWanted : ExitCode.Failed, e.Message);
            }

            using (var answer = call.BeginAnswer())
            {
                answer.Value("schema_name", "Schema", report.Found.Schema);
                answer.Value("owner", "Owner", report.Found.OwnerName);
                answer.Value("server_version", "PostgreSQL", database.ServerVersion);
                answer.Value("migration", "Migration", report.State.Applied[^1]);
                answer.Value("objects", "Objects", report.Found.Objects.Count);
                answer.Value("is_as_expected", "As expected", report.Differences.Count == 0);
                answer.Table("differences", "Differences", DifferenceColumns, report.Differences);
                answer.End();
            }

            foreach (var note in report.Notes) host.Notice(note);
            if (report.State.Pending.Count > 0)
                host.Notice($"{report.State.Pending.Count} pending: compared with {report.State.Applied[^1]}. `cobaltgraph migrate` applies the rest.");
            if (call.Parse.GetValue(patch) is { } target)
            {
                var path = Path.GetFullPath(target, host.CurrentFolder);
                await File.WriteAllTextAsync(path, SchemaPatch.Write(report), new UTF8Encoding(false), cancellationToken);
                host.Notice($"Wrote {path}: read it before you run it.");
            }

            return report.Differences.Count == 0 ? ExitCode.Done : ExitCode.NotAsWanted;

            async Task RunAsync(NpgsqlConnection connection, CancellationToken cancel)
            {
                try
                {
                    await using var command = new NpgsqlCommand(own, connection);
                    await command.ExecuteNonQueryAsync(cancel);
                }
                catch (PostgresException e)
                {
                    throw CliException.Failed(
                        $"--with {call.Parse.GetValue(with)}: {e.MessageText} (SQLSTATE {e.SqlState})",
                        "It runs after the migrations, in a schema of another name: leave the schema's name out of it.",
                        e);
                }
            }
        });
        return verb;
    }
}
