using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;
using CobaltGraph.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace CobaltGraph.Data.Tests.Ingest;

// Of a session whose start is not known only the number is, which may be another's by now.
public class StaleSessionTests(PostgresServerFixture server) : DatabaseTest(server)
{
    [Theory]
    [InlineData("INSERT INTO ingest_batches (source, batch_key, rows_read, rows_stored, rows_duplicate, rows_rejected) VALUES ('s', 'k', 0, 0, 0, 0)", true)]
    [InlineData(LedgerClaim.SessionSql, true)]
    [InlineData("SELECT 1", false)]
    public async Task Session_that_claims_a_batch_is_ended_and_another_is_left_alone(string sql, bool isEnded)
    {
        await using var session = await OpenAsync();
        await using (var command = new NpgsqlCommand("BEGIN; " + sql, session))
            await command.ExecuteNonQueryAsync(Cancel);
        // Sent alone, so that the server shows it as this session's last statement.
        await using (var command = new NpgsqlCommand(sql.Replace("'k'", "'l'", StringComparison.Ordinal), session))
            await command.ExecuteNonQueryAsync(Cancel);

        await EndAsync(new Attempt { BackendPid = session.ProcessID });

        Assert.Equal(isEnded, await IsGoneAsync(session));
    }

    [Fact]
    public async Task Session_that_began_at_another_time_is_left_alone()
    {
        await using var session = await OpenAsync();
        await using (var command = new NpgsqlCommand("SELECT 1 /* ingest_batches */", session))
            await command.ExecuteNonQueryAsync(Cancel);

        await EndAsync(new Attempt { BackendPid = session.ProcessID, BackendStart = DateTime.UnixEpoch });

        Assert.False(await IsGoneAsync(session));
    }

    private async Task<NpgsqlConnection> OpenAsync()
    {
        var session = new NpgsqlConnection(Database.ConnectionStringWith(c => c.Pooling = false));
        await session.OpenAsync(Cancel);
        return session;
    }

    private async Task EndAsync(Attempt attempt)
    {
        var storer = new BatchStorer<DeviceSighting>(
            Database.DataSource, new SightingSink(), new IngestRetryOptions(), TimeProvider.System, NullLogger.Instance);
        await using var connection = await Database.DataSource.OpenConnectionAsync(Cancel);
        await storer.EndStaleAsync(connection, [attempt], Cancel);
    }

    private static async Task<bool> IsGoneAsync(NpgsqlConnection session)
    {
        try
        {
            await using var command = new NpgsqlCommand("SELECT pg_sleep(0.2)", session);
            await command.ExecuteNonQueryAsync(Cancel);
            return false;
        }
        catch (NpgsqlException)
        {
            return true;
        }
    }
}
