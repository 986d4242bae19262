using System.Globalization;
using System.Security.Cryptography;

namespace CobaltGraph.Reliability;

/// <summary>The one number that a run's workloads and faults follow from.</summary>
public static class Seed
{
    /// <summary>The variable that repeats a run.</summary>
    public const string Variable = "COBALTGRAPH_SEED";

    /// <summary>The seed of this run: from <see cref="Variable"/>, or drawn.</summary>
    public static int Value { get; } = Read(Environment.GetEnvironmentVariable(Variable));

    /// <summary>What to write beside a result, so that it can be had again.</summary>
    public static string Replay => string.Create(CultureInfo.InvariantCulture, $"{Variable}={Value}");

    /// <summary>Random numbers of their own for each purpose, so that one more draw in one leaves the others alone.</summary>
    /// <param name="purpose">Any text.</param>
    /// <param name="seed">Another seed than that of the run.</param>
    public static Random Random(string purpose, int? seed = null)
    {
        ArgumentNullException.ThrowIfNull(purpose);
        var hash = (uint)(seed ?? Value) * 0x9E37_79B1u ^ 0x811C_9DC5u;
        foreach (var c in purpose)
            hash = (hash ^ c) * 0x0100_0193u;
        return new Random((int)(hash ^ hash >> 15));
    }

    private static int Read(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
            return RandomNumberGenerator.GetInt32(1, 1_000_000);
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw new InvalidOperationException($"{Variable} is '{text}'; it is a whole number from 0 to {int.MaxValue}.");
    }
}
