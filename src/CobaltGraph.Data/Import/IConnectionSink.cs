using CobaltGraph.Model;

namespace CobaltGraph.Data.Import;

/// <summary>Where the connections of an import go.</summary>
internal interface IConnectionSink
{
    /// <summary>Stores a batch: every row but the ones it returns, or none when it throws.</summary>
    /// <exception cref="BatchStoreException">The batch is not stored, or that is unknown.</exception>
    Task<IReadOnlyList<RefusedRow>> StoreAsync(IReadOnlyList<Connection> rows, CancellationToken cancellationToken);
}

/// <summary>A row that the server refused.</summary>
/// <param name="Index">Its place in the batch.</param>
/// <param name="Reason">What the server said, safe to print.</param>
internal readonly record struct RefusedRow(int Index, string Reason);
