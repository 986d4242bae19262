using CobaltGraph.Cli.Database;
using CobaltGraph.Data;
using Microsoft.EntityFrameworkCore;

namespace CobaltGraph.Cli.Verbs.Paging;

/// <summary>Where the pages of one run are read: the database, or a snapshot of it.</summary>
internal sealed class PageSource(IDbContextFactory<CobaltGraphContext> database, DatabaseSnapshot? snapshot)
    : IDbContextFactory<CobaltGraphContext>, IAsyncDisposable
{
    public CobaltGraphContext CreateDbContext() => (snapshot ?? database).CreateDbContext();

    public ValueTask DisposeAsync() => snapshot?.DisposeAsync() ?? ValueTask.CompletedTask;
}
