using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace CobaltGraph.Data.DependencyInjection;

/// <summary>
/// What <c>dotnet ef</c> and migration bundles use. The connection comes from where every other tool takes it; without
/// one, <c>migrations add</c> and <c>migrations script</c> still work, and only opening the connection fails.
/// </summary>
internal sealed class CobaltGraphDesignTimeFactory : IDesignTimeDbContextFactory<CobaltGraphContext>
{
    public CobaltGraphContext CreateDbContext(string[] args)
    {
        var options = new DbContextOptionsBuilder<CobaltGraphContext>();
        if (DatabaseSettings.TryResolve(null, out var settings, out var error))
            options.UseCobaltGraph(settings.ConnectionString);
        else
            options.UseCobaltGraph().AddInterceptors(new Unresolved(error));

        return new CobaltGraphContext(options.Options);
    }

    // "--connection" of dotnet ef is set on the context later; it must not be refused for what it replaces.
    private sealed class Unresolved(DatabaseSettingsException error) : DbConnectionInterceptor
    {
        public override InterceptionResult ConnectionOpening(
            DbConnection connection,
            ConnectionEventData eventData,
            InterceptionResult result)
            => string.IsNullOrEmpty(connection.ConnectionString) ? throw error : result;

        public override ValueTask<InterceptionResult> ConnectionOpeningAsync(
            DbConnection connection,
            ConnectionEventData eventData,
            InterceptionResult result,
            CancellationToken cancellationToken = default)
            => string.IsNullOrEmpty(connection.ConnectionString) ? throw error : ValueTask.FromResult(result);
    }
}
