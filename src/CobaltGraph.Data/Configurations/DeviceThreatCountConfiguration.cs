using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace CobaltGraph.Data.Configurations;

internal sealed class DeviceThreatCountConfiguration : IEntityTypeConfiguration<DeviceThreatCount>
{
    public void Configure(EntityTypeBuilder<DeviceThreatCount> count)
    {
        count.ToTable("device_threat_counts", table => table.HasComment(
            "Connections per device and threat category, kept by triggers, and kept beyond the connections."));
        count.HasStorageParameter("fillfactor", 70);

        count.HasKey(c => new { c.SrcMac, c.ThreatCategory });

        count.Property(c => c.ThreatCategory).HasMaxLength(50);
        count.Property(c => c.ConnectionCount).HasComment("Connections ever stored for the pair, whatever their score.");

        count.HasOne<Device>().WithMany()
            .HasForeignKey(c => c.SrcMac)
            .HasConstraintName("fk_device_threat_counts_devices_src_mac")
            .OnDelete(DeleteBehavior.Cascade);
    }
}
