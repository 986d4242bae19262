using CobaltGraph.Model;
using Npgsql;

namespace CobaltGraph.Benchmarks.Ingest.Methods;

/// <summary>The original's tables with its foreign key and its row trigger, by COPY.</summary>
/// <param name="inBatches">
/// Whether each batch is a COPY and a transaction of its own. Every row leaves a dead version of its device behind, which
/// nothing can clear away before the transaction ends: one COPY of all rows becomes slower with every row.
/// </param>
internal sealed class OriginalCopy(bool inBatches) : IngestMethod
{
    public override string Key => inBatches ? "cb" : "c";

    public override string Title => inBatches
        ? "the same as c in batches, a transaction each"
        : "one COPY into the original's tables, with its row trigger and foreign key";

    public override Schema Schema => Schema.Original;

    public override int MaxRows => 200_000;

    public override int WarmUpRows => 10_000;

    public override async Task StoreAsync(
        NpgsqlDataSource dataSource, Connection[] rows, int batchSize, CancellationToken cancellationToken)
    {
        foreach (var batch in Batches(rows, inBatches ? batchSize : rows.Length))
            await BareCopy.OriginalAsync(dataSource, batch, cancellationToken);
    }
}
