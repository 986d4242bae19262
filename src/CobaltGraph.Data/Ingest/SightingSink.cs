using CobaltGraph.Model;
using Npgsql;

namespace CobaltGraph.Data.Ingest;

/// <summary>Stores sightings by one statement that claims the ledger's key and merges them: one round trip.</summary>
internal sealed class SightingSink : IRecordSink<DeviceSighting>
{
    private const string ClaimAndMergeSql =
        $"""
        WITH claim AS ({Ledger.ClaimSql})
        SELECT claim.committed_at, merged.new_devices
        FROM claim, LATERAL merge_device_sightings($9, $10, $11, $12, $13, $14, $15) AS merged
        """;

    private const string MergeSql = "SELECT new_devices FROM merge_device_sightings($1, $2, $3, $4, $5, $6, $7)";

    public string Kind => "sightings";

    public IRecordBuffer<DeviceSighting> NewBuffer() => new SightingBuffer();

    public string? Check(DeviceSighting record) => RecordRules.Check(record);

    public async Task StoreAsync(
        NpgsqlConnection connection, LedgerEntry entry, IRecordBuffer<DeviceSighting> rows, int firstRow, Attempt attempt,
        CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand(ClaimAndMergeSql, connection);
        await using (command.ConfigureAwait(false))
        {
            command.CommandTimeout = attempt.TimeoutSeconds;
            Ledger.AddClaimParameters(command.Parameters, entry);
            SightingMerge.AddParameters(command.Parameters, rows, firstRow, rows.Count - firstRow);
            cancellationToken.ThrowIfCancellationRequested();
            attempt.BackendPid = connection.ProcessID;
            // The statement commits itself: from here on a broken connection leaves its outcome open.
            attempt.ClaimedAt = await attempt.CommitAsync(async () =>
                (DateTime?)await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
        }
    }

    public async Task StorePartAsync(
        NpgsqlConnection connection, IRecordBuffer<DeviceSighting> rows, int start, int count, Attempt attempt,
        CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand(MergeSql, connection);
        await using (command.ConfigureAwait(false))
        {
            command.CommandTimeout = attempt.TimeoutSeconds;
            SightingMerge.AddParameters(command.Parameters, rows, start, count);
            await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
    }
}
