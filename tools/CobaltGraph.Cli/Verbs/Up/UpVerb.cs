using System.CommandLine;
using System.Globalization;
using CobaltGraph.Cli.Terminal;
using CobaltGraph.Data;

namespace CobaltGraph.Cli.Verbs.Up;

internal static class UpVerb
{
    public static VerbCommand Create(CliHost host)
    {
        var port = new Option<int?>("--port")
        {
            HelpName = "port",
            Description = "The port on 127.0.0.1 from now on. Without it the one of last time, or a free one.",
            CustomParser = result =>
            {
                var text = result.Tokens[^1].Value;
                if (ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0)
                    return number;
                result.AddError($"--port: '{text}' is not a whole number from 1 to 65535.");
                return null;
            },
        };

        var verb = new VerbCommand(
            "up",
            "Start a PostgreSQL server of your own, making it first if there is none. It goes on running until `cobaltgraph down`.",
            "cobaltgraph up && cobaltgraph migrate");
        verb.Add(port);
        verb.Add(CommonOptions.Json);
        verb.OnRun(host, async (call, cancellationToken) =>
        {
            var (server, passfile) = await LocalServer.StartAsync(call, call.Parse.GetValue(port), cancellationToken);
            using var answer = call.BeginAnswer();
            answer.Value("host", "Host", LocalPostgres.UserServerInfo.Host);
            answer.Value("port", "Port", server.Port, $"{server.Port}");
            answer.Value("database", "Database", server.Database);
            answer.Value("user", "User", server.User);
            answer.Value("server_version", "PostgreSQL", server.Version);
            answer.Value("created", "Created now", server.Created);
            answer.Value("started", "Started now", server.Started);
            answer.Value("data_directory", "Data", server.DataDirectory);
            answer.Value("configuration_file", "Connection", server.ConfigurationFile);
            answer.Value(
                "connection_string", "For .NET",
                LocalServer.ConnectionString(passfile, server.Port, server.Database, server.User));
            answer.Value(
                "psql", "For psql", LocalServer.PsqlCommand(passfile, server.Port, server.Database, server.User));
            answer.End();

            WarnIfNotUsed(call, server.ConfigurationFile);
            return ExitCode.Done;
        });
        return verb;
    }

    // A server was started, and yet every verb would go elsewhere: that must not come as a surprise.
    private static void WarnIfNotUsed(VerbCall call, string configurationFile)
    {
        try
        {
            var settings = new DatabaseSettingsResolver(call.Host.Environment, call.Host.CurrentFolder).Resolve(null);
            if (settings.Source == DatabaseSettingsSource.LocalServer) return;
            call.Host.Notice($"Note that {settings.SourceName} goes before it: other verbs use {settings.Describe()}.");
        }
        catch (DatabaseSettingsException e)
        {
            call.Host.Notice($"Note that other verbs will not use {configurationFile} before this is put right: {e.Message}");
        }
    }
}
