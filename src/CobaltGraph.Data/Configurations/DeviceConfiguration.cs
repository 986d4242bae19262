using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace CobaltGraph.Data.Configurations;

internal sealed class DeviceConfiguration : IEntityTypeConfiguration<Device>
{
    public void Configure(EntityTypeBuilder<Device> device)
    {
        device.ToTable("devices", table =>
        {
            table.HasComment("One row per network device, keyed by MAC address.");
            table.HasCheckConstraint("ck_devices_mac_address", MacRule.Sql("mac_address"));
            table.HasCheckConstraint("ck_devices_status", "status IN ('discovered', 'active', 'idle', 'offline')");
            table.HasCheckConstraint("ck_devices_confidence_score", "confidence_score BETWEEN 0 AND 1");
            table.HasCheckConstraint("ck_devices_metadata", "jsonb_typeof(metadata) = 'object'");
            table.HasCheckConstraint(
                "ck_devices_times",
                "isfinite(first_seen) AND isfinite(last_seen) AND isfinite(last_activity)");
        });
        // Counters change twice with every batch of connections: room for the versions that several writers leave keeps those
        // updates on their page and off the indexes, or the table would outgrow its rows a hundredfold between two vacuums.
        device.HasStorageParameter("fillfactor", 20);

        device.HasKey(d => d.MacAddress);

        device.Property(d => d.MacAddress).ValueGeneratedNever()
            .HasComment("Unicast and not all-zero; never changed.");
        device.Property(d => d.IpAddress)
            .HasComment("Current primary address; a change writes an ip_changed event.");
        device.Property(d => d.Vendor).HasMaxLength(255)
            .HasComment("Manufacturer from the OUI registry.");
        device.Property(d => d.DeviceType).HasMaxLength(50)
            .HasComment("router, desktop, mobile, iot, server, … or unknown.");
        device.Property(d => d.Hostname).HasMaxLength(255);
        device.Property(d => d.FirstSeen).HasDefaultValueSql("now()")
            .HasComment("First time seen by ARP or traffic; only moves back.");
        device.Property(d => d.LastSeen).HasDefaultValueSql("now()")
            .HasComment("Last time seen by ARP or traffic; only moves forward, never past now().");
        device.Property(d => d.LastActivity).HasDefaultValueSql("now()")
            .HasComment("Last traffic; only moves forward, never past now().");
        device.Property(d => d.Status).HasMaxLength(20).HasDefaultValueSql("'discovered'")
            .HasComment("discovered, active (seen < 30 min ago), idle (30 to 60 min), offline; see sweep_device_status().");
        device.Property(d => d.ConfidenceScore).HasDefaultValueSql("0")
            .HasComment("How sure vendor and type are, 0 to 1.");
        device.Property(d => d.Metadata).HasDefaultValueSql("'{}'")
            .HasComment("Known keys: notes, tags, custom. Any other key is kept.");
        KeptByTheDatabase(device.Property(d => d.ConnectionCount).HasDefaultValueSql("0")
            .HasComment("Connections ever stored for the device; kept by triggers, retention does not lower it."));
        KeptByTheDatabase(device.Property(d => d.ThreatCount).HasDefaultValueSql("0")
            .HasComment("Threats ever stored for the device; kept by triggers, retention does not lower it."));
        KeptByTheDatabase(device.Property(d => d.UniqueDestinations).HasDefaultValueSql("0")
            .HasComment("Destination addresses ever reached: rows of device_destinations; kept by triggers."));
        KeptByTheDatabase(device.Property(d => d.LastConnection)
            .HasComment("Latest connection, never past now(); NULL without one; kept by triggers."));
        KeptByTheDatabase(device.Property(d => d.ThreatScore).HasDefaultValueSql("0")
            .HasComment("Sum over the connections of threat_category_weight(); kept by triggers, retention does not lower it."));
        KeptByTheDatabase(device.Property(d => d.MaxThreatScore).HasDefaultValueSql("0")
            .HasComment("Highest threat score ever stored for the device; kept by triggers."));
        KeptByTheDatabase(device.Property(d => d.LastThreat)
            .HasComment("Latest threat, never past now(); NULL without one; kept by triggers."));
        device.Property(d => d.IsLocallyAdministered)
            .HasComputedColumnSql(
                "(mac_address & '02:00:00:00:00:00'::macaddr) <> '00:00:00:00:00:00'::macaddr", stored: true)
            .HasComment("U/L bit of the MAC address: set on randomised addresses.");

        device.HasIndex(d => d.IpAddress);
        device.HasIndex(d => d.Status);
    }

    private static void KeptByTheDatabase<T>(PropertyBuilder<T> counter)
    {
        counter.ValueGeneratedOnAddOrUpdate();
        counter.Metadata.SetBeforeSaveBehavior(PropertySaveBehavior.Ignore);
        counter.Metadata.SetAfterSaveBehavior(PropertySaveBehavior.Ignore);
    }
}
