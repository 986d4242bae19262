namespace CobaltGraph.Data.Queries;

/// <summary>A device or destination that can have matching connections.</summary>
/// <param name="Key">Its address.</param>
/// <param name="First">
/// About its earliest connection: a hint, for connections of no device are not counted with a destination.
/// </param>
/// <param name="Last">
/// About its latest connection: always a hint, for it never passes the server's clock, and a connection of a sensor whose clock
/// is ahead does.
/// </param>
/// <param name="Count">About how many connections it has.</param>
internal sealed record Candidate<TKey>(TKey Key, DateTimeOffset First, DateTimeOffset Last, long Count)
{
    /// <summary>A candidate of which no more is known.</summary>
    public Candidate(TKey key)
        : this(key, DateTimeOffset.MinValue, DateTimeOffset.MinValue, 0)
    {
    }
}
