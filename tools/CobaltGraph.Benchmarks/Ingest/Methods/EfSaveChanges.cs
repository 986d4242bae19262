using CobaltGraph.Data;
using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace CobaltGraph.Benchmarks.Ingest.Methods;

/// <summary>EF Core's own way into our schema.</summary>
internal sealed class EfSaveChanges : IngestMethod
{
    private const int RowsPerSave = 1_000;

    public override string Key => "e";

    public override string Title => "EF SaveChanges into our schema, 1,000 rows at a time";

    public override Schema Schema => Schema.CobaltGraph;

    public override int MaxRows => 100_000;

    public override int WarmUpRows => 5_000;

    public override async Task StoreAsync(
        NpgsqlDataSource dataSource, Connection[] rows, int batchSize, CancellationToken cancellationToken)
    {
        await using var services = new ServiceCollection().AddCobaltGraph(dataSource).BuildServiceProvider();
        var contexts = services.GetRequiredService<IDbContextFactory<CobaltGraphContext>>();
        foreach (var batch in Batches(rows, RowsPerSave))
        {
            await using var context = await contexts.CreateDbContextAsync(cancellationToken);
            context.Connections.AddRange(batch);
            await context.SaveChangesAsync(cancellationToken);
        }
    }
}
