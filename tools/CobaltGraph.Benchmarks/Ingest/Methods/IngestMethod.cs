using CobaltGraph.Model;
using Npgsql;

namespace CobaltGraph.Benchmarks.Ingest.Methods;

/// <summary>One way of storing rows that are in memory.</summary>
internal abstract class IngestMethod
{
    /// <summary>Every way that is compared, in the order of the report.</summary>
    public static IReadOnlyList<IngestMethod> All { get; } =
    [
        new OurIngest(writers: 1),
        new OurIngest(writers: 2),
        new OurIngest(writers: 1, migration: "DeviceInventory"),
        new BareCopy(original: true),
        new OriginalCopy(inBatches: false),
        new OriginalCopy(inBatches: true),
        new RowInserts(),
        new EfSaveChanges(),
        new LinqToDbBulkCopy(),
        new BareCopy(original: false),
    ];

    /// <summary>Short name, as on the command line.</summary>
    public abstract string Key { get; }

    /// <summary>What it does, for the report.</summary>
    public abstract string Title { get; }

    public abstract Schema Schema { get; }

    /// <summary>Up to which migration the schema is made; null for all of them.</summary>
    public virtual string? Migration => null;

    /// <summary>SQL that changes the schema before the run.</summary>
    public virtual string ThenRun => "";

    /// <summary>How many rows it is given at most, because it is slow; its rate is compared.</summary>
    public virtual int MaxRows => int.MaxValue;

    /// <summary>Rows that it stores elsewhere first, so that none of the compiler's work is measured.</summary>
    public virtual int WarmUpRows => 50_000;

    /// <summary>Stores the rows; all are committed when it returns.</summary>
    public abstract Task StoreAsync(
        NpgsqlDataSource dataSource, Connection[] rows, int batchSize, CancellationToken cancellationToken);

    protected static IEnumerable<ArraySegment<Connection>> Batches(Connection[] rows, int size)
    {
        for (var start = 0; start < rows.Length; start += size)
            yield return new(rows, start, Math.Min(size, rows.Length - start));
    }
}
