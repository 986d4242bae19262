using System.Net.Sockets;
using CobaltGraph.Model;
using Npgsql;

namespace CobaltGraph.Data.Ingest;

/// <summary>Tells faults apart by what helps: another try, leaving a row out, or a person.</summary>
internal static class Faults
{
    private const string IdleInTransactionSessionTimeout = "25P03";
    private const string IdleSessionTimeout = "57P05";

    /// <summary>Whether the same batch can be expected to go through later.</summary>
    public static bool IsTransient(Exception e) => e switch
    {
        PostgresException server => server.SqlState switch
        {
            PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected
                or PostgresErrorCodes.StatementCompletionUnknown or PostgresErrorCodes.LockNotAvailable
                or PostgresErrorCodes.TooManyConnections or PostgresErrorCodes.OutOfMemory
                or PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown
                or PostgresErrorCodes.CannotConnectNow or IdleInTransactionSessionTimeout or IdleSessionTimeout => true,
            // A standby that was the primary, or is about to become it.
            PostgresErrorCodes.ReadOnlySqlTransaction => true,
            // "cached plan must not change result type": once, after a migration.
            PostgresErrorCodes.FeatureNotSupported => server.Routine is "RevalidateCachedQuery",
            _ => server.SqlState.StartsWith("08", StringComparison.Ordinal),
        },
        // Without a cause it is a matter of settings: no password, no encryption.
        NpgsqlException client => client.IsTransient || (client.InnerException is { } cause && IsTransient(cause)),
        // Of several hosts.
        AggregateException several => several.InnerExceptions.Any(IsTransient),
        TimeoutException or IOException or SocketException => true,
        _ => false,
    };

    /// <summary>Whether a row is at fault: a value that its column refuses, or a constraint.</summary>
    public static bool IsInRow(PostgresException e)
        => e.SqlState.StartsWith("22", StringComparison.Ordinal) || e.SqlState.StartsWith("23", StringComparison.Ordinal);

    /// <summary>Whether fewer rows in a statement may go through.</summary>
    public static bool CallsForParts(Exception e) => IsInPart(e) || (e is PostgresException server && IsStatementTimeout(server));

    /// <summary>Whether a row of a part is at fault, or all of them together.</summary>
    public static bool IsInPart(Exception e) => e is StatementTooLongException || (e is PostgresException server && IsInRow(server));

    /// <summary>
    /// Whether the server answered that it did not do what it was asked for. An error that ends the session is no such
    /// answer: it can come between a commit and the word of it.
    /// </summary>
    public static bool IsRefusal(Exception e) => e switch
    {
        PostgresException server => server.InvariantSeverity is "ERROR"
            && server.SqlState is not (PostgresErrorCodes.StatementCompletionUnknown or PostgresErrorCodes.TransactionResolutionUnknown),
        // Cancelled, and the server said so.
        OperationCanceledException { InnerException: { } inner } => IsRefusal(inner),
        _ => false,
    };

    /// <summary>Whether the answer did not come in time.</summary>
    public static bool IsTimeout(Exception e) => e is TimeoutException or NpgsqlException { InnerException: TimeoutException };

    /// <summary>Whether the server ended the statement for its length, which a shorter one may avoid.</summary>
    public static bool IsStatementTimeout(PostgresException e) => e.SqlState == PostgresErrorCodes.QueryCanceled;

    /// <summary>Whether other connections of the pool are likely to be useless too.</summary>
    public static bool AffectsPool(Exception e)
        => e is PostgresException
        {
            SqlState: PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown
                or PostgresErrorCodes.CannotConnectNow or PostgresErrorCodes.ReadOnlySqlTransaction
                or IdleSessionTimeout,
        };

    /// <summary>What the fault says, safe to print.</summary>
    public static string Describe(Exception e) => e switch
    {
        PostgresException { ConstraintName: { } name } p =>
            DisplayText.Escape($"the database refused it: {p.MessageText} (SQLSTATE {p.SqlState}, {name})"),
        PostgresException p => DisplayText.Escape($"the database refused it: {p.MessageText} (SQLSTATE {p.SqlState})"),
        { InnerException: { } inner } and NpgsqlException => DisplayText.Escape($"{e.Message} ({inner.Message})"),
        _ => DisplayText.Escape(e.Message),
    };
}
