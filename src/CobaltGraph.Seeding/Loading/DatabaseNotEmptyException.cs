namespace CobaltGraph.Seeding;

/// <summary>The database has devices or connections, and the options do not say to append.</summary>
public sealed class DatabaseNotEmptyException : InvalidOperationException
{
    /// <summary>Creates the exception with its usual text.</summary>
    public DatabaseNotEmptyException()
        : this("The database has data already. Seed an empty one, or append to this one (SeedOptions.Append, --append).")
    {
    }

    /// <summary>Creates the exception with a text.</summary>
    public DatabaseNotEmptyException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with a text and a cause.</summary>
    public DatabaseNotEmptyException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
