using CobaltGraph.Data.Import;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Tests.Import;

/// <summary>Takes batches into memory, so that reading is tested apart from the database.</summary>
internal sealed class MemorySink : IConnectionSink
{
    public List<int> BatchSizes { get; } = [];

    public List<Connection> Rows { get; } = [];

    /// <summary>Called before a batch is taken, with its number from 1.</summary>
    public Action<int>? BeforeBatch { get; init; }

    public Func<Connection, string?> Refuse { get; init; } = _ => null;

    public Task<IReadOnlyList<RefusedRow>> StoreAsync(IReadOnlyList<Connection> rows, CancellationToken cancellationToken)
    {
        BeforeBatch?.Invoke(BatchSizes.Count + 1);
        cancellationToken.ThrowIfCancellationRequested();
        BatchSizes.Add(rows.Count);
        var refused = new List<RefusedRow>();
        for (var i = 0; i < rows.Count; i++)
        {
            if (Refuse(rows[i]) is { } reason)
                refused.Add(new RefusedRow(i, reason));
            else
                Rows.Add(rows[i]);
        }

        return Task.FromResult<IReadOnlyList<RefusedRow>>(refused);
    }
}
