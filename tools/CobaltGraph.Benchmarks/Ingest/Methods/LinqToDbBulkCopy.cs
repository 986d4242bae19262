using System.Net;
using CobaltGraph.Data;
using CobaltGraph.Model;
using LinqToDB.Data;
using LinqToDB.EntityFrameworkCore;
using LinqToDB.Mapping;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace CobaltGraph.Benchmarks.Ingest.Methods;

/// <summary>linq2db's BulkCopy, which is COPY on PostgreSQL, into our schema through our EF model.</summary>
internal sealed class LinqToDbBulkCopy : IngestMethod
{
    // Left to itself it writes addresses as text, which Npgsql refuses for inet.
    private static readonly MappingSchema Addresses = new MappingSchema()
        .SetConvertExpression((IPAddress address) => new DataParameter(null, address));

    public override string Key => "f";

    public override string Title => "linq2db BulkCopy (provider-specific) into our schema";

    public override Schema Schema => Schema.CobaltGraph;

    public override async Task StoreAsync(
        NpgsqlDataSource dataSource, Connection[] rows, int batchSize, CancellationToken cancellationToken)
    {
        LinqToDBForEFTools.Initialize();
        await using var services = new ServiceCollection().AddCobaltGraph(dataSource).BuildServiceProvider();
        var contexts = services.GetRequiredService<IDbContextFactory<CobaltGraphContext>>();
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        await using var connection = context.CreateLinqToDBConnection();
        connection.AddMappingSchema(Addresses);
        var options = new BulkCopyOptions { BulkCopyType = BulkCopyType.ProviderSpecific, MaxBatchSize = batchSize };
        await connection.BulkCopyAsync(options, rows, cancellationToken);
    }
}
