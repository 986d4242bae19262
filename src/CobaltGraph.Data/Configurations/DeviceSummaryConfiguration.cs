using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace CobaltGraph.Data.Configurations;

internal sealed class DeviceSummaryConfiguration : IEntityTypeConfiguration<DeviceSummary>
{
    public void Configure(EntityTypeBuilder<DeviceSummary> summary)
        => summary.HasNoKey().ToView("device_summary");
}
