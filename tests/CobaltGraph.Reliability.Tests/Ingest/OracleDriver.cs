using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;
using CobaltGraph.Reliability.Oracle;
using CobaltGraph.Reliability.Workloads;

namespace CobaltGraph.Reliability.Tests.Ingest;

/// <summary>Hands batches over and writes down what it was told, nothing that it thinks.</summary>
internal sealed class OracleDriver(OracleLog oracle)
{
    private long _failed;
    private long _unknown;
    private long _retries;

    /// <summary>Calls that ended with an exception.</summary>
    public long Failed => Interlocked.Read(ref _failed);

    /// <summary>Those of them whose outcome was said to be unknown.</summary>
    public long Unknown => Interlocked.Read(ref _unknown);

    /// <summary>Attempts that the service repeated by itself in calls that succeeded.</summary>
    public long Retries => Interlocked.Read(ref _retries);

    /// <summary>Hands one batch of connections over once.</summary>
    /// <inheritdoc cref="TryAsync{T}"/>
    public Task<IngestException?> TryAsync(
        string batch,
        IReadOnlyList<Connection> rows,
        Func<CancellationToken, Task<IngestResult<Connection>>> store,
        CancellationToken cancellationToken)
        => TryAsync(batch, [.. Workload.Identities(rows)], store, cancellationToken);

    /// <summary>Hands one batch over once.</summary>
    /// <returns>Why it was not acknowledged; null when it was.</returns>
    public async Task<IngestException?> TryAsync<T>(
        string batch,
        IReadOnlyList<string> identities,
        Func<CancellationToken, Task<IngestResult<T>>> store,
        CancellationToken cancellationToken)
    {
        await oracle.InvokeAsync(batch, identities, cancellationToken);
        try
        {
            var result = await store(cancellationToken);
            // An answer that does not account for every row acknowledges nothing.
            Assert.Equal((identities.Count, 0), (result.Stored + result.Duplicate, result.Rejected));
            Interlocked.Add(ref _retries, result.Retries);
            await oracle.OkAsync(batch, $"stored {result.Stored}, duplicate {result.Duplicate}", cancellationToken);
            return null;
        }
        catch (IngestException e) when (e is not BatchConflictException)
        {
            Interlocked.Increment(ref _failed);
            if (e.IsOutcomeUnknown)
            {
                Interlocked.Increment(ref _unknown);
                await oracle.InfoAsync(batch, e.Message, cancellationToken);
            }
            else
            {
                await oracle.FailAsync(batch, e.Message, cancellationToken);
            }

            return e;
        }
    }

    /// <summary>Hands one batch over under its key until it is acknowledged.</summary>
    public async Task StoreAsync(
        IIngestService ingest, string source, string batch, IReadOnlyList<Connection> rows, CancellationToken cancellationToken)
    {
        while (await TryAsync(batch, rows, ct => ingest.StoreBatchAsync(source, batch, rows, ct), cancellationToken) is not null)
            await Task.Delay(50, cancellationToken);
    }
}
