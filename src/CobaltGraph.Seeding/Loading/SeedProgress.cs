namespace CobaltGraph.Seeding;

/// <summary>What the seeder is doing.</summary>
public enum SeedPhase
{
    /// <summary>Making the site and its partitions.</summary>
    Preparing = 0,

    /// <summary>Storing devices.</summary>
    Devices = 1,

    /// <summary>Storing connections.</summary>
    Connections = 2,

    /// <summary>Setting the status of every device.</summary>
    Finishing = 3,
}

/// <summary>How far the seeder is. What is counted as done is committed.</summary>
/// <param name="Phase">What it is doing.</param>
/// <param name="Done">Rows stored in this phase.</param>
/// <param name="Total">Rows to store in this phase.</param>
public readonly record struct SeedProgress(SeedPhase Phase, long Done, long Total);
