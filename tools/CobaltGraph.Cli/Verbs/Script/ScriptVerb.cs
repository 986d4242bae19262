using System.CommandLine;
using System.Text;
using CobaltGraph.Cli.Terminal;
using CobaltGraph.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace CobaltGraph.Cli.Verbs.Script;

internal static class ScriptVerb
{
    public static VerbCommand Create(CliHost host)
    {
        var output = new Option<string?>("--output", "-o")
        {
            HelpName = "file",
            Description = "Write to this file instead of stdout.",
        };
        var schema = new Option<string?>("--schema")
        {
            HelpName = "name",
            Description = "The schema of the site. The script creates it if it is missing; without this option the search path decides.",
        };

        var verb = new VerbCommand(
            "script",
            "Write the SQL of all migrations for psql, to run on an empty database or on one of any version. Needs no database.",
            "cobaltgraph script --output cobaltgraph.sql",
            "cobaltgraph script | psql postgresql://dba@db.example/site");
        verb.Add(output);
        verb.Add(schema);
        verb.OnRun(host, async (call, cancellationToken) =>
        {
            var script = Generate(call.Parse.GetValue(schema));
            if (call.Parse.GetValue(output) is not { } file)
            {
                await host.Output.WriteAsync(script.AsMemory(), cancellationToken);
                return ExitCode.Done;
            }

            var path = Path.GetFullPath(file, host.CurrentFolder);
            await File.WriteAllTextAsync(path, script, new UTF8Encoding(false), cancellationToken);
            host.Notice($"Wrote {path}.");
            return ExitCode.Done;
        });
        return verb;
    }

    private static string Generate(string? schema)
    {
        var options = new DbContextOptionsBuilder<CobaltGraphContext>();
        options.UseCobaltGraph();
        using var context = new CobaltGraphContext(options.Options);

        // psql goes on after an error, and could record a later migration after an earlier one has failed.
        var script = new StringBuilder("\\set ON_ERROR_STOP on\n");
        if (schema is not null)
        {
            var name = $"\"{schema.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
            var literal = $"'{schema.Replace("'", "''", StringComparison.Ordinal)}'";
            // Looked for first: IF NOT EXISTS wants the right to create schemas even when there is nothing to create.
            script.Append($"""
                DO $site$
                BEGIN
                    IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = {literal}) THEN
                        EXECUTE format('CREATE SCHEMA %I', {literal});
                    END IF;
                END
                $site$;
                SET search_path = {name};

                """);
        }

        script.Append('\n');
        script.Append(context.GetService<IMigrator>().GenerateScript(options: MigrationsSqlGenerationOptions.Idempotent));
        return script.ToString();
    }
}
