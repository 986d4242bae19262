using CobaltGraph.Data.Conversions;
using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace CobaltGraph.Data.Configurations;

internal sealed class DeviceAddressConfiguration : IEntityTypeConfiguration<DeviceAddress>
{
    public void Configure(EntityTypeBuilder<DeviceAddress> address)
    {
        address.ToTable("device_addresses", table =>
        {
            table.HasComment(
                "Which device held which address, from when to when: observations no more than address_lapse() apart are one row. "
                + "Kept by triggers and merge_device_sightings(); no foreign key: it outlives the device.");
            table.HasCheckConstraint("ck_device_addresses_source", "source IN ('sighting', 'update', 'traffic')");
            table.HasCheckConstraint(
                "ck_device_addresses_times",
                "first_seen <= last_seen AND isfinite(first_seen) AND (isfinite(last_seen) OR source = 'update')");
        });
        address.HasStorageParameter("fillfactor", 70);

        address.HasKey(a => new { a.MacAddress, a.IpAddress, a.Source, a.FirstSeen });

        address.Property(a => a.IpAddress).IsOrdered();
        address.Property(a => a.Source).HasMaxLength(10)
            .HasComment("sighting: ARP or DHCP; update: a client set devices.ip_address; traffic: connections came from it.");
        address.Property(a => a.FirstSeen).HasComment("First observation.");
        address.Property(a => a.LastSeen).HasComment("Last observation; infinity while an update still stands.");
        address.Property(a => a.LatestConnection).HasComment(
            "Latest event time of the connections among them, at most that of the year 9999: beyond last_seen where a sensor's clock was "
            + "ahead. NULL of sightings and updates.");

        // Without last_seen, which moves with every observation: so such an update stays off the indexes.
        address.HasIndex(a => new { a.IpAddress, a.FirstSeen });

        // The claims of a device, past the many addresses from which a router forwards.
        address.HasIndex(a => a.MacAddress).HasFilter("source <> 'traffic'");
    }
}
