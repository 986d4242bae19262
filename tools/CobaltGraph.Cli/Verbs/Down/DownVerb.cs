using System.CommandLine;
using CobaltGraph.Cli.Terminal;
using CobaltGraph.Cli.Verbs.Up;
using CobaltGraph.LocalPostgres;

namespace CobaltGraph.Cli.Verbs.Down;

internal static class DownVerb
{
    public static VerbCommand Create(CliHost host)
    {
        var delete = new Option<bool>("--delete")
        {
            Description = "Also remove the server with all its data, after asking.",
        };

        var verb = new VerbCommand(
            "down",
            "Stop the server that `cobaltgraph up` started. Its data stays.",
            "cobaltgraph down",
            "cobaltgraph down --delete --yes");
        verb.Add(delete);
        verb.Add(CommonOptions.Yes);
        verb.Add(CommonOptions.Json);
        verb.OnRun(host, async (call, cancellationToken) =>
        {
            var server = LocalServer.Of(call);
            var status = await server.GetStatusAsync(cancellationToken);
            var deleted = false;
            var stopped = false;
            if (!call.Parse.GetValue(delete))
            {
                stopped = await server.StopAsync(cancellationToken);
            }
            else if (status.State != UserServerState.NotCreated)
            {
                if (!call.Parse.GetValue(CommonOptions.Yes))
                {
                    await host.ConfirmAsync(
                        $"The server and all its data in {status.DataDirectory} go for good.", "--yes",
                        cancellationToken: cancellationToken);
                }

                stopped = status.State == UserServerState.Running;
                deleted = await server.DeleteAsync(cancellationToken);
                File.Delete(LocalServer.PassfileIn(call.Home));
            }

            using var answer = call.BeginAnswer();
            answer.Value("stopped", "Stopped now", stopped);
            answer.Value("deleted", "Deleted", deleted);
            answer.Value("data_directory", "Data", status.DataDirectory);
            answer.End();
            if (!stopped && !deleted)
                host.Notice(status.State == UserServerState.NotCreated ? "There is no server." : "It was not running.");
            return ExitCode.Done;
        });
        return verb;
    }
}
