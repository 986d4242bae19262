using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace CobaltGraph.Data.Configurations;

internal sealed class IngestBatchConfiguration : IEntityTypeConfiguration<IngestBatch>
{
    public void Configure(EntityTypeBuilder<IngestBatch> batch)
    {
        batch.ToTable("ingest_batches", table => table.HasComment(
            "Ledger of bulk loads, written in the transaction that stores the rows: a repeated batch is a no-op."));

        batch.HasKey(b => new { b.Source, b.BatchKey });

        batch.Property(b => b.Source).HasComment("Sensor or file that delivered the batch.");
        batch.Property(b => b.BatchKey).HasComment("The batch within its source.");
        batch.Property(b => b.ContentHash)
            .HasComment("SHA-256 of the batch's content, followed by four bytes for each line where it comes from a file: the same key with other content is a conflict. NULL when its writer gave none.");
        batch.Property(b => b.RowsRead).HasDefaultValueSql("0");
        batch.Property(b => b.RowsStored).HasDefaultValueSql("0");
        batch.Property(b => b.RowsDuplicate).HasDefaultValueSql("0");
        batch.Property(b => b.RowsRejected).HasDefaultValueSql("0");
        batch.Property(b => b.FirstEventAt).HasComment("Earliest event time in the batch.");
        batch.Property(b => b.LastEventAt).HasComment("Latest event time in the batch.");
        batch.Property(b => b.CommittedAt).HasDefaultValueSql("now()");

        batch.HasIndex(b => b.CommittedAt);
    }
}
