using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using CobaltGraph.LocalPostgres.Processes;
using Npgsql;

namespace CobaltGraph.LocalPostgres.Servers;

/// <summary>One run of a throw-away server: where it is and how to reach it.</summary>
internal sealed record TemporaryServerRun
{
    public required string Folder { get; init; }

    public required int Port { get; init; }

    public required string Password { get; init; }

    public required string Version { get; init; }

    public string? Account { get; init; }

    [JsonIgnore]
    public string Data => Path.Combine(Folder, "data");

    [JsonIgnore]
    public string Lease => Path.Combine(Folder, "lease");

    [JsonIgnore]
    public string Log => Path.Combine(Folder, "server.log");

    [JsonIgnore]
    public string Exit => Path.Combine(Folder, "server.exit");

    [JsonIgnore]
    public string ConnectionString => new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1",
        Port = Port,
        Username = "postgres",
        Password = Password,
        Database = "postgres",
        SslMode = SslMode.Disable,
        IncludeErrorDetail = true,
    }.ConnectionString;

    public static TemporaryServerRun? Load(string path)
    {
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize<TemporaryServerRun>(File.ReadAllText(path)) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public void Save(string path)
    {
        var temporary = path + ".new";
        File.WriteAllText(temporary, JsonSerializer.Serialize(this));
        File.Move(temporary, path, overwrite: true);
    }

    public async Task<bool> IsSupervisedAsync(CancellationToken cancellationToken)
    {
        var check = Command.Shell("kill -0 \"$(cat -- \"$1/supervisor.pid\")\" 2>/dev/null", Folder) with { Account = new ServerAccount(Account) };
        return (await check.RunAsync(cancellationToken)).ExitCode == 0;
    }

    /// <summary>Ends and removes what is left when even the supervisor was killed.</summary>
    public async Task RemoveLeftoverAsync(CancellationToken cancellationToken)
    {
        if (!Directory.Exists(Folder) || await IsSupervisedAsync(cancellationToken))
            return;
        const string Remove =
            """
            server=$(cat -- "$1/server.pid" 2>/dev/null)
            if [ -n "$server" ] && { tr '\0' ' ' <"/proc/$server/cmdline" || ps -o args= -p "$server"; } 2>/dev/null | grep -F -q -- "$1/data"; then
                kill -QUIT "$server"
                while kill -0 "$server" 2>/dev/null; do sleep 0.05; done
            fi
            rm -rf -- "$1"
            """;
        await (Command.Shell(Remove, Folder) with { Account = new ServerAccount(Account) }).RunAsync(cancellationToken);
    }
}

/// <summary>Our end of the supervisor's input. Disposing a process alone leaves it open.</summary>
internal sealed class Hold(Process launcher) : IDisposable
{
    private readonly StreamWriter _input = launcher.StandardInput;

    public void Dispose()
    {
        _input.Dispose();
        launcher.Dispose();
    }
}
