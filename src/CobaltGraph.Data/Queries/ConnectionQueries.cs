using System.Globalization;
using Microsoft.EntityFrameworkCore;

namespace CobaltGraph.Data.Queries;

internal sealed class ConnectionQueries(IDbContextFactory<CobaltGraphContext> contexts, QueryOptions options) : IConnectionQueries
{
    private readonly CursorCodec _cursors = new(options.CursorKey);

    public async Task<ConnectionPage> SearchAsync(
        ConnectionFilter? filter = null,
        PageRequest? page = null,
        ConnectionOrder order = ConnectionOrder.NewestFirst,
        CancellationToken cancellationToken = default)
    {
        filter ??= new ConnectionFilter();
        filter.Check();
        if (!Enum.IsDefined(order))
            throw new QueryFilterException("order", order.ToString(), "is not an order", "NewestFirst, OldestFirst");

        var pager = new Pager(_cursors, filter.Shape($"connections {order}"), page);
        return await contexts.AskAsync(
            async (context, cancel) =>
            {
                var search = new ConnectionSearch(context, filter)
                {
                    Descending = (order == ConnectionOrder.NewestFirst) != pager.Backward,
                    Position = pager.Position,
                    Take = pager.Take,
                };
                var rows = await search.RunAsync(cancel).ConfigureAwait(false);
                var cut = pager.Cut(rows, connection => [connection.Timestamp, connection.Id]);
                return new ConnectionPage { Items = cut.Items, Next = cut.Next, Previous = cut.Previous, Strategy = search.Strategy };
            },
            cancellationToken).ConfigureAwait(false);
    }

    public async Task<RowCount> CountAsync(
        ConnectionFilter? filter = null,
        int cap = 10_000,
        CancellationToken cancellationToken = default)
    {
        filter ??= new ConnectionFilter();
        filter.Check();
        if (cap is < 0 or > IConnectionQueries.MaxCountCap)
        {
            throw new QueryFilterException(
                "cap", cap.ToString(CultureInfo.InvariantCulture), "is not a number of rows",
                $"a whole number from 0 to {IConnectionQueries.MaxCountCap}");
        }

        var context = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        await using (context.ConfigureAwait(false))
        {
            var count = await new ConnectionSearch(context, filter).CountAsync(cap, cancellationToken).ConfigureAwait(false);
            if (count <= cap)
                return new RowCount(count, IsExact: true);
            var estimate = await PlanEstimate.RowsAsync(context, context.Connections.Matching(filter), cancellationToken).ConfigureAwait(false);
            return new RowCount(Math.Max(estimate, count), IsExact: false);
        }
    }
}
