namespace CobaltGraph.Seeding.Tests;

/// <summary>Tests that look at or change what belongs to the whole process run when no other does.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public class Alone
{
    public const string Name = "alone";
}
