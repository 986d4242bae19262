using CobaltGraph.Data.Conversions;
using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace CobaltGraph.Data.Configurations;

internal sealed class SightedDeviceConfiguration : IEntityTypeConfiguration<SightedDevice>
{
    public void Configure(EntityTypeBuilder<SightedDevice> sighted)
    {
        sighted.ToTable("device_sightings", table =>
        {
            table.HasComment(
                "What sightings say of a device, and as of when: one row per device that was ever sighted. Kept by "
                + "merge_device_sightings(), which tells by these times what is stored late from news.");
            table.HasCheckConstraint("ck_device_sightings_ipv4", "family(ipv4) = 4");
            table.HasCheckConstraint("ck_device_sightings_ipv6", "family(ipv6) = 6");
        });
        // Times move with every sighting: room on the page keeps those updates off the index.
        sighted.HasStorageParameter("fillfactor", 70);

        sighted.HasKey(s => s.MacAddress);

        sighted.Property(s => s.MacAddress).ValueGeneratedNever();
        sighted.Property(s => s.IPv4).HasColumnName("ipv4")
            .HasComment("IPv4 address seen last.");
        sighted.Property(s => s.IPv4SeenAt).HasColumnName("ipv4_seen_at")
            .HasComment("When ipv4 was last seen, never past now().");
        sighted.Property(s => s.IPv6).HasColumnName("ipv6")
            .HasComment("IPv6 address seen last.");
        sighted.Property(s => s.IPv6SeenAt).HasColumnName("ipv6_seen_at")
            .HasComment("When ipv6 was last seen, never past now().");
        sighted.Property(s => s.HostnameSeenAt)
            .HasComment("When a sighting last told the device's hostname.");
        sighted.Property(s => s.VendorSeenAt)
            .HasComment("When a sighting last told the device's vendor.");
        sighted.Property(s => s.DeviceTypeSeenAt)
            .HasComment("When a sighting last told the device's type.");
        sighted.Property(s => s.Source).HasMaxLength(50)
            .HasComment("What saw the device last: arp, dhcp, …");
        sighted.Property(s => s.SourceSeenAt)
            .HasComment("When source last saw the device.");
        sighted.Property(s => s.MetadataSeenAt).HasConversion<KeyTimesConverter, KeyTimesComparer>().HasColumnType("jsonb")
            .HasComment("When a sighting last told each key of the device's metadata: key and time, UTC.");
        sighted.Property(s => s.ConfidenceSeenAt)
            .HasComment("When a sighting last told the device's confidence_score.");
        sighted.Property(s => s.CreatedBySighting)
            .HasComment("Whether a sighting created the device: until its first connection, its last_activity moves with last_seen.");

        sighted.HasOne(s => s.Device).WithOne()
            .HasForeignKey<SightedDevice>(s => s.MacAddress)
            .HasConstraintName("fk_device_sightings_devices_mac_address")
            .OnDelete(DeleteBehavior.Cascade);
    }
}
