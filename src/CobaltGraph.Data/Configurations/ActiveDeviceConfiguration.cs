using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace CobaltGraph.Data.Configurations;

internal sealed class ActiveDeviceConfiguration : IEntityTypeConfiguration<ActiveDevice>
{
    public void Configure(EntityTypeBuilder<ActiveDevice> device)
        => device.HasNoKey().ToView("active_devices");
}
