using System.Net.Sockets;
using System.Security.Authentication;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Testing;
using Npgsql;
using static CobaltGraph.Data.Tests.Ingest.IngestServiceTests;

namespace CobaltGraph.Data.Tests.Ingest;

public sealed class FaultTests(PostgresServerFixture server) : DatabaseTest(server)
{
    public static TheoryData<Exception, bool> Causes => new()
    {
        { new NpgsqlException("no password"), false },
        { new NpgsqlException("TLS", new AuthenticationException()), false },
        { new NpgsqlException("read", new IOException()), true },
        { new NpgsqlException("read", new EndOfStreamException()), true },
        { new NpgsqlException("connect", new SocketException()), true },
        { new NpgsqlException("pool", new TimeoutException()), true },
        { new NpgsqlException("connect", new NpgsqlException("read", new IOException())), true },
        { new NpgsqlException("hosts", new AggregateException(new NpgsqlException("no password"), new NpgsqlException("x", new SocketException()))), true },
        { new NpgsqlException("hosts", new AggregateException(new NpgsqlException("no password"))), false },
        { new TimeoutException(), true },
        { new IOException(), true },
        { new InvalidOperationException(), false },
        { new PostgresException("idle", "FATAL", "FATAL", "57P05"), true },
        { new PostgresException("restart", "FATAL", "FATAL", "57P01"), true },
        { new PostgresException("no table", "ERROR", "ERROR", "42P01"), false },
    };

    [Theory]
    [MemberData(nameof(Causes))]
    public void Fault_passes_by_itself_or_not(Exception fault, bool isTransient)
        => Assert.Equal(isTransient, Faults.IsTransient(fault));

    [Fact]
    public async Task Missing_encryption_is_said_at_once()
    {
        await using var encrypted = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(Database.ConnectionString)
        {
            SslMode = SslMode.Require,
        }.ConnectionString);

        var error = await Assert.ThrowsAsync<IngestException>(
            () => new IngestService(encrypted).StoreBatchAsync("sensor", "1", Rows(1).ToList(), Cancel));

        Assert.Contains("SSL", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Session_that_the_server_ended_for_its_idleness_is_opened_anew()
    {
        Assert.SkipWhen(await Scalar<int>("SELECT current_setting('server_version_num')::int") < 140_000, "idle_session_timeout is new in 14.");
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(Database.ConnectionString)
        {
            Options = "-c idle_session_timeout=300",
        }.ConnectionString);
        var service = new IngestService(source);
        await service.StoreBatchAsync("sensor", "1", Rows(1).ToList(), Cancel);

        await Task.Delay(1000, Cancel);

        Assert.Equal(1, (await service.StoreBatchAsync("sensor", "2", Rows(1).ToList(), Cancel)).Stored);
    }
}
