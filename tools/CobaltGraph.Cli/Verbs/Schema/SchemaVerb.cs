using System.CommandLine;
using System.Text;
using CobaltGraph.Cli.Terminal;
using CobaltGraph.Data.Schema;

namespace CobaltGraph.Cli.Verbs.Schema;

internal static class SchemaVerb
{
    public static VerbCommand Create(CliHost host)
    {
        var output = new Option<string?>("--output", "-o")
        {
            HelpName = "file",
            Description = "Write to this file instead of stdout.",
        };

        var verb = new VerbCommand(
            "schema",
            "Write what all migrations of this version make, for reading, as the server's catalogue tells it. Leaves the database as it is.",
            "cobaltgraph schema --output schema.sql");
        verb.Add(output);
        verb.Add(CommonOptions.Connection);
        verb.OnRun(host, async (call, cancellationToken) =>
        {
            await using var database = await call.OpenDatabaseAsync(cancellationToken);
            string text;
            try
            {
                text = await new SchemaProof(database.DataSource).DescribeAsync(cancellationToken);
            }
            catch (SchemaProofException e)
            {
                throw CliException.Failed(e.Message);
            }

            if (call.Parse.GetValue(output) is not { } file)
            {
                await host.Output.WriteAsync(text.AsMemory(), cancellationToken);
                return ExitCode.Done;
            }

            var path = Path.GetFullPath(file, host.CurrentFolder);
            await File.WriteAllTextAsync(path, text, new UTF8Encoding(false), cancellationToken);
            host.Notice($"Wrote {path}.");
            return ExitCode.Done;
        });
        return verb;
    }
}
