using CobaltGraph.Data.Queries.Catalogue;

namespace CobaltGraph.Benchmarks.Queries;

/// <summary>A query in all ways.</summary>
internal sealed record QueryResult
{
    public required string Query { get; init; }

    public required QueryKind Kind { get; init; }

    /// <summary>Rows of the answers, least and most.</summary>
    public required long LeastRows { get; init; }

    public required long MostRows { get; init; }

    public required IReadOnlyList<MethodTimes> Methods { get; init; }

    /// <summary>What the 95th percentile is to stay below, in milliseconds; null without a promise.</summary>
    public double? Limit => LimitOf(Kind);

    public MethodTimes? Of(string method) => Methods.FirstOrDefault(times => times.Method == method);

    public static double? LimitOf(QueryKind kind) => kind switch
    {
        QueryKind.DeviceList => 5,
        QueryKind.Search or QueryKind.Detail => 25,
        QueryKind.Text or QueryKind.Pair => 1000,
        QueryKind.TextOfDay or QueryKind.PairOfDay => 50,
        QueryKind.Summary => 20,
        QueryKind.Holder => 2,
        _ => null,
    };
}

/// <summary>One way of asking a query.</summary>
internal sealed record MethodTimes
{
    /// <summary>ours; a: SQL by hand through Npgsql; b: the same through Dapper; c: the original's tables and SQL.</summary>
    public required string Method { get; init; }

    /// <summary>Of all calls.</summary>
    public required Latency All { get; init; }

    /// <summary>The highest 95th percentile of common, rare and absent values.</summary>
    public required double P95 { get; init; }

    /// <summary>Sum of the medians of each call, so that every value weighs alike.</summary>
    public required double Medians { get; init; }

    /// <summary>Allocated on the managed heap by a call, the middle of all.</summary>
    public required double AllocatedBytes { get; init; }

    /// <summary>Whether a call was given up, which counts as 10 seconds.</summary>
    public required bool TimedOut { get; init; }

    public required IReadOnlyList<ValueTimes> Values { get; init; }
}

/// <summary>One call of a query.</summary>
internal sealed record ValueTimes(QueryValues Values, string Arguments, long Rows, Latency Latency);
