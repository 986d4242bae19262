using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;
using CobaltGraph.Testing;
using Microsoft.Extensions.Logging;
using Npgsql;
using static CobaltGraph.Data.Tests.Ingest.IngestServiceTests;

namespace CobaltGraph.Data.Tests.Ingest;

public sealed class TimeoutTests(PostgresServerFixture server) : DatabaseTest(server)
{
    private static readonly IngestRetryOptions Once = new() { MaxAttempts = 1 };

    [Theory]
    [InlineData("TRIGGER slow AFTER INSERT ON connections FOR EACH STATEMENT")]
    [InlineData("CONSTRAINT TRIGGER slow AFTER INSERT ON ingest_batches DEFERRABLE INITIALLY DEFERRED FOR EACH ROW")]
    public async Task Connections_have_the_time_of_an_attempt_whatever_the_command_timeout_is(string trigger)
    {
        await SlowAsync(trigger, "pg_sleep(2.5)");
        await using var hasty = Hasty();

        var result = await new IngestService(hasty).StoreAsync(
            Stream(Rows(10)), new IngestOptions<Connection> { Retry = Once }, cancellationToken: Cancel);

        Assert.Equal(10, result.Stored);
    }

    [Fact]
    public async Task Sightings_in_parts_have_the_time_of_an_attempt_whatever_the_command_timeout_is()
    {
        await Run("ALTER TABLE devices ADD CONSTRAINT ours CHECK (hostname <> 'bad')");
        await SlowAsync("TRIGGER slow AFTER INSERT ON devices FOR EACH STATEMENT", "pg_sleep(2.5)");
        await using var hasty = Hasty();
        DeviceSighting[] sightings =
        [
            new() { MacAddress = MacAddress.Parse("02:00:00:00:00:01"), Hostname = "good" },
            new() { MacAddress = MacAddress.Parse("02:00:00:00:00:02"), Hostname = "bad" },
        ];

        var result = await new IngestService(hasty).StoreAsync(
            Stream(sightings), new IngestOptions<DeviceSighting> { Retry = Once }, cancellationToken: Cancel);

        Assert.Equal((1, 1), (result.Stored, result.Rejected));
    }

    [Fact]
    public async Task Batch_that_took_too_long_twice_is_stored_in_halves()
    {
        await Run(
            """
            CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                PERFORM pg_sleep((SELECT count(*) FROM rows) * 0.006);
                RETURN NULL;
            END $$;
            CREATE TRIGGER slow AFTER INSERT ON connections REFERENCING NEW TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION slow()
            """);

        var result = await new IngestService(Database.DataSource).StoreAsync(
            Stream(Rows(1_000)),
            new IngestOptions<Connection> { Retry = new() { MaxAttempts = 3, AttemptTimeout = TimeSpan.FromSeconds(4) } },
            cancellationToken: Cancel);

        Assert.Equal((1_000, 2), (result.Stored, result.Retries));
        Assert.Equal(1_000, await Count("connections"));
    }

    // Its session is healthy and back in the pool, where it is anybody's.
    [Fact]
    public async Task Session_of_a_try_that_took_too_long_is_left_to_the_pool()
    {
        await using var pool = NpgsqlDataSource.Create(Database.ConnectionStringWith(c => c.MaxPoolSize = 2));
        await using var blocker = await Database.DataSource.OpenConnectionAsync(Cancel);
        await using (var block = new NpgsqlCommand("BEGIN; LOCK TABLE ingest_batches IN SHARE MODE", blocker))
            await block.ExecuteNonQueryAsync(Cancel);
        const string waiting = "pg_stat_activity WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0";

        var storing = new IngestService(pool).StoreAsync(
            Stream(Rows(3)),
            new IngestOptions<Connection> { Retry = new() { AttemptTimeout = TimeSpan.FromSeconds(1), FirstDelay = TimeSpan.FromSeconds(2) } },
            cancellationToken: Cancel);
        while (await Count(waiting) == 0)
            await Task.Delay(10, Cancel);
        var first = await Scalar<int>($"SELECT pid FROM {waiting}");
        while (await Count($"pg_stat_activity WHERE pid = {first} AND state = 'idle' AND query NOT LIKE 'INSERT%'") == 0)
            await Task.Delay(10, Cancel);
        await Task.Delay(100, Cancel);
        await using var other = await pool.OpenConnectionAsync(Cancel);
        while (await Count(waiting) == 0)
            await Task.Delay(10, Cancel);
        await using (var end = new NpgsqlCommand("ROLLBACK", blocker))
            await end.ExecuteNonQueryAsync(Cancel);

        Assert.Equal(3, (await storing).Stored);
        Assert.Equal(first, other.ProcessID);
        await using var still = new NpgsqlCommand("SELECT pg_backend_pid()", other);
        Assert.Equal(first, await still.ExecuteScalarAsync(Cancel));
    }

    [Fact]
    public async Task Batch_that_waits_for_a_lock_is_given_up_when_its_time_is_over()
    {
        await using var blocker = await Database.DataSource.OpenConnectionAsync(Cancel);
        await using var transaction = await blocker.BeginTransactionAsync(Cancel);
        await using (var command = new NpgsqlCommand("LOCK TABLE connections IN SHARE MODE", blocker))
            await command.ExecuteNonQueryAsync(Cancel);

        await GivesUpAsync(Database.DataSource);
    }

    [Fact]
    public async Task Server_that_cannot_be_reached_is_given_up_when_the_time_is_over()
    {
        await using var nowhere = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Username=u;Database=d;Timeout=1");

        await GivesUpAsync(nowhere);
    }

    [Fact]
    public void Defaults_outlive_the_restart_of_a_server()
    {
        var retry = new IngestRetryOptions();
        var waits = Enumerable.Range(0, retry.MaxAttempts - 1)
            .Select(i => Math.Min(retry.MaxDelay.TotalSeconds, retry.FirstDelay.TotalSeconds * Math.Pow(2, i))).ToArray();

        // Jitter takes up to half of a wait.
        Assert.InRange(waits.Sum() / 2, 200, 225);
        Assert.InRange(waits.Sum() * 0.75, 285, 330);
        Assert.Equal(retry.MaxDelay.TotalSeconds, waits.Max());
        Assert.True(TimeSpan.FromSeconds(waits.Sum()) < retry.BatchTimeout);
    }

    [Fact]
    public async Task Waits_double_up_to_the_longest_and_half_of_each_is_left_to_chance()
    {
        await using var nowhere = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Username=u;Database=d;Timeout=1");
        using var log = new Waits();
        var retry = new IngestRetryOptions { MaxAttempts = 12, FirstDelay = TimeSpan.FromMilliseconds(2), MaxDelay = TimeSpan.FromMilliseconds(64) };

        await Assert.ThrowsAsync<IngestException>(() => new IngestService(nowhere, log).StoreAsync(
            Stream(Rows(1)), new IngestOptions<Connection> { Retry = retry }, cancellationToken: Cancel));

        double[] longest = [2, 4, 8, 16, 32, 64, 64, 64, 64, 64, 64];
        Assert.Equal(longest.Length, log.Milliseconds.Count);
        var parts = log.Milliseconds.Zip(longest, (wait, most) => wait / most).ToList();
        Assert.All(parts, part => Assert.InRange(part, 0.499, 1.001));
        // As one in a thousand at each step: eleven alike are no chance.
        Assert.True(parts.Max() - parts.Min() > 0.02, "There is no jitter.");
    }

    /// <summary>The waits that are told.</summary>
    private sealed class Waits : ILoggerFactory, ILogger
    {
        public List<double> Milliseconds { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
            => null;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (((IEnumerable<KeyValuePair<string, object?>>)state!).FirstOrDefault(value => value.Key == "Delay").Value is TimeSpan delay)
                Milliseconds.Add(delay.TotalMilliseconds);
        }

        public void Dispose()
        {
        }
    }

    private static async Task GivesUpAsync(NpgsqlDataSource source)
    {
        var started = TimeProvider.System.GetTimestamp();
        var error = await Assert.ThrowsAsync<IngestException>(() => new IngestService(source).StoreAsync(
            Stream(Rows(1)),
            new IngestOptions<Connection>
            {
                StreamKey = "day",
                Retry = new() { MaxAttempts = 100, MaxDelay = TimeSpan.FromMilliseconds(200), BatchTimeout = TimeSpan.FromSeconds(2) },
            },
            cancellationToken: Cancel));

        Assert.InRange(TimeProvider.System.GetElapsedTime(started), TimeSpan.FromSeconds(1.5), TimeSpan.FromSeconds(15));
        Assert.Equal(("day@0", false), (error.BatchKey, error.IsOutcomeUnknown));
    }

    private Task<int> SlowAsync(string trigger, string statement)
        => Run($"""
            CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                PERFORM {statement};
                RETURN NULL;
            END $$;
            CREATE {trigger} EXECUTE FUNCTION slow()
            """);

    /// <summary>Connections whose commands may take no longer than a second.</summary>
    private NpgsqlDataSource Hasty()
        => NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(Database.ConnectionString) { CommandTimeout = 1 }.ConnectionString);
}
