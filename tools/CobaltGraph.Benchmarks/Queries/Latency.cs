namespace CobaltGraph.Benchmarks.Queries;

/// <summary>Times of a question that was asked again and again, in milliseconds.</summary>
internal readonly record struct Latency(int Samples, double P50, double P95, double P99, double Max)
{
    public static Latency Of(IReadOnlyList<double> milliseconds)
    {
        var sorted = milliseconds.Order().ToArray();
        return new(sorted.Length, At(0.5), At(0.95), At(0.99), sorted[^1]);

        // The least value that so many are not above.
        double At(double share) => sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Length) - 1, 0, sorted.Length - 1)];
    }
}
