using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using CobaltGraph.Reliability.Proxy;
using CobaltGraph.Reliability.Workloads;
using CobaltGraph.Testing;
using Npgsql;

namespace CobaltGraph.Reliability.Tests.Harness;

// A fault that does not happen, or happens elsewhere, would make every test that relies on it green for nothing.
public sealed class ChaosProxyTests(PostgresServerFixture server) : IAsyncLifetime
{
    private TestDatabase _database = null!;
    private ChaosProxy _proxy = null!;
    private NpgsqlDataSource _direct = null!;
    private PlainStore _store = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await server.CreateDatabaseAsync();
        _direct = DurableServer.Source(_database.ConnectionString);
        _proxy = ChaosProxy.StartFor(_database.ConnectionString);
        _store = new PlainStore(_proxy.ConnectionStringOf(_database.ConnectionString));
    }

    public async ValueTask DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _direct.DisposeAsync();
        await _database.DisposeAsync();
        Assert.Empty(_proxy.Problems);
    }

    [Fact]
    public async Task Messages_of_a_batch_pass_unchanged_and_are_named_in_the_trace()
    {
        var rows = Rows("trace", 300);
        _proxy.BeginTrace();

        Assert.True(await _store.StoreAsync("trace", rows, Cancel));

        var trace = _proxy.EndTrace();
        var toServer = trace.Where(m => m.Direction == Direction.ToServer).ToList();
        Assert.Equal(ProxyMessage.Startup, toServer[0].Type);
        var data = toServer.Count(m => m.Type == 'd');
        Assert.True(data >= 3, $"There are only {data} messages of copy data.");
        Assert.Equal(
            ["BEGIN", "ingest_batches", "COPY", "COMMIT"],
            toServer.Where(m => m.Type is 'Q' or 'P').SelectMany(m => new[] { "BEGIN", "ingest_batches", "COPY", "COMMIT" }.Where(m.Contains)));
        Assert.Single(toServer, m => m.Type == 'c');
        Assert.Single(trace, m => m is { Direction: Direction.ToClient, Type: 'G' });
        Assert.Equal(300, await CountAsync());
    }

    [Fact]
    public async Task Large_results_and_cancel_requests_pass()
    {
        await using var source = NpgsqlDataSource.Create(_proxy.ConnectionStringOf(_database.ConnectionString));
        Assert.Equal(5_000_000, (await source.ScalarAsync<string>("SELECT repeat('x', 5000000)")).Length);

        var watch = Stopwatch.StartNew();
        await using var sleep = source.CreateCommand("SELECT pg_sleep(30)");
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sleep.ExecuteNonQueryAsync(soon.Token));
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(10));
        await ComesTrueAsync(async () => await _direct.ScalarAsync<long>(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active' AND pid <> pg_backend_pid()") == 0);
    }

    [Theory]
    [InlineData('Q', "COMMIT", FaultMoment.Before, false)]
    [InlineData('Q', "COMMIT", FaultMoment.After, true)]
    [InlineData('P', "ingest_batches", FaultMoment.Before, false)]
    [InlineData('Q', "COPY", FaultMoment.After, false)]
    [InlineData('d', null, FaultMoment.After, false)]
    [InlineData('c', null, FaultMoment.Before, false)]
    public async Task Reset_cuts_at_the_message_and_the_server_has_what_came_before(char type, string? text, FaultMoment moment, bool stored)
    {
        var fault = _proxy.Arm(new() { Direction = Direction.ToServer, Type = type, Text = text, Moment = moment, Mode = FaultMode.Reset });

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => _store.StoreAsync("reset", Rows("reset", 100), Cancel));

        Assert.Equal(1, fault.Fired);
        await SessionsEndAsync();
        Assert.Equal(stored ? 100 : 0, await CountAsync());
    }

    [Fact]
    public async Task Nth_data_message_is_the_one_that_is_lost()
    {
        _proxy.BeginTrace();
        await _store.StoreAsync("clean", Rows("clean", 400), Cancel);
        var all = _proxy.EndTrace().Count(m => m is { Direction: Direction.ToServer, Type: 'd' });
        Assert.InRange(all, 3, 100);

        var fault = _proxy.Arm(new() { Direction = Direction.ToServer, Type = 'd', Nth = all, Mode = FaultMode.Reset });
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => _store.StoreAsync("cut", Rows("cut", 400), Cancel));
        Assert.Equal((all, 1), (fault.Matched, fault.Fired));

        var beyond = _proxy.Arm(new() { Direction = Direction.ToServer, Type = 'd', Nth = all + 1, Mode = FaultMode.Reset });
        await _store.StoreAsync("whole", Rows("whole", 400), Cancel);
        Assert.Equal((all, 0), (beyond.Matched, beyond.Fired));
        Assert.Equal(800, await CountAsync());
    }

    [Theory]
    [InlineData('Q', "COMMIT", true)]
    [InlineData('c', null, false)]
    [InlineData('P', "ingest_batches", false)]
    [InlineData('Q', "COPY", false)]
    public async Task Dropped_reply_reaches_the_server_and_not_the_client(char type, string? text, bool stored)
    {
        var fault = _proxy.Arm(new() { Direction = Direction.ToServer, Type = type, Text = text, Mode = FaultMode.DropReply });
        _proxy.BeginTrace();

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => _store.StoreAsync("dropped", Rows("dropped", 100), Cancel));

        Assert.Equal(1, fault.Fired);
        var trace = _proxy.EndTrace().ToList();
        var at = trace.FindIndex(m => m.Direction == Direction.ToServer && m.Type == type && (text is null || m.Contains(text)));
        Assert.DoesNotContain(trace.Skip(at + 1), m => m.Direction == Direction.ToClient);
        await SessionsEndAsync();
        Assert.Equal(stored ? 100 : 0, await CountAsync());
    }

    [Fact]
    public async Task Lost_answer_to_a_commit_leaves_the_batch_stored()
    {
        var fault = _proxy.Arm(new() { Direction = Direction.ToClient, Type = 'C', Text = "COMMIT", Mode = FaultMode.Reset });

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => _store.StoreAsync("answer", Rows("answer", 100), Cancel));

        Assert.Equal(1, fault.Fired);
        Assert.Equal(100, await CountAsync());
    }

    // The nasty one: the client knows nothing, and the session it left goes on holding its locks.
    [Fact]
    public async Task Blackhole_leaves_the_session_of_the_server_in_its_transaction()
    {
        var fault = _proxy.Arm(new() { Direction = Direction.ToServer, Type = 'c', Mode = FaultMode.Blackhole });
        var watch = Stopwatch.StartNew();

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => _store.StoreAsync("silent", Rows("silent", 100), Cancel));

        Assert.InRange(watch.Elapsed, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(20));
        Assert.Equal(1, fault.Fired);
        await Task.Delay(300, Cancel);
        Assert.Equal(1, await SessionsAsync());
        Assert.Equal(1, _proxy.OpenConnections);
        await _proxy.DisposeAsync();
        await SessionsEndAsync();
        Assert.Equal(0, await CountAsync());
    }

    [Fact]
    public async Task Delay_only_holds_up()
    {
        var fault = _proxy.Arm(new()
        {
            Direction = Direction.ToServer, Type = 'Q', Text = "COMMIT", Mode = FaultMode.Delay, Delay = TimeSpan.FromMilliseconds(700),
        });
        var watch = Stopwatch.StartNew();

        Assert.True(await _store.StoreAsync("late", Rows("late", 100), Cancel));

        Assert.True(watch.Elapsed >= TimeSpan.FromMilliseconds(700));
        Assert.Equal(1, fault.Fired);
        Assert.Equal(100, await CountAsync());
    }

    [Fact]
    public async Task Rules_fire_as_often_as_they_say_and_not_once_they_are_disarmed()
    {
        var fault = _proxy.Arm(new() { Direction = Direction.ToServer, Type = 'Q', Text = "COMMIT", Times = 2, Mode = FaultMode.Reset });
        for (var i = 0; i < 2; i++)
            await Assert.ThrowsAnyAsync<NpgsqlException>(() => _store.StoreAsync("again", Rows("again", 10), Cancel));

        Assert.True(await _store.StoreAsync("again", Rows("again", 10), Cancel));
        Assert.Equal((3, 2), (fault.Matched, fault.Fired));

        var disarmed = _proxy.Arm(new() { Direction = Direction.ToServer, Type = 'Q', Mode = FaultMode.Reset });
        _proxy.Disarm();
        Assert.True(await _store.StoreAsync("more", Rows("more", 10), Cancel));
        Assert.Equal(0, disarmed.Fired);
    }

    [Fact]
    public async Task Request_for_encryption_that_the_server_declines_passes()
    {
        var prefer = new NpgsqlConnectionStringBuilder(_proxy.ConnectionStringOf(_database.ConnectionString)) { SslMode = SslMode.Prefer, Pooling = false };
        await using var connection = new NpgsqlConnection(prefer.ConnectionString);

        await connection.OpenAsync(Cancel);

        Assert.Equal(PostgresErrorCodes.DivisionByZero, (await Assert.ThrowsAsync<PostgresException>(
            () => new NpgsqlCommand("SELECT 1 / 0", connection).ExecuteScalarAsync(Cancel))).SqlState);
    }

    // However the network cuts the bytes, the messages are the same.
    [Fact]
    public async Task Messages_are_found_in_single_bytes()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        await using var proxy = ChaosProxy.Start(((IPEndPoint)listener.LocalEndpoint).Port);
        proxy.BeginTrace();
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(IPAddress.Loopback, proxy.Port, Cancel);
        using var fake = await listener.AcceptTcpClientAsync(Cancel);

        byte[] sent = [.. Packet(null, Int(80_877_103)), .. Packet(null, [.. Int(196_608), .. "user"u8]), .. Packet('Q', "SELECT 1"u8.ToArray()), .. Packet('X', [])];
        foreach (var one in sent)
        {
            await client.GetStream().WriteAsync(new[] { one }, Cancel);
            await Task.Delay(1, Cancel);
        }

        var received = new byte[sent.Length];
        await fake.GetStream().ReadExactlyAsync(received, Cancel);
        await fake.GetStream().WriteAsync((byte[])[(byte)'N', .. Packet('Z', "I"u8.ToArray())], Cancel);
        await client.GetStream().ReadExactlyAsync(new byte[7], Cancel);

        Assert.Equal(sent, received);
        Assert.Equal("^^QX!Z", string.Concat(proxy.EndTrace().Select(m => m.Type)));
        Assert.Empty(proxy.Problems);
    }

    [Fact]
    public async Task Connection_that_would_be_encrypted_is_reported()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        await using var proxy = ChaosProxy.Start(((IPEndPoint)listener.LocalEndpoint).Port);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, proxy.Port, Cancel);
        using var fake = await listener.AcceptTcpClientAsync(Cancel);

        await client.GetStream().WriteAsync(Packet(null, Int(80_877_103)), Cancel);
        await fake.GetStream().ReadExactlyAsync(new byte[8], Cancel);
        await fake.GetStream().WriteAsync("S"u8.ToArray(), Cancel);

        await ComesTrueAsync(() => Task.FromResult(proxy.Problems.Count == 1));
        Assert.Contains("SSL Mode=Disable", Assert.Single(proxy.Problems), StringComparison.Ordinal);
    }

    private static byte[] Packet(char? type, byte[] body)
    {
        byte[] rest = [.. Int(body.Length + 4), .. body];
        return type is { } letter ? [(byte)letter, .. rest] : rest;
    }

    private static byte[] Int(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }

    private static IReadOnlyList<Model.Connection> Rows(string name, int count) => new Workload(Seed.Random(name)).Batch(name, count);

    private Task<long> CountAsync() => _direct.ScalarAsync<long>("SELECT count(*) FROM connections");

    private Task<long> SessionsAsync() => _direct.ScalarAsync<long>(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'");

    private Task SessionsEndAsync() => ComesTrueAsync(async () => await SessionsAsync() == 0);

    private static async Task ComesTrueAsync(Func<Task<bool>> condition)
    {
        var watch = Stopwatch.StartNew();
        while (!await condition())
        {
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20), "It does not come true.");
            await Task.Delay(20, Cancel);
        }
    }
}
