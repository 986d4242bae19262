namespace CobaltGraph.Reliability.Results;

/// <summary>How much a slow test does: enough to notice a mistake on every change, or all that was promised.</summary>
public static class RunSize
{
    /// <summary>The variable that asks for the full size, by the value <c>full</c>.</summary>
    public const string Variable = "COBALTGRAPH_RELIABILITY";

    /// <summary>Whether this run is one of full size.</summary>
    public static bool IsFull { get; } = Environment.GetEnvironmentVariable(Variable) switch
    {
        null or "" => false,
        "full" => true,
        var other => throw new InvalidOperationException($"{Variable} is '{other}'; it can be full, or unset."),
    };

    /// <summary>One of two sizes.</summary>
    /// <param name="quick">For every change.</param>
    /// <param name="full">For a run of full size.</param>
    public static T Pick<T>(T quick, T full) => IsFull ? full : quick;
}
