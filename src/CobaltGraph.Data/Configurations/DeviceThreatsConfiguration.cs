using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace CobaltGraph.Data.Configurations;

internal sealed class DeviceThreatsConfiguration : IEntityTypeConfiguration<DeviceThreats>
{
    public void Configure(EntityTypeBuilder<DeviceThreats> threats)
    {
        threats.HasNoKey().ToView("device_threats");

        threats.Property(t => t.C2Count).HasColumnName("c2_count");
    }
}
