using CobaltGraph.Cli.Terminal;
using CobaltGraph.Data;
using CobaltGraph.LocalPostgres;
using Npgsql;

namespace CobaltGraph.Cli.Verbs.Up;

/// <summary>The user's own server, as the verbs use it.</summary>
internal static class LocalServer
{
    private const string PassfileName = "pgpass";

    public static UserServer Of(VerbCall call) => new(call.Home);

    /// <summary>Starts the server, or finds it running, and leaves a passfile for psql and other clients.</summary>
    public static async Task<(UserServerInfo Server, string Passfile)> StartAsync(
        VerbCall call, int? port, CancellationToken cancellationToken)
    {
        var server = await Of(call).StartAsync(
            port, new CallerProgress<string>(call.Host.Notice), cancellationToken);
        return (server, await WritePassfileAsync(call.Home, server, cancellationToken));
    }

    public static string PassfileIn(string home) => Path.Combine(home, PassfileName);

    /// <summary>A command line for a shell that opens the database without asking, and does not show the password.</summary>
    public static string PsqlCommand(string passfile, int port, string database, string user)
    {
        var connection = $"host={UserServerInfo.Host} port={port} dbname={database} user={user}";
        return OperatingSystem.IsWindows()
            ? $"set \"PGPASSFILE={passfile}\" && psql \"{connection}\""
            : $"PGPASSFILE={QuoteForShell(passfile)} psql \"{connection}\"";
    }

    /// <summary>A connection string for .NET that finds the password in the passfile.</summary>
    public static string ConnectionString(string passfile, int port, string database, string user)
        => new NpgsqlConnectionStringBuilder
        {
            Host = UserServerInfo.Host,
            Port = port,
            Database = database,
            Username = user,
            Passfile = passfile,
        }.ConnectionString;

    private static async Task<string> WritePassfileAsync(
        string home, UserServerInfo server, CancellationToken cancellationToken)
    {
        var settings = DatabaseSettings.FromFile(server.ConfigurationFile);
        var password = new NpgsqlConnectionStringBuilder(settings.ConnectionString).Password ?? "";
        var line = string.Join(':', new[]
        {
            UserServerInfo.Host, $"{server.Port}", server.Database, server.User, password,
        }.Select(field => field.Replace(@"\", @"\\", StringComparison.Ordinal).Replace(":", @"\:", StringComparison.Ordinal)));

        var path = PassfileIn(home);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

        // Beside it first: the file is never there half written, and never with the modes of an older one.
        var next = $"{path}.{Guid.NewGuid():N}";
        try
        {
            await using (var stream = new FileStream(next, options))
            await using (var writer = new StreamWriter(stream))
                await writer.WriteAsync($"{line}\n".AsMemory(), cancellationToken);
            File.Move(next, path, overwrite: true);
        }
        catch
        {
            File.Delete(next);
            throw;
        }

        return path;
    }

    private static string QuoteForShell(string text)
        => text.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '.' or '-' or '_')
            ? text
            : $"'{text.Replace("'", @"'\''", StringComparison.Ordinal)}'";
}
