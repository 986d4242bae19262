namespace CobaltGraph.Seeding.Randomness;

/// <summary>Draws an index with given weights from one random number, however many there are (Vose's alias method).</summary>
internal sealed class WeightedTable
{
    private readonly uint[] _threshold;
    private readonly int[] _alias;

    public WeightedTable(IReadOnlyList<double> weights)
    {
        var count = weights.Count;
        _threshold = new uint[count];
        _alias = new int[count];

        var total = 0.0;
        foreach (var weight in weights)
            total += weight;
        if (total <= 0)
            throw new ArgumentException("No weight is positive.", nameof(weights));

        var scaled = new double[count];
        var small = new Stack<int>();
        var large = new Stack<int>();
        for (var i = 0; i < count; i++)
        {
            scaled[i] = weights[i] * count / total;
            (scaled[i] < 1 ? small : large).Push(i);
        }
        while (small.Count > 0 && large.Count > 0)
        {
            var less = small.Pop();
            var more = large.Pop();
            _threshold[less] = (uint)(Math.Max(0, scaled[less]) * uint.MaxValue);
            _alias[less] = more;
            scaled[more] -= 1 - scaled[less];
            (scaled[more] < 1 ? small : large).Push(more);
        }
        // What is left has weight 1, or would have but for rounding.
        foreach (var i in large.Concat(small))
        {
            _threshold[i] = uint.MaxValue;
            _alias[i] = i;
        }
    }

    /// <summary>A few very popular, a long tail of rare ones: the weight of rank r is 1 / (r + offset).</summary>
    public static WeightedTable Zipf(int count, int offset)
    {
        var weights = new double[count];
        for (var i = 0; i < count; i++)
            weights[i] = 1.0 / (i + offset);
        return new WeightedTable(weights);
    }

    public int Next(RandomStream random)
    {
        var number = random.Next();
        var index = (int)((number >> 32) * (ulong)_threshold.Length >> 32);
        return (uint)number <= _threshold[index] ? index : _alias[index];
    }
}
