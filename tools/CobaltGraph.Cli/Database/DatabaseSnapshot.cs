using System.Data;
using CobaltGraph.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace CobaltGraph.Cli.Database;

/// <summary>A database as it was at one moment: contexts that share one transaction, and are to be used one after the other.</summary>
internal sealed class DatabaseSnapshot : IDbContextFactory<CobaltGraphContext>, IAsyncDisposable
{
    private readonly Func<CobaltGraphContext> _newContext;
    private readonly CobaltGraphContext _owner;

    private DatabaseSnapshot(Func<CobaltGraphContext> newContext)
    {
        _newContext = newContext;
        _owner = newContext();
    }

    public static async Task<DatabaseSnapshot> BeginAsync(Func<CobaltGraphContext> newContext, CancellationToken cancellationToken)
    {
        var snapshot = new DatabaseSnapshot(newContext);
        try
        {
            await snapshot._owner.Database.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
            // Whoever reads the answer may take their time.
            await snapshot._owner.Database.ExecuteSqlRawAsync(
                "SET TRANSACTION READ ONLY; SET LOCAL idle_in_transaction_session_timeout = 0", cancellationToken);
            return snapshot;
        }
        catch
        {
            await snapshot.DisposeAsync();
            throw;
        }
    }

    public CobaltGraphContext CreateDbContext()
    {
        var context = _newContext();
        context.Database.SetDbConnection(_owner.Database.GetDbConnection());
        context.Database.UseTransaction(_owner.Database.CurrentTransaction!.GetDbTransaction());
        return context;
    }

    public ValueTask DisposeAsync() => _owner.DisposeAsync();
}
