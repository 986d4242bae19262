using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace CobaltGraph.Data.Configurations;

internal sealed class DeviceSummaryConfiguration : IEntityTypeConfiguration<DeviceSummary>
{
    public void Configure(EntityTypeBuilder<DeviceSummary> summary)
    {
        summary.HasNoKey().ToView("device_summary");

        summary.Property(d => d.Vendor).HasMaxLength(255);
        summary.Property(d => d.DeviceType).HasMaxLength(50);
        summary.Property(d => d.Status).HasMaxLength(20);
    }
}
