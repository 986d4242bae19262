using System.Numerics;

namespace CobaltGraph.Seeding.Randomness;

/// <summary>
/// A stream of random numbers that is the same on every machine and version: SplitMix64, and only arithmetic that IEEE 754
/// defines to the last bit (no Math.Pow, Log, Exp, whose results differ between platforms).
/// </summary>
internal sealed class RandomStream(ulong state)
{
    private const ulong Step = 0x9E37_79B9_7F4A_7C15;

    private ulong _state = state;

    /// <summary>A stream of its own for each purpose, so that a change in one leaves the others alone.</summary>
    public static RandomStream For(long seed, string purpose)
    {
        var hash = 0xCBF2_9CE4_8422_2325UL;
        foreach (var c in purpose)
            hash = (hash ^ c) * 0x0000_0100_0000_01B3;
        return new RandomStream(Mix(hash ^ Mix((ulong)seed + Step)));
    }

    /// <summary>Scatters a number over 64 bits.</summary>
    public static ulong Mix(ulong z)
    {
        z = (z ^ z >> 30) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ z >> 27) * 0x94D0_49BB_1331_11EB;
        return z ^ z >> 31;
    }

    public ulong Next() => Mix(_state += Step);

    /// <summary>0 to below the bound.</summary>
    public int Below(int bound) => (int)((Next() >> 32) * (ulong)bound >> 32);

    /// <summary>From the first to the last, both included.</summary>
    public int Between(int first, int last) => first + Below(last - first + 1);

    /// <summary>0 to below the bound, for bounds beyond 32 bits.</summary>
    public long Below(long bound) => (long)Math.BigMul(Next(), (ulong)bound, out _);

    /// <summary>0 to below 1.</summary>
    public double Unit() => (Next() >> 11) * (1.0 / (1UL << 53));

    public bool Chance(double probability) => Unit() < probability;

    public T Pick<T>(IReadOnlyList<T> items) => items[Below(items.Count)];

    public void Shuffle<T>(IList<T> items)
    {
        for (var i = items.Count - 1; i > 0; i--)
        {
            var j = Below(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }
}

/// <summary>
/// Sizes that vary by factors rather than by amounts: the median, and how many doublings a value is usually away from it.
/// </summary>
internal readonly struct Spread(double median, double doublings)
{
    private readonly double _log2 = BitOperations.Log2((ulong)median) + median / (1L << BitOperations.Log2((ulong)median)) - 1;

    public long Next(RandomStream random)
    {
        // Three uniforms make a bell; between powers of two the curve is a straight line.
        var x = _log2 + doublings * (random.Unit() + random.Unit() + random.Unit() - 1.5) / 0.75;
        if (x <= 0)
            return 1;
        var whole = (int)x;
        return (long)((1L << whole) * (1 + (x - whole)));
    }
}
