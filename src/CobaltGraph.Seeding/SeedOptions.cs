namespace CobaltGraph.Seeding;

/// <summary>What to seed. The same options with the same <see cref="ReferenceTime"/> give the same rows on any machine.</summary>
public sealed record SeedOptions
{
    /// <summary>The most devices a site can have.</summary>
    public const int MaxDevices = 100_000;

    /// <summary>The longest period, in days.</summary>
    public const int MaxDays = 3650;

    /// <summary>Devices, 1 to 100,000.</summary>
    public int Devices { get; init; } = 100;

    /// <summary>Connections, exactly; 0 seeds devices only.</summary>
    public long Connections { get; init; } = 10_000;

    /// <summary>Days before the reference time over which the connections spread, 1 to 3,650.</summary>
    public int Days { get; init; } = 7;

    /// <summary>The kind of site.</summary>
    public SiteRecipe Recipe { get; init; } = SiteRecipe.SmallOffice;

    /// <summary>Start of all random numbers.</summary>
    public long Seed { get; init; } = 42;

    /// <summary>
    /// The end of the period, to the second; null for the present. The newest connections lie just before it, so only a
    /// reference time in the present makes devices active.
    /// </summary>
    public DateTimeOffset? ReferenceTime { get; init; }

    /// <summary>Whether a database that has data may be seeded; devices of the same MAC address are merged.</summary>
    public bool Append { get; init; }

    /// <summary>Connections per transaction, 1 to 1,000,000.</summary>
    public int BatchSize { get; init; } = 10_000;

    /// <summary>Checks the ranges.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    public void Validate()
    {
        InRange(Devices, 1, MaxDevices, nameof(Devices));
        InRange(Connections, 0, 1_000_000_000_000, nameof(Connections));
        InRange(Days, 1, MaxDays, nameof(Days));
        InRange(BatchSize, 1, 1_000_000, nameof(BatchSize));
        if (ReferenceTime is { } time && (time.UtcDateTime.Year is < 1980 or > 9000))
        {
            throw new ArgumentOutOfRangeException(
                nameof(ReferenceTime), time, "The reference time is a time from the year 1980 to the year 9000.");
        }
        ArgumentNullException.ThrowIfNull(Recipe);
    }

    private static void InRange(long value, long least, long most, string name)
    {
        if (value < least || value > most)
            throw new ArgumentOutOfRangeException(name, value, $"{name} is a number from {least} to {most}.");
    }
}
