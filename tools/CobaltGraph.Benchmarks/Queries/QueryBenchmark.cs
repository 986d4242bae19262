using CobaltGraph.Benchmarks.Ingest;
using CobaltGraph.Data.Queries.Catalogue;
using Npgsql;

namespace CobaltGraph.Benchmarks.Queries;

/// <summary>Asks every query of the catalogue in all ways, again and again.</summary>
internal sealed class QueryBenchmark(QueriesSetup setup, QueryLayer layer, NpgsqlDataSource dataSource, NpgsqlDataSource? original, Action<string> say)
{
    // The compiler rewrites what it sees often, so the first calls are not those of a program that runs.
    private const int WarmUpCalls = 100;
    private const int WarmUpRounds = 5;

    public async Task<IReadOnlyList<QueryResult>> RunAsync(IReadOnlyList<string> only, CancellationToken cancellationToken)
    {
        var samples = await QuerySamples.DrawAsync(dataSource, setup.ValuesPerKind, (int)setup.Seed, cancellationToken);
        var calls = setup.OnlyPairs ? QueryCatalogue.AllPairs(samples) : QueryCatalogue.Calls(samples);
        var queries = calls
            .Where(call => only.Count == 0 || only.Any(text => call.Query.Contains(text, StringComparison.OrdinalIgnoreCase)))
            .GroupBy(call => call.Query).ToList();
        if (queries.Count == 0)
            throw new BenchmarkException($"--only: no query has one of these texts in its name: {string.Join(", ", only)}.");

        var results = new List<QueryResult>();
        var isWarm = false;
        foreach (var query in queries)
        {
            List<Contest> first = [], following = [];
            foreach (var call in query)
            {
                var (contest, answer) = await PrepareAsync(call);
                first.Add(contest);
                if (call.Following?.Invoke(answer) is { } next)
                    following.Add((await PrepareAsync(next)).Contest);
            }

            foreach (var contests in (List<Contest>[])[first, following])
            {
                if (contests.Count == 0)
                    continue;
                if (!isWarm)
                {
                    await WarmUpAsync(contests, cancellationToken);
                    isWarm = true;
                }

                var result = await MeasureAsync(contests, cancellationToken);
                results.Add(result);
                say($"{result.Query}: " + string.Join(", ", result.Methods.Select(times => $"{times.Method} {Figure.Milliseconds(times.P95)}")) + " ms");
            }
        }

        return results;

        Task<(Contest Contest, object Answer)> PrepareAsync(QueryCall call) => setup.OnlyPairs
            ? Contest.AloneAsync(call, layer, cancellationToken)
            : Contest.PrepareAsync(call, layer, dataSource, original, cancellationToken);
    }

    private async Task WarmUpAsync(List<Contest> contests, CancellationToken cancellationToken)
    {
        for (var round = 0; round < Math.Min(WarmUpRounds, setup.Repetitions); round++)
        {
            for (var i = 0; i < Math.Min(WarmUpCalls, setup.Repetitions); i++)
            {
                foreach (var contestant in contests[i % contests.Count].Contestants.Where(contestant => contestant.Method != "c"))
                    await contestant.RunAsync(cancellationToken);
            }

            // The optimising compiler waits for a quiet moment and then takes a while.
            await Task.Delay(500, cancellationToken);
        }
    }

    private async Task<QueryResult> MeasureAsync(List<Contest> contests, CancellationToken cancellationToken)
    {
        var readings = new Dictionary<(int Contest, string Method), List<Reading>>();
        var spent = new Dictionary<string, TimeSpan>();
        var rounds = Math.Max((setup.Repetitions + contests.Count - 1) / contests.Count, 1);
        for (var round = 0; round < rounds; round++)
        {
            for (var i = 0; i < contests.Count; i++)
            {
                // Nobody always comes first.
                var contestants = round % 2 == 0 ? contests[i].Contestants : contests[i].Contestants.Reverse();
                foreach (var contestant in contestants)
                {
                    var method = contestant.Method;
                    // Every call is made once in every way; then the slow way has had its time.
                    if (round > 0 && (spent.GetValueOrDefault(method) > setup.TimePerQuery || (method == "c" && round % 10 != 0)))
                        continue;
                    var reading = await ReadAsync(contestant, cancellationToken);
                    spent[method] = spent.GetValueOrDefault(method) + TimeSpan.FromMilliseconds(reading.Milliseconds);
                    if (!readings.TryGetValue((i, method), out var list))
                        readings.Add((i, method), list = []);
                    list.Add(reading);
                }
            }
        }

        return new QueryResult
        {
            Query = contests[0].Call.Query,
            Kind = contests[0].Call.Kind,
            LeastRows = contests.Min(contest => contest.Rows),
            MostRows = contests.Max(contest => contest.Rows),
            Methods = [.. readings.GroupBy(entry => entry.Key.Method).Select(entries => Times(entries.Key, [.. entries]))],
        };

        MethodTimes Times(string method, List<KeyValuePair<(int Contest, string Method), List<Reading>>> entries)
        {
            var all = entries.SelectMany(entry => entry.Value).ToList();
            return new()
            {
                Method = method,
                All = Latency.Of([.. all.Select(reading => reading.Milliseconds)]),
                P95 = entries.GroupBy(entry => contests[entry.Key.Contest].Call.Values)
                    .Max(values => Latency.Of([.. values.SelectMany(entry => entry.Value).Select(reading => reading.Milliseconds)]).P95),
                Medians = entries.Sum(entry => Latency.Of([.. entry.Value.Select(reading => reading.Milliseconds)]).P50),
                AllocatedBytes = Statistic.Of(all.Select(reading => (double)reading.Allocated)).Median,
                TimedOut = all.Exists(reading => reading.TimedOut),
                Values =
                [
                    .. entries.OrderBy(entry => entry.Key.Contest).Select(entry => new ValueTimes(
                        contests[entry.Key.Contest].Call.Values, $"{contests[entry.Key.Contest].Call.Arguments}", contests[entry.Key.Contest].Rows,
                        Latency.Of([.. entry.Value.Select(reading => reading.Milliseconds)]))),
                ],
            };
        }
    }

    private static async Task<Reading> ReadAsync(Contestant contestant, CancellationToken cancellationToken)
    {
        var allocated = GC.GetTotalAllocatedBytes(precise: true);
        var started = TimeProvider.System.GetTimestamp();
        var answer = await contestant.RunAsync(cancellationToken);
        var elapsed = TimeProvider.System.GetElapsedTime(started);
        return new(elapsed.TotalMilliseconds, GC.GetTotalAllocatedBytes(precise: true) - allocated, answer == Contest.TimedOut);
    }

    private readonly record struct Reading(double Milliseconds, long Allocated, bool TimedOut);
}
