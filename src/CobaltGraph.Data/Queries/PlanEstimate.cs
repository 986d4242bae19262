using System.Text.Json;
using Microsoft.EntityFrameworkCore;

namespace CobaltGraph.Data.Queries;

/// <summary>How many rows the database's planner expects of a query.</summary>
internal static class PlanEstimate
{
    public static async Task<long> RowsAsync<T>(DbContext context, IQueryable<T> query, CancellationToken cancellationToken)
    {
        await context.Database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var command = query.CreateDbCommand();
            await using (command.ConfigureAwait(false))
            {
                command.CommandText = "EXPLAIN (FORMAT JSON) " + command.CommandText;
                var plan = (string)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
                using var json = JsonDocument.Parse(plan);
                return (long)json.RootElement[0].GetProperty("Plan").GetProperty("Plan Rows").GetDouble();
            }
        }
        finally
        {
            await context.Database.CloseConnectionAsync().ConfigureAwait(false);
        }
    }
}
