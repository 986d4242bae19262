using System.Net;
using CobaltGraph.Data.Queries;
using CobaltGraph.Data.Queries.Catalogue;
using CobaltGraph.Model;
using Npgsql;
using Range = System.ValueTuple<System.DateTimeOffset?, System.DateTimeOffset?, CobaltGraph.Data.Queries.TrafficMeasure>;

namespace CobaltGraph.Benchmarks.Queries;

/// <summary>One question, and the ways in which it is asked.</summary>
/// <param name="Call">The question.</param>
/// <param name="Contestants">Ours first.</param>
internal sealed record Contest(QueryCall Call, IReadOnlyList<Contestant> Contestants)
{
    /// <summary>Rows of the query layer's answer.</summary>
    public required long Rows { get; init; }

    // Longer is no way to answer a question; it counts as this long.
    private const int SlowestSeconds = 10;

    /// <summary>Asks in every way once and compares the answers.</summary>
    /// <exception cref="BenchmarkException">Two ways give different rows.</exception>
    public static async Task<(Contest Contest, object Answer)> PrepareAsync(
        QueryCall call, QueryLayer layer, NpgsqlDataSource dataSource, NpgsqlDataSource? original, CancellationToken cancellationToken)
    {
        var answer = await call.RunAsync(layer, cancellationToken);
        var contestants = new List<Contestant> { new("ours", cancel => call.RunAsync(layer, cancel)) };
        if (HandOf(call) is { } hand)
        {
            var shape = await FastestAsync(call, hand, answer, dataSource, cancellationToken);
            var mapped = hand.Count(await hand.WithDapperAsync(dataSource, shape, cancellationToken));
            if (mapped != Keys(answer).Count())
                throw new BenchmarkException($"{call.Query}: Dapper reads {mapped} rows, the query layer {Keys(answer).Count()}.");
            contestants.Add(new("a", cancel => hand.WithNpgsqlAsync(dataSource, shape, cancel)));
            contestants.Add(new("b", cancel => hand.WithDapperAsync(dataSource, shape, cancel)));
        }
        else if (call.Arguments is (MacAddress mac, DeviceDetailRequest request))
        {
            var detail = new DetailByHand(dataSource, mac, request);
            var found = await detail.ReadAsync(cancellationToken);
            if (found != (answer is DeviceDetail known ? known.Connections.Items.Count : null))
                throw new BenchmarkException($"{call.Query}: not the rows of the query layer by hand: {mac}.");
            contestants.Add(new("a", async cancel => (object?)await detail.ReadAsync(cancel) ?? mac));
        }

        if (original is not null && OriginalOf(call) is { Count: > 0 } statements)
            contestants.Add(new("c", async cancel => await ReadAllAsync(original, statements, cancel)));
        return (new(call, contestants) { Rows = call.RowsOf(answer) }, answer);
    }

    /// <summary>Asks in our way alone.</summary>
    public static async Task<(Contest Contest, object Answer)> AloneAsync(QueryCall call, QueryLayer layer, CancellationToken cancellationToken)
    {
        var answer = await call.RunAsync(layer, cancellationToken);
        return (new(call, [new("ours", cancel => call.RunAsync(layer, cancel))]) { Rows = call.RowsOf(answer) }, answer);
    }

    private static HandQuery? HandOf(QueryCall call) => (call.Query, call.Arguments) switch
    {
        (_, SearchArguments search) => ConnectionSql.Of(search),
        ("connections counted", ConnectionFilter filter) => ConnectionSql.Count(filter),
        (_, ListArguments list) => DeviceSql.List(list),
        (_, EventArguments events) => EventSql.Of(events),
        ("device summary of all", _) => DeviceSql.SummaryOfAll(),
        ("device threats of all", _) => DeviceSql.ThreatsOfAll(),
        ("active devices", _) => DeviceSql.Active(),
        ("talkers of an address", IPAddress address) => GraphSql.Contacts(address),
        ("prevalence of some destinations", IPAddress[] shown) => GraphSql.Prevalence(shown),
        ("new destinations", DateTimeOffset since) => GraphSql.NewDestinations(since, newToAll: false),
        ("destinations new to all", ValueTuple<DateTimeOffset, bool> since) => GraphSql.NewDestinations(since.Item1, newToAll: true),
        ("top talkers", Range { Item1: null }) => GraphSql.TopTalkers(),
        ("top talkers by bytes", Range { Item1: null }) => GraphSql.TopTalkersByBytes(),
        ("top talkers" or "top talkers by bytes", Range { Item1: { } from, Item2: { } until } range) =>
            GraphSql.TopTalkers(from, until, range.Item3 == TrafficMeasure.Bytes),
        ("top destinations", Range { Item1: null }) => GraphSql.TopDestinations(),
        ("top destinations of a day" or "top destinations of a day by bytes", Range { Item1: { } from, Item2: { } until } range) =>
            GraphSql.TopDestinations(from, until, range.Item3 == TrafficMeasure.Bytes),
        ("who had an address", ValueTuple<IPAddress, DateTimeOffset> had) => GraphSql.Holders(had.Item1, had.Item2),
        ("address conflicts", QuerySamples samples) => GraphSql.Conflicts(samples.From, samples.Until),
        _ => null,
    };

    private static List<SqlQuery> OriginalOf(QueryCall call) => (call.Query, call.Arguments) switch
    {
        // Its table has no service, state or uid, but the same metadata.
        (_, SearchArguments search) => [ConnectionSql.OfOriginal(search)],
        (_, ListArguments list) => DeviceSql.OriginalList(list) is { } query ? [query] : [],
        ("device summary of all", _) => [DeviceSql.Summary],
        (_, ValueTuple<MacAddress, DeviceDetailRequest> detail) =>
        [
            DeviceSql.OriginalSummaryOf(detail.Item1),
            ConnectionSql.OfOriginal(new SearchArguments(new ConnectionFilter { Devices = [detail.Item1] })),
        ],
        ("talkers of an address", IPAddress address) => [GraphSql.OriginalContacts(address)],
        ("new destinations", DateTimeOffset since) => [GraphSql.OriginalNewDestinations(since)],
        ("top talkers", Range { Item1: null }) => [GraphSql.OriginalTopTalkers()],
        _ => [],
    };

    private static async Task<SqlQuery> FastestAsync(
        QueryCall call, HandQuery hand, object answer, NpgsqlDataSource dataSource, CancellationToken cancellationToken)
    {
        var expected = Keys(answer).ToList();
        SqlQuery? fastest = null;
        var least = TimeSpan.FromSeconds(SlowestSeconds);
        foreach (var shape in hand.Shapes)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            // The only one has all the time it needs.
            if (hand.Shapes.Count > 1 && (fastest is not null || shape != hand.Shapes[^1]))
                limit.CancelAfter(least);
            var started = TimeProvider.System.GetTimestamp();
            object rows;
            try
            {
                // What was read from disk the first time is in memory the second time.
                _ = await hand.WithNpgsqlAsync(dataSource, shape, limit.Token);
                started = TimeProvider.System.GetTimestamp();
                rows = await hand.WithNpgsqlAsync(dataSource, shape, limit.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                continue;
            }

            var elapsed = TimeProvider.System.GetElapsedTime(started);
            var found = hand.Keys(rows).ToList();
            var same = hand.IsInOrder ? found.SequenceEqual(expected) : found.Order().SequenceEqual(expected.Order());
            if (!same)
            {
                throw new BenchmarkException(
                    $"{call.Query} ({call.Values}): {found.Count} rows by hand are not the {expected.Count} of the query layer.{Environment.NewLine}{shape.Text}");
            }

            if (fastest is null || elapsed < least)
                (fastest, least) = (shape, elapsed);
        }

        return fastest!;
    }

    private static IEnumerable<string> Keys(object answer) => answer switch
    {
        ConnectionPage page => page.Items.Select(row => $"{row.Id}"),
        DevicePage page => page.Items.Select(row => $"{row.MacAddress}"),
        RowCount count => [$"{Math.Min(count.Value, ConnectionSql.CountCap)}"],
        List<DeviceThreats> rows => rows.Select(row => $"{row.MacAddress} {row.ThreatScore} {row.OtherCount}"),
        List<ActiveDevice> rows => rows.Select(row => $"{row.MacAddress} {EnumText.ToText(row.Status)}"),
        List<DeviceSummary> rows => rows.Select(row => $"{row.MacAddress} {row.ConnectionCount} {row.UniqueDestinations}"),
        Page<DestinationContact> page => page.Items.Select(row => $"{row.MacAddress}"),
        Page<NewDestination> page => page.Items.Select(row => $"{row.SrcMac} {row.DstIp} {row.IsNewToAll}"),
        TrafficRanking<TopTalker> ranking => ranking.Items.Select(row => $"{row.MacAddress} {row.BytesSent} {row.BytesReceived}"),
        TrafficRanking<TopDestination> ranking => ranking.Items.Select(row => $"{row.DstIp} {row.ConnectionCount} {row.Bytes}"),
        IReadOnlyList<DestinationPrevalence> rows => rows.Select(row => $"{row.DstIp} {row.DeviceCount} {row.ConnectionCount}"),
        Page<AddressConflict> page => page.Items.Select(row => $"{row.IpAddress} {row.First} {row.Second} {row.From:O}"),
        Page<DeviceEvent> page => page.Items.Select(row => $"{row.Id}"),
        IReadOnlyList<AddressHolder> holders => holders.Select(row => $"{row.MacAddress} {row.Source} {row.FirstSeen:O}"),
        _ => throw new BenchmarkException($"Nothing compares a {answer.GetType().Name}."),
    };

    private static async Task<object> ReadAllAsync(
        NpgsqlDataSource dataSource, List<SqlQuery> statements, CancellationToken cancellationToken)
    {
        var count = 0;
        foreach (var statement in statements)
        {
            await using var command = statement.CreateCommand(dataSource);
            command.CommandTimeout = SlowestSeconds;
            try
            {
                await using var reader = await command.ExecuteReaderAsync(cancellationToken);
                var values = new object[reader.FieldCount];
                for (; await reader.ReadAsync(cancellationToken); count++)
                    reader.GetValues(values);
            }
            catch (NpgsqlException late) when (late.InnerException is TimeoutException)
            {
                return TimedOut;
            }
        }

        return count;
    }

    /// <summary>What a contestant gives back that did not end in time.</summary>
    public static object TimedOut { get; } = new();
}

/// <summary>One way of asking.</summary>
/// <param name="Method">ours, or the letter of the report.</param>
/// <param name="RunAsync">Asks.</param>
internal sealed record Contestant(string Method, Func<CancellationToken, Task<object>> RunAsync);
