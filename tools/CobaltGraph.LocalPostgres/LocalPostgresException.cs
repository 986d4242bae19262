namespace CobaltGraph.LocalPostgres;

/// <summary>
/// A local PostgreSQL could not be found, fetched, started or stopped. The message is complete for a person: what is
/// wrong, where, and what to do next. It never holds a password.
/// </summary>
public sealed class LocalPostgresException : Exception
{
    public LocalPostgresException(string message)
        : base(message)
    {
    }

    public LocalPostgresException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    public LocalPostgresException()
    {
    }
}
