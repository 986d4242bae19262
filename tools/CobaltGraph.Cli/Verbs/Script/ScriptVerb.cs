using System.CommandLine;
using System.Text;
using CobaltGraph.Cli.Terminal;
using CobaltGraph.Data.Schema.Scripts;

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
        var folder = new Option<string?>("--output-folder")
        {
            HelpName = "folder",
            Description = "Write into this folder one script up and one down for each migration, and the one of all.",
        };
        var schema = new Option<string?>("--schema")
        {
            HelpName = "name",
            Description = "The schema of the site. The script creates it if it is missing; without this option psql -v schema=… or the search path decides.",
        };

        var verb = new VerbCommand(
            "script",
            "Write the SQL of all migrations for psql, to run on an empty database or on one of any version. Needs no database.",
            "cobaltgraph script --output cobaltgraph.sql",
            "cobaltgraph script | psql postgresql://dba@db.example/site",
            "cobaltgraph script --output-folder Migrations.Sql/scripts");
        verb.Add(output);
        verb.Add(folder);
        verb.Add(schema);
        verb.Validators.Add(result =>
        {
            if (result.GetValue(folder) is not null && (result.GetValue(output) ?? result.GetValue(schema)) is not null)
                result.AddError("--output-folder writes scripts for any site under their own names: leave out --output and --schema.");
        });
        verb.OnRun(host, async (call, cancellationToken) =>
        {
            var migrations = MigrationScripts.Read();
            if (call.Parse.GetValue(folder) is { } into)
            {
                var full = Path.GetFullPath(into, host.CurrentFolder);
                var count = await WriteFolderAsync(full, MigrationScripts.Files(migrations), cancellationToken);
                host.Notice($"Wrote {count} scripts into {full}.");
                return ExitCode.Done;
            }

            var script = MigrationScripts.Idempotent(migrations, call.Parse.GetValue(schema));
            if (call.Parse.GetValue(output) is not { } file)
            {
                await host.Output.WriteAsync(script.AsMemory(), cancellationToken);
                return ExitCode.Done;
            }

            var path = Path.GetFullPath(file, host.CurrentFolder);
            await WriteAsync(path, script, cancellationToken);
            host.Notice($"Wrote {path}.");
            return ExitCode.Done;
        });
        return verb;
    }

    private static async Task<int> WriteFolderAsync(
        string folder, SortedDictionary<string, string> files, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);

        // Of a migration that was renamed or taken back.
        foreach (var old in Directory.EnumerateFiles(folder, "*.sql").Where(path => !files.ContainsKey(Path.GetFileName(path))))
        {
            if (File.ReadLines(old).Skip(1).FirstOrDefault() == MigrationScripts.Origin)
                File.Delete(old);
        }

        foreach (var (name, script) in files)
            await WriteAsync(Path.Combine(folder, name), script, cancellationToken);
        return files.Count;
    }

    private static Task WriteAsync(string path, string script, CancellationToken cancellationToken)
        => File.WriteAllTextAsync(path, script, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), cancellationToken);
}
