using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace CobaltGraph.Data.Configurations;

internal sealed class DeviceActivityHourConfiguration : IEntityTypeConfiguration<DeviceActivityHour>
{
    public void Configure(EntityTypeBuilder<DeviceActivityHour> hour)
    {
        hour.ToTable("device_activity_hourly", table => table.HasComment(
            "What each device did in each hour, kept by triggers, and kept beyond the connections."));
        hour.HasStorageParameter("fillfactor", 80);

        hour.HasKey(h => new { h.SrcMac, h.Hour });

        hour.Property(h => h.Hour).HasComment("Begin of the hour of the event time, UTC.");
        hour.Property(h => h.ConnectionCount).HasComment("Connections ever stored for the hour.");
        hour.Property(h => h.ThreatCount).HasComment("Threats among them.");
        hour.Property(h => h.MaxThreatScore).HasComment("Highest threat score among them.");
        hour.Property(h => h.BytesSent).HasColumnType("numeric").HasComment("Sum; unknown sizes count as 0.");
        hour.Property(h => h.BytesReceived).HasColumnType("numeric").HasComment("Sum; unknown sizes count as 0.");
        hour.Property(h => h.DestinationSketch).HasColumnType("bit(256)")
            .HasComment("A bit for the hash of each destination address: at least as many destinations as bits are set; see distinct_estimate().");
        hour.Ignore(h => h.DestinationsAtLeast);
        hour.Ignore(h => h.DestinationEstimate);

        hour.HasOne<Device>().WithMany()
            .HasForeignKey(h => h.SrcMac)
            .HasConstraintName("fk_device_activity_hourly_devices_src_mac")
            .OnDelete(DeleteBehavior.Cascade);

        hour.HasIndex(h => h.Hour);
    }
}
