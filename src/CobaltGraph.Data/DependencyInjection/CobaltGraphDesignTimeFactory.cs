using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace CobaltGraph.Data.DependencyInjection;

internal sealed class CobaltGraphDesignTimeFactory : IDesignTimeDbContextFactory<CobaltGraphContext>
{
    public CobaltGraphContext CreateDbContext(string[] args)
    {
        var options = new DbContextOptionsBuilder<CobaltGraphContext>();
        options.UseCobaltGraph();
        return new CobaltGraphContext(options.Options);
    }
}
