using CobaltGraph.Reliability.Results;
using CobaltGraph.Testing;

namespace CobaltGraph.Reliability.Tests;

/// <summary>Where results go: into the test's output always, into the repository from a run of full size.</summary>
internal static class Report
{
    private const string Introduction =
        """
        # What survives

        What `tests/reliability.sh` found when it was last run at full size. Every test breaks something on purpose while
        connections are stored, then recomputes from the raw rows what must be there. *Lost*: acknowledged and not stored.
        *Duplicate*: stored more than once. *Failed*: batches or runs that gave up, or snapshots whose sums disagreed.
        *Other findings*: anything else that the audit of the database found, such as a counter, a time or an event that its
        rows do not account for. `COBALTGRAPH_SEED=<seed> tests/reliability.sh` repeats a run's workload and plan of faults.

        Servers have fsync on, save in 6, 7 and the orders of statements of 5, where none is killed; they are killed with SIGKILL, all
        their processes at once.
        What this does not show: a machine that loses power with data in its disk's cache.
        """;

    /// <param name="result">The result.</param>
    /// <param name="seed">Another seed than that of the run.</param>
    public static void Put(Result result, int? seed = null)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"{result}, {Seed.Replay}");
        Console.Error.WriteLine(
            $"{result.What}: {result.Size}; faults: {result.Faults}; lost {result.Lost}, duplicate {result.Duplicate}, failed {result.Failed}, findings {result.Findings}");
        if (RunSize.IsFull)
        {
            ResultTable.Put(
                Repository.PathOf("docs", "reliability.md"), Introduction, result, seed ?? Seed.Value,
                DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime));
        }
    }
}
