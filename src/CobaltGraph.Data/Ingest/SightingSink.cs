using CobaltGraph.Model;
using Npgsql;

namespace CobaltGraph.Data.Ingest;

/// <summary>Stores sightings by one statement that claims the ledger's key and merges them: one round trip.</summary>
internal sealed class SightingSink : IRecordSink<DeviceSighting>
{
    public string Kind => "sightings";

    public IRecordBuffer<DeviceSighting> NewBuffer() => new SightingBuffer();

    public string? Check(DeviceSighting record) => RecordRules.Check(record);

    public async Task StoreAsync(
        NpgsqlConnection connection, LedgerEntry entry, IRecordBuffer<DeviceSighting> rows, int firstRow, Attempt attempt,
        CancellationToken cancellationToken)
    {
        var command = connection.CreateCommand();
        await using (command.ConfigureAwait(false))
        {
            command.CommandTimeout = attempt.TimeoutSeconds;
            Ledger.AddClaimParameters(command.Parameters, entry);
            var merge = SightingMerge.Call(command.Parameters, (SightingBuffer)rows, firstRow, rows.Count - firstRow);
            command.CommandText = $"""
                WITH claim AS ({Ledger.ClaimSql})
                SELECT claim.committed_at, merged.new_devices
                FROM claim, LATERAL {merge} AS merged
                """;
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
        var command = connection.CreateCommand();
        await using (command.ConfigureAwait(false))
        {
            command.CommandTimeout = attempt.TimeoutSeconds;
            var merge = SightingMerge.Call(command.Parameters, (SightingBuffer)rows, start, count);
            command.CommandText = $"SELECT new_devices FROM {merge}";
            await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
    }
}
