using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace CobaltGraph.Data.Configurations;

internal sealed class DeviceEventConfiguration : IEntityTypeConfiguration<DeviceEvent>
{
    public void Configure(EntityTypeBuilder<DeviceEvent> deviceEvent)
    {
        deviceEvent.ToTable("device_events", table =>
        {
            table.HasComment("Immutable trail of device events; UPDATE, DELETE and TRUNCATE are refused.");
            table.HasCheckConstraint(
                "ck_device_events_event_type",
                "event_type IN ('discovered', 'active', 'idle', 'offline', 'ip_changed', 'threat_detected', 'removed')");
        });

        deviceEvent.HasKey(e => e.Id);

        deviceEvent.Property(e => e.Id).UseSerialColumn()
            .HasComment("From a sequence; gaps carry no meaning.");
        deviceEvent.Property(e => e.Timestamp).HasDefaultValueSql("now()")
            .HasComment("When it was recorded.");
        deviceEvent.Property(e => e.DeviceMac)
            .HasComment("No foreign key: the trail outlives its device.");
        deviceEvent.Property(e => e.EventType).HasMaxLength(50);
        deviceEvent.Property(e => e.OldValue).HasComment("Old status or address.");
        deviceEvent.Property(e => e.NewValue)
            .HasComment("New status or address; for threat_detected the destination address.");
        deviceEvent.Property(e => e.Metadata).HasDefaultValueSql("'{}'");

        deviceEvent.HasIndex(e => new { e.DeviceMac, e.Timestamp });
        deviceEvent.HasIndex(e => new { e.EventType, e.Timestamp });
        deviceEvent.HasIndex(e => e.Timestamp);
    }
}
