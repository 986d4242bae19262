namespace CobaltGraph.Data;

/// <summary>Finds the name that was probably meant.</summary>
internal static class NearestName
{
    /// <summary>The candidate with the fewest edits, if they are few for its length; else null.</summary>
    public static string? Find(string name, IEnumerable<string> candidates)
    {
        string? best = null;
        var bestDistance = int.MaxValue;
        foreach (var candidate in candidates)
        {
            var distance = Distance(name, candidate);
            if (distance >= bestDistance || distance > Math.Max(1, candidate.Length / 3)) continue;
            best = candidate;
            bestDistance = distance;
        }

        return best;
    }

    // Optimal string alignment: a swap of neighbours counts as one edit.
    private static int Distance(string left, string right)
    {
        const int tooLong = 64;
        if (left.Length > tooLong || right.Length > tooLong) return int.MaxValue;

        var table = new int[left.Length + 1, right.Length + 1];
        for (var i = 0; i <= left.Length; i++) table[i, 0] = i;
        for (var j = 0; j <= right.Length; j++) table[0, j] = j;

        for (var i = 1; i <= left.Length; i++)
        {
            for (var j = 1; j <= right.Length; j++)
            {
                var a = char.ToUpperInvariant(left[i - 1]);
                var b = char.ToUpperInvariant(right[j - 1]);
                var edits = Math.Min(
                    Math.Min(table[i - 1, j], table[i, j - 1]) + 1,
                    table[i - 1, j - 1] + (a == b ? 0 : 1));
                if (i > 1 && j > 1
                    && a == char.ToUpperInvariant(right[j - 2])
                    && b == char.ToUpperInvariant(left[i - 2]))
                {
                    edits = Math.Min(edits, table[i - 2, j - 2] + 1);
                }

                table[i, j] = edits;
            }
        }

        return table[left.Length, right.Length];
    }
}
