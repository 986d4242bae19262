using CobaltGraph.Data.Conversions;
using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace CobaltGraph.Data.Configurations;

internal sealed class DeviceDestinationConfiguration : IEntityTypeConfiguration<DeviceDestination>
{
    public void Configure(EntityTypeBuilder<DeviceDestination> destination)
    {
        destination.ToTable("device_destinations", table => table.HasComment(
            "Edges of the graph: one row per device and destination address it ever reached. Kept by the trigger on "
            + "connections, and kept beyond the connections."));
        destination.HasStorageParameter("fillfactor", 80);

        destination.HasKey(d => new { d.SrcMac, d.DstIp });

        destination.Property(d => d.DstIp).IsOrdered();
        destination.Property(d => d.FirstSeen).HasComment("Earliest connection.");
        destination.Property(d => d.LastSeen).HasComment("Latest connection, never past now().");
        destination.Property(d => d.ConnectionCount).HasComment("Connections ever stored for the pair.");
        destination.Property(d => d.ThreatCount).HasComment("Threats ever stored for the pair.");
        destination.Property(d => d.MaxThreatScore).HasComment("Highest threat score ever stored for the pair.");

        destination.HasOne(d => d.Device).WithMany(d => d.Destinations)
            .HasForeignKey(d => d.SrcMac)
            .HasConstraintName("fk_device_destinations_devices_src_mac")
            .OnDelete(DeleteBehavior.Cascade);

        destination.HasIndex(d => d.DstIp);
        // What is new since a time. first_seen hardly ever changes, so counting stays off this index.
        destination.HasIndex(d => d.FirstSeen);
    }
}
