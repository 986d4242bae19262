using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace CobaltGraph.Data.Configurations;

internal sealed class ActiveDeviceConfiguration : IEntityTypeConfiguration<ActiveDevice>
{
    public void Configure(EntityTypeBuilder<ActiveDevice> device)
    {
        device.HasNoKey().ToView("active_devices");

        device.Property(d => d.Vendor).HasMaxLength(255);
        device.Property(d => d.DeviceType).HasMaxLength(50);
        device.Property(d => d.Hostname).HasMaxLength(255);
        device.Property(d => d.Status).HasMaxLength(20);
    }
}
