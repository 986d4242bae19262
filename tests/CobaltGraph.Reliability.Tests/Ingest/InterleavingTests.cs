using System.Globalization;
using CobaltGraph.Reliability.Results;
using CobaltGraph.Testing;
using Npgsql;

namespace CobaltGraph.Reliability.Tests.Ingest;

// RELIABILITY row 5. On the shared server without fsync: nothing is killed here, and each order needs a database.
public sealed class InterleavingTests(PostgresServerFixture server)
{
    private const string Begin = "BEGIN";
    private const string Commit = "COMMIT";
    private const string Known = "00:1b:21:00:00:01";
    private const string Unknown = "00:1b:21:00:00:02";

    // A step that waits longer than this for nobody is stuck.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    // One time for all orders, so that their contents can be compared.
    private static readonly string Recently = TimeProvider.System.GetUtcNow().AddMinutes(-5).ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static string KnownDevice { get; } = $"""
        INSERT INTO devices (mac_address, first_seen, last_seen, last_activity, status)
        SELECT '{Known}', t - interval '3 hours', t - interval '2 hours', t - interval '2 hours', 'active'
        FROM (VALUES (timestamptz '{Recently}')) AS recently (t)
        """;

    // A device that is known and one that is not, in two orders, with the same destinations.
    private static string SomeRows { get; } = Rows("2024-05-01", (Known, "203.0.113.1", 0), (Unknown, "203.0.113.1", 8), (Unknown, "203.0.113.2", 2));

    private static string OtherRows { get; } = Rows("2024-05-02", (Unknown, "203.0.113.1", 9), (Known, "203.0.113.1", 7), (Known, "203.0.113.3", 0));

    private static string Batch { get; } = """
        INSERT INTO ingest_batches (source, batch_key, rows_read, rows_stored) VALUES ('sensor', 'batch 1', 3, 3)
        ON CONFLICT (source, batch_key) DO NOTHING RETURNING batch_key
        """;

    public static TheoryData<string> Names => [.. Pairs.Keys];

    private static Dictionary<string, Pair> Pairs { get; } = new()
    {
        ["insert, insert"] = new([Begin, SomeRows, Commit], [Begin, OtherRows, Commit]),
        ["insert, sighting"] = new([Begin, SomeRows, Commit], [Begin, $"""
            SELECT merge_device_sightings('{Curly(Unknown, Known)}', '{Curly("10.0.0.2", "10.0.0.1")}', '{Curly("two", "one")}',
                '{Curly("NULL", "Acme")}', '{Curly("NULL", "NULL")}', '{Curly("2024-05-01 12:00Z", "2024-05-01 12:00Z")}', '{Curly("arp", "dhcp")}')
            """, Commit]),
        ["insert, sweep"] = new(
            [Begin, Rows(Recently, (Known, "203.0.113.1", 0)), Commit], [Begin, "SELECT * FROM sweep_device_status()", Commit]),
        ["insert, delete device"] = new(
            [Begin, SomeRows, Commit], [Begin, $"DELETE FROM devices WHERE mac_address = '{Known}'", Commit]),
        ["insert, detach partition"] = new(
            [Begin, SomeRows, Commit], [Begin, "ALTER TABLE connections DETACH PARTITION detached", Commit])
        {
            Before = "SELECT ensure_connection_partitions('2024-05-01Z', '2024-05-01Z'); ALTER TABLE connections_y2024m05 RENAME TO detached",
        },
        ["batch, same batch"] = new([Begin, Batch, SomeRows, Commit], [Begin, Batch, SomeRows, Commit]) { IsClaimed = true },
    };

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Two_sessions_leave_in_any_order_of_their_statements_what_one_after_the_other_leaves(string name)
    {
        var (orders, waits, findings) = await RunAsync(Pairs[name]);

        Report.Put(new($"5. {name}: every order of the statements of two sessions", $"{orders} orders", $"{waits} statements had to wait", 0, 0, 0, findings.Count)
        {
            ServerVersion = (await server.GetVersionAsync()).ToString(2),
        });
        Assert.Empty(findings);
        Assert.True(waits > 0, "No statement ever waited for the other session: the two do not meet.");
    }

    // What the test above is worth.
    [Fact]
    public async Task Update_of_what_was_read_before_is_seen()
    {
        var count = $"SELECT hostname FROM devices WHERE mac_address = '{Known}'";
        var write = $"UPDATE devices SET hostname = $1 || 'x' WHERE mac_address = '{Known}'";

        var (_, _, findings) = await RunAsync(new([Begin, count, write, Commit], [Begin, count, write, Commit])
        {
            Before = "UPDATE devices SET hostname = 'h'",
        });

        Assert.NotEmpty(findings);
    }

    private async Task<(int Orders, int Waits, List<string> Findings)> RunAsync(Pair pair)
    {
        var (a, b) = (pair.First.Length, pair.Second.Length);
        var serial = new HashSet<string>
        {
            (await RunAsync(pair, [.. Enumerable.Repeat(0, a), .. Enumerable.Repeat(1, b)])).Contents,
            (await RunAsync(pair, [.. Enumerable.Repeat(1, b), .. Enumerable.Repeat(0, a)])).Contents,
        };
        var (orders, waits) = (0, 0);
        var findings = new List<string>();
        foreach (var order in Orders(a, b).Where(order => RunSize.IsFull || BeginsLate(order)))
        {
            var (contents, waited) = await RunAsync(pair, order);
            orders++;
            waits += waited;
            if (!serial.Contains(contents))
                findings.Add($"{string.Concat(order.Select(session => session == 0 ? 'a' : 'b'))}:\n{contents}\nOne after the other:\n{string.Join("\nor\n", serial)}");
        }

        return (orders, waits, findings);
    }

    /// <summary>Runs the statements of two sessions in an order; one whose session waits is put off until it goes on.</summary>
    private async Task<(string Contents, int Waited)> RunAsync(Pair pair, int[] order)
    {
        await using var database = await server.CreateDatabaseAsync();
        await database.ExecuteAsync(KnownDevice);
        if (pair.Before is { } before)
            await database.ExecuteAsync(before);

        await using var first = await Session.OpenAsync(database, pair.First, pair.IsClaimed);
        await using var second = await Session.OpenAsync(database, pair.Second, pair.IsClaimed);
        Session[] sessions = [first, second];
        var waited = 0;
        foreach (var turn in order)
        {
            sessions[turn].Allow();
            // Whoever waited for it goes on when it is done.
            foreach (var session in new[] { sessions[turn], sessions[1 - turn] })
                waited += await session.SettleAsync(database) ? 1 : 0;
        }

        await Task.WhenAll(sessions.Select(session => session.Work)).WaitAsync(Patience, Cancel);
        return (await ContentsAsync(database), waited);
    }

    // That a transaction begins before its first statement moves its now() only.
    private static bool BeginsLate(int[] order)
        => Enumerable.Range(0, 2).All(session => order[Array.IndexOf(order, session) + 1] == session);

    private static IEnumerable<int[]> Orders(int a, int b)
    {
        if (a == 0 && b == 0)
            yield return [];
        if (a > 0)
        {
            foreach (var rest in Orders(a - 1, b))
                yield return [0, .. rest];
        }

        if (b > 0)
        {
            foreach (var rest in Orders(a, b - 1))
                yield return [1, .. rest];
        }
    }

    // Every table whole, but for numbers and for times of recording. A row is the same in a detached partition.
    private static async Task<string> ContentsAsync(TestDatabase database)
    {
        var tables = await database.ScalarAsync<string[]>("""
            SELECT array_agg(relname::text ORDER BY relname) FROM pg_class
            WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
              AND relname <> '__EFMigrationsHistory'
            """) ?? [];
        var lines = new List<string>();
        foreach (var table in tables)
        {
            var rows = await database.ScalarAsync<string[]>($"""
                SELECT coalesce(array_agg(line ORDER BY line COLLATE "C"), ARRAY[]::text[]) FROM (
                    SELECT (to_jsonb(t) - ARRAY['id', 'committed_at', '{(table == "device_events" ? "timestamp" : "")}'])::text AS line
                    FROM {table} AS t) AS lines
                """) ?? [];
            lines.AddRange(rows.Select(row => $"{(table == "detached" ? "connections" : table)} {row}"));
        }

        return string.Join('\n', lines);
    }

    private static string Rows(string time, params (string Mac, string Ip, int Score)[] rows)
        => "INSERT INTO connections (timestamp, src_mac, src_ip, dst_ip, dst_port, threat_score) VALUES "
            + string.Join(", ", rows.Select(row => string.Create(
                CultureInfo.InvariantCulture, $"('{time}', '{row.Mac}', '10.0.0.9', '{row.Ip}', 443, {row.Score})")));

    private static string Curly(params string[] values) => "{" + string.Join(',', values) + "}";

    /// <param name="First">The statements of one session.</param>
    /// <param name="Second">Those of the other.</param>
    private sealed record Pair(string[] First, string[] Second)
    {
        /// <summary>What is there before.</summary>
        public string? Before { get; init; }

        /// <summary>Whether a session that gets no row from its second statement leaves out the third, as the ingest does.</summary>
        public bool IsClaimed { get; init; }
    }

    /// <summary>Runs its statements one by one, as far as it is allowed to.</summary>
    private sealed class Session(NpgsqlConnection connection, string[] statements, bool isClaimed) : IAsyncDisposable
    {
        private readonly SemaphoreSlim _allowed = new(0);
        private int _asked;
        private volatile int _done;
        private volatile bool _isKnownToWait;

        public Task Work { get; private set; } = Task.CompletedTask;

        public static async Task<Session> OpenAsync(TestDatabase database, string[] statements, bool isClaimed)
        {
            var session = new Session(await database.DataSource.OpenConnectionAsync(Cancel), statements, isClaimed);
            session.Work = Task.Run(session.RunAsync, Cancel);
            return session;
        }

        public void Allow()
        {
            _asked++;
            _allowed.Release();
        }

        /// <summary>Waits until it has done what it was allowed to, or waits for the other.</summary>
        /// <returns>Whether it has come to wait.</returns>
        public async Task<bool> SettleAsync(TestDatabase database)
        {
            var started = TimeProvider.System.GetTimestamp();
            while (_done < _asked)
            {
                if (Work.IsFaulted)
                    await Work;
                if (await database.ScalarAsync<bool>($"SELECT cardinality(pg_blocking_pids({connection.ProcessID})) > 0"))
                {
                    var isNew = !_isKnownToWait;
                    _isKnownToWait = true;
                    return isNew;
                }

                Assert.True(TimeProvider.System.GetElapsedTime(started) < Patience, $"'{statements[_asked - 1]}' neither ends nor waits for the other session.");
                await Task.Delay(1, Cancel);
            }

            _isKnownToWait = false;
            return false;
        }

        public async ValueTask DisposeAsync()
        {
            await connection.DisposeAsync();
            _allowed.Dispose();
        }

        private async Task RunAsync()
        {
            object? answer = null;
            for (var i = 0; i < statements.Length; i++)
            {
                await _allowed.WaitAsync(Cancel);
                if (!(isClaimed && i == 2 && answer is null))
                {
                    await using var command = new NpgsqlCommand(statements[i], connection);
                    if (statements[i].Contains("$1", StringComparison.Ordinal))
                        command.Parameters.Add(new() { Value = answer });
                    answer = await command.ExecuteScalarAsync(Cancel);
                }

                _done = i + 1;
            }
        }
    }
}
