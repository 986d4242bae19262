using CobaltGraph.Data.Partitioning;
using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace CobaltGraph.Data.Configurations;

internal sealed class ConnectionConfiguration : IEntityTypeConfiguration<Connection>
{
    public void Configure(EntityTypeBuilder<Connection> connection)
    {
        connection.ToTable("connections", table =>
        {
            table.HasComment("Observed connections: append-only, one partition per month (UTC) of timestamp.");
            table.HasCheckConstraint("ck_connections_timestamp", "isfinite(\"timestamp\")");
            table.HasCheckConstraint("ck_connections_src_mac", MacRule.Sql("src_mac"));
            table.HasCheckConstraint("ck_connections_src_port", "src_port BETWEEN 0 AND 65535");
            table.HasCheckConstraint("ck_connections_dst_port", "dst_port BETWEEN 0 AND 65535");
            table.HasCheckConstraint("ck_connections_dst_lat", "dst_lat BETWEEN -90 AND 90");
            table.HasCheckConstraint("ck_connections_dst_lon", "dst_lon BETWEEN -180 AND 180");
            table.HasCheckConstraint("ck_connections_threat_score", "threat_score BETWEEN 0 AND 10");
            table.HasCheckConstraint("ck_connections_metadata", "jsonb_typeof(metadata) = 'object'");
        });
        connection.IsPartitionedByRange(c => c.Timestamp, defaultPartition: "connections_default");

        // Led by timestamp, so that the key serves time order as well.
        connection.HasKey(c => new { c.Timestamp, c.Id });

        connection.Property(c => c.Id).UseSerialColumn()
            .HasComment("From a sequence; gaps carry no meaning.");
        connection.Property(c => c.Timestamp).HasDefaultValueSql("now()")
            .HasComment("Event time, finite.");
        connection.Property(c => c.SrcMac)
            .HasComment("The device; an unseen one is created with the connection. NULL when unknown or deleted.");
        connection.Property(c => c.Protocol).HasMaxLength(10).HasDefaultValueSql("'TCP'");
        connection.Property(c => c.DstCountry).HasMaxLength(2)
            .HasComment("ISO 3166-1 alpha-2.");
        connection.Property(c => c.DstLat).HasComment("Degrees, -90 to 90.");
        connection.Property(c => c.DstLon).HasComment("Degrees, -180 to 180.");
        connection.Property(c => c.DstOrg).HasMaxLength(255);
        connection.Property(c => c.DstHostname).HasMaxLength(255);
        connection.Property(c => c.ThreatScore).HasDefaultValueSql("0")
            .HasComment("0 to 10; low < 2, medium < 4, high < 7, then critical: a threat, see threat_threshold().");
        connection.Property(c => c.ThreatCategory).HasMaxLength(50)
            .HasComment("malware, c2, proxy, suspicious_geo, …");
        connection.Property(c => c.BytesSent).HasComment("Source to destination; NULL when unknown.");
        connection.Property(c => c.BytesReceived).HasComment("Destination to source; NULL when unknown.");
        connection.Property(c => c.Duration).HasComment("NULL when unknown.");
        connection.Property(c => c.Metadata).HasDefaultValueSql("'{}'")
            .HasComment("Known keys: dns, threat (source, reason, indicator), service, state, uid. Any other key is kept.");

        // Deferred: the row-level check would run before the statement trigger adds the unseen device.
        connection.HasOne(c => c.Device).WithMany()
            .HasForeignKey(c => c.SrcMac)
            .HasConstraintName("fk_connections_devices_src_mac")
            .OnDelete(DeleteBehavior.SetNull)
            .IsInitiallyDeferred();

        connection.HasIndex(c => new { c.SrcMac, c.Timestamp });
        connection.HasIndex(c => new { c.DstIp, c.Timestamp });
        // Country, organisation and hostname have no index here, where each would cost every row: they are looked up in
        // destinations, and lead here by dst_ip. So are the ports of name resolution and the web, four rows of five. A busy
        // address may be rarely asked on any other port, and only an index finds those rows among the rest.
        connection.HasIndex(c => new { c.DstPort, c.Timestamp })
            .HasFilter("dst_port <> 53 AND dst_port <> 80 AND dst_port <> 443");
        // Scores below 2 are nearly all rows, and nobody looks for them by score. Led by timestamp: a level is a range of
        // scores, and its page is wanted in order of time.
        connection.HasIndex(c => new { c.Timestamp, c.ThreatScore })
            .HasFilter("threat_score >= 2::real");
        connection.HasIndex(c => new { c.ThreatCategory, c.Timestamp })
            .HasFilter("threat_category IS NOT NULL");
        // With a device, device_addresses tells which devices used an address, and when.
        connection.HasIndex(c => new { c.SrcIp, c.Timestamp })
            .HasFilter("src_mac IS NULL");
        // Every key and value of every connection: no other index costs as much, and without it what is rare is looked for in
        // all rows. Entries go where they belong at once, for a list of pending ones costs a batch more and each search too.
        connection.HasIndex(c => c.Metadata)
            .HasMethod("gin")
            .HasOperators("jsonb_path_ops")
            .HasStorageParameter("fastupdate", false);
    }
}
