using System.Net.Sockets;
using CobaltGraph.Cli.Terminal;
using CobaltGraph.Data;
using CobaltGraph.Data.Adoption;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Data.Queries;
using CobaltGraph.Data.Schema;
using CobaltGraph.LocalPostgres;
using Npgsql;

namespace CobaltGraph.Cli;

/// <summary>Says what went wrong, where, why, and what to do next; and which exit code that is.</summary>
internal static class ErrorReport
{
    public static int Write(VerbCall call, Exception exception, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            call.Host.Notice("Interrupted.");
            return ExitCode.Interrupted;
        }

        // As of a program that knows nothing of it and is ended by SIGPIPE.
        if (exception is BrokenPipeException) return ExitCode.BrokenPipe;

        var (code, what, next) = Explain(call, exception);
        call.Host.Notice($"cobaltgraph {call.Verb}: {what}");
        if (next is not null) call.Host.Notice(next);
        if (call.Verbose) call.Host.Notice(exception.ToString());
        return code;
    }

    private static (int Code, string What, string? Next) Explain(VerbCall call, Exception exception)
    {
        for (var e = exception; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case CliException ours: return (ours.ExitCode, ours.Message, ours.Next);
                case QueryFilterException filter:
                    return (ExitCode.Usage, $"--{filter.Message}", $"See `cobaltgraph {call.Verb} --help`.");
                case UnknownMigrationException: return (ExitCode.Usage, e.Message, null);
                case MigrationRefusedException or AdoptionRefusedException: return (ExitCode.Refused, e.Message, null);
                case MigrationLockedException:
                    return (ExitCode.Failed, e.Message, "Run it again later, or wait longer with --timeout.");
                case DatabaseSettingsException or LocalPostgresException: return (ExitCode.Failed, e.Message, null);
                case IngestException { InnerException: var fault } when LedgerSource.IsForeign(fault):
                    return (ExitCode.Failed, e.Message, "Name another with --source, or have the owner of the role that it names grant it to this login.");
                case PostgresException server: return FromServer(call, server);
                case IngestException { InnerException: not NpgsqlException }: return (ExitCode.Failed, e.Message, null);
            }
        }

        for (var e = exception; e is not null; e = e.InnerException)
        {
            if (e is NpgsqlException) return FromConnection(call, e);
        }

        var said = exception.InnerException is { } inner && exception is not IOException
            ? $"{exception.Message} {inner.Message}"
            : exception.Message;
        return (ExitCode.Failed, said, call.Verbose ? null : "Run it again with --verbose to see where it came from.");
    }

    private static (int, string, string?) FromServer(VerbCall call, PostgresException e)
    {
        var settings = call.Settings;
        var source = settings?.SourceName ?? "the connection";
        var next = e.SqlState switch
        {
            PostgresErrorCodes.InvalidPassword => $"Correct user and password in {source}.",
            PostgresErrorCodes.InvalidAuthorizationSpecification =>
                $"The server does not let this user in from here. Correct user and sslmode in {source}, or pg_hba.conf on the server.",
            PostgresErrorCodes.InvalidCatalogName =>
                $"Create it (createdb -h {settings?.Host} -p {settings?.Port} -U {settings?.User} \"{settings?.Database}\"), or correct the database in {source}.",
            PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedFunction
                or PostgresErrorCodes.UndefinedColumn or PostgresErrorCodes.InvalidSchemaName =>
                "The schema is not there, or of another version. Look with `cobaltgraph status`, bring it up to date with `cobaltgraph migrate`.",
            PostgresErrorCodes.InsufficientPrivilege =>
                e.Hint ?? $"User {settings?.User} lacks the right. Ask the owner of the schema for a GRANT, or connect as another user.",
            PostgresErrorCodes.TooManyConnections =>
                "The server has no connection left. Close some, lower max_connections in the configuration, or raise it on the server.",
            PostgresErrorCodes.QueryCanceled =>
                "The server stopped the statement, usually because of statement_timeout. Ask for less (--limit, --since) or raise the limit.",
            PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected =>
                "Another session holds what this one needs. Run it again; `cobaltgraph status` shows who migrates.",
            PostgresErrorCodes.DiskFull => "The server's disk is full. Make room there and run it again.",
            PostgresErrorCodes.ReadOnlySqlTransaction =>
                "This server only reads: it is a standby, or its default is read-only. Connect to the primary.",
            PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow =>
                "The server is stopping or starting. Run it again in a moment.",
            _ => e.Hint,
        };
        return (ExitCode.Failed, $"{e.MessageText} (SQLSTATE {e.SqlState}){At(settings)}", next);
    }

    private static (int, string, string?) FromConnection(VerbCall call, Exception e)
    {
        var settings = call.Settings;
        var source = settings?.SourceName ?? "the connection";
        var start = settings?.Source == DatabaseSettingsSource.LocalServer
            ? "Start your server with `cobaltgraph up`."
            : "Start it, or run `cobaltgraph up` for one of your own and leave the other connection out.";
        for (var inner = e.InnerException; inner is not null; inner = inner.InnerException)
        {
            switch (inner)
            {
                case SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData }:
                    return (ExitCode.Failed, $"There is no host \"{settings?.Host}\".", $"Correct host in {source}.");
                case SocketException socket:
                    return (
                        ExitCode.Failed,
                        $"No PostgreSQL answers on {settings?.Address}: {socket.Message}.",
                        $"Is it running there? Host and port come from {source}. {start}");
                case TimeoutException:
                    return (
                        ExitCode.Failed,
                        $"No answer in time{At(settings)}.",
                        $"Is it reachable from here? Host and port come from {source}. A statement may take longer with `Command Timeout=600` (seconds) there.");
            }
        }

        return (ExitCode.Failed, $"{e.Message}{At(settings)}", null);
    }

    private static string At(DatabaseSettings? settings) => settings is null ? "" : $" — {settings.Describe()}";
}
