using CobaltGraph.Data.Conversions;
using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace CobaltGraph.Data.Configurations;

internal sealed class DestinationConfiguration : IEntityTypeConfiguration<Destination>
{
    public void Configure(EntityTypeBuilder<Destination> destination)
    {
        destination.ToTable("destinations", table => table.HasComment(
            "What connections ever said of a destination: one row per different combination, kept by triggers, and kept beyond the "
            + "connections. Text search and rare combinations are looked up here and lead to connections by dst_ip."));

        destination.HasKey(d => new { d.DstIp, d.DstPort, d.DstHostname, d.DstOrg, d.DstCountry, d.Protocol });

        destination.Property(d => d.DstIp).IsOrdered();
        destination.Property(d => d.Protocol).HasMaxLength(10).HasComment("Empty when unknown.");
        destination.Property(d => d.DstCountry).HasMaxLength(2).HasComment("ISO 3166-1 alpha-2; empty when unknown.");
        destination.Property(d => d.DstOrg).HasMaxLength(255).HasComment("Empty when unknown.");
        destination.Property(d => d.DstHostname).HasMaxLength(255).HasComment("Empty when unknown.");

        destination.HasIndex(d => d.DstPort);
        destination.HasIndex(d => d.DstCountry);
    }
}
