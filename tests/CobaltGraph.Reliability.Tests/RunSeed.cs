namespace CobaltGraph.Reliability.Tests;

/// <summary>Prints the seed before anything depends on it.</summary>
public sealed class RunSeed : IAsyncLifetime
{
    public ValueTask InitializeAsync()
    {
        Console.Error.WriteLine($"Seed of this run: {Seed.Replay}");
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
