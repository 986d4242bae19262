namespace CobaltGraph.Data.Queries;

/// <summary>Finds connections. Safe for use by several threads. <c>AddCobaltGraph</c> registers it as a singleton.</summary>
public interface IConnectionQueries
{
    /// <summary>Highest cap of <see cref="CountAsync"/>.</summary>
    const int MaxCountCap = 1_000_000;

    /// <summary>A page of the connections that match, in order of time. The rows are not tracked.</summary>
    /// <param name="filter">Which connections; null for all.</param>
    /// <param name="page">Which page; null for the first.</param>
    /// <param name="order">The order; a cursor belongs to one.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="QueryFilterException">A value of the filter, the limit or the cursor is not in its form.</exception>
    Task<ConnectionPage> SearchAsync(
        ConnectionFilter? filter = null,
        PageRequest? page = null,
        ConnectionOrder order = ConnectionOrder.NewestFirst,
        CancellationToken cancellationToken = default);

    /// <summary>How many connections match: counted up to a cap, and beyond it the database's estimate.</summary>
    /// <param name="filter">Which connections; null for all.</param>
    /// <param name="cap">Up to how many are counted, 0 to <see cref="MaxCountCap"/>.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="QueryFilterException">A value of the filter or the cap is not in its form.</exception>
    Task<RowCount> CountAsync(
        ConnectionFilter? filter = null,
        int cap = 10_000,
        CancellationToken cancellationToken = default);
}
