namespace CobaltGraph.Data.Queries.Catalogue;

/// <summary>Values of one column that are there, and some that are not.</summary>
internal sealed record SampleValues<T>(IReadOnlyList<T> Common, IReadOnlyList<T> Rare, IReadOnlyList<T> Absent)
{
    // Of so few at either end the values are drawn.
    private const int Pool = 20;

    /// <summary>Draws from values that are sorted, those of most connections first.</summary>
    public static SampleValues<T> Draw(IReadOnlyList<T> sorted, IReadOnlyList<T> absent, int count, Random random)
    {
        // The very first is always drawn: nothing is more common.
        var common = sorted.Take(1).Concat(Some(sorted.Skip(1).Take(count + 2), count - 1));
        return new([.. common], [.. Some(sorted.Reverse().Take(Pool), count)], absent);

        IEnumerable<T> Some(IEnumerable<T> pool, int number)
        {
            var shuffled = pool.ToArray();
            random.Shuffle(shuffled);
            return shuffled.Take(number);
        }
    }

    public IReadOnlyList<T> Of(QueryValues values) => values switch
    {
        QueryValues.Common => Common,
        QueryValues.Rare => Rare,
        _ => Absent,
    };

    /// <summary>The value with this number, over and over; nothing when there is none.</summary>
    public bool TryGet(QueryValues values, int number, out T value)
    {
        var list = Of(values);
        value = list.Count == 0 ? default! : list[number % list.Count];
        return list.Count > 0;
    }
}
