using System;
using System.Net;
using System.Net.NetworkInformation;
using CobaltGraph.Data.Schema;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace CobaltGraph.Data.Migrations
{
    /// <inheritdoc />
    public partial class DeviceInventory : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "device_events",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false, comment: "From a sequence; gaps carry no meaning.")
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.SerialColumn),
                    timestamp = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()", comment: "When it was recorded."),
                    device_mac = table.Column<PhysicalAddress>(type: "macaddr", nullable: false, comment: "No foreign key: the trail outlives its device."),
                    event_type = table.Column<string>(type: "character varying(50)", maxLength: 50, nullable: false),
                    old_value = table.Column<string>(type: "text", nullable: true, comment: "Old status or address."),
                    new_value = table.Column<string>(type: "text", nullable: true, comment: "New status or address; for threat_detected the destination address."),
                    metadata = table.Column<string>(type: "jsonb", nullable: false, defaultValueSql: "'{}'")
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_device_events", x => x.id);
                    table.CheckConstraint("ck_device_events_event_type", "event_type IN ('discovered', 'active', 'idle', 'offline', 'ip_changed', 'threat_detected', 'removed')");
                },
                comment: "Immutable trail of device events; UPDATE, DELETE and TRUNCATE are refused.");

            migrationBuilder.CreateTable(
                name: "devices",
                columns: table => new
                {
                    mac_address = table.Column<PhysicalAddress>(type: "macaddr", nullable: false, comment: "Unicast and not all-zero; never changed."),
                    ip_address = table.Column<IPAddress>(type: "inet", nullable: true, comment: "Current primary address; a change writes an ip_changed event."),
                    vendor = table.Column<string>(type: "character varying(255)", maxLength: 255, nullable: true, comment: "Manufacturer from the OUI registry."),
                    device_type = table.Column<string>(type: "character varying(50)", maxLength: 50, nullable: true, comment: "router, desktop, mobile, iot, server, … or unknown."),
                    hostname = table.Column<string>(type: "character varying(255)", maxLength: 255, nullable: true),
                    first_seen = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()", comment: "First time seen by ARP or traffic; only moves back."),
                    last_seen = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()", comment: "Last time seen by ARP or traffic; only moves forward, never past now()."),
                    last_activity = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()", comment: "Last traffic; only moves forward, never past now()."),
                    status = table.Column<string>(type: "character varying(20)", maxLength: 20, nullable: false, defaultValueSql: "'discovered'", comment: "discovered, active (seen < 30 min ago), idle (30 to 60 min), offline; see sweep_device_status()."),
                    confidence_score = table.Column<float>(type: "real", nullable: false, defaultValueSql: "0", comment: "How sure vendor and type are, 0 to 1."),
                    metadata = table.Column<string>(type: "jsonb", nullable: false, defaultValueSql: "'{}'", comment: "Known keys: notes, tags, custom. Any other key is kept."),
                    connection_count = table.Column<long>(type: "bigint", nullable: false, defaultValueSql: "0", comment: "Connections ever stored for the device; kept by triggers, retention does not lower it."),
                    threat_count = table.Column<long>(type: "bigint", nullable: false, defaultValueSql: "0", comment: "Threats ever stored for the device; kept by triggers, retention does not lower it."),
                    is_locally_administered = table.Column<bool>(type: "boolean", nullable: false, computedColumnSql: "(mac_address & '02:00:00:00:00:00'::macaddr) <> '00:00:00:00:00:00'::macaddr", stored: true, comment: "U/L bit of the MAC address: set on randomised addresses.")
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_devices", x => x.mac_address);
                    table.CheckConstraint("ck_devices_confidence_score", "confidence_score BETWEEN 0 AND 1");
                    table.CheckConstraint("ck_devices_mac_address", "(mac_address & '01:00:00:00:00:00'::macaddr) = '00:00:00:00:00:00'::macaddr AND mac_address <> '00:00:00:00:00:00'::macaddr");
                    table.CheckConstraint("ck_devices_metadata", "jsonb_typeof(metadata) = 'object'");
                    table.CheckConstraint("ck_devices_status", "status IN ('discovered', 'active', 'idle', 'offline')");
                    table.CheckConstraint("ck_devices_times", "isfinite(first_seen) AND isfinite(last_seen) AND isfinite(last_activity)");
                },
                comment: "One row per network device, keyed by MAC address.")
                .Annotation("Npgsql:StorageParameter:fillfactor", 70);

            migrationBuilder.CreateTable(
                name: "ingest_batches",
                columns: table => new
                {
                    source = table.Column<string>(type: "text", nullable: false, comment: "Sensor or file that delivered the batch."),
                    batch_key = table.Column<string>(type: "text", nullable: false, comment: "The batch within its source."),
                    content_hash = table.Column<byte[]>(type: "bytea", nullable: true, comment: "SHA-256 of the batch's content: the same key with another hash is a conflict. NULL when its writer gave none."),
                    rows_read = table.Column<long>(type: "bigint", nullable: false, defaultValueSql: "0"),
                    rows_stored = table.Column<long>(type: "bigint", nullable: false, defaultValueSql: "0"),
                    rows_duplicate = table.Column<long>(type: "bigint", nullable: false, defaultValueSql: "0"),
                    rows_rejected = table.Column<long>(type: "bigint", nullable: false, defaultValueSql: "0"),
                    first_event_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true, comment: "Earliest event time in the batch."),
                    last_event_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true, comment: "Latest event time in the batch."),
                    committed_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()")
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_ingest_batches", x => new { x.source, x.batch_key });
                },
                comment: "Ledger of bulk loads, written in the transaction that stores the rows: a repeated batch is a no-op.");

            migrationBuilder.CreateTable(
                name: "connections",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false, comment: "From a sequence; gaps carry no meaning.")
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.SerialColumn),
                    timestamp = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()", comment: "Event time, finite."),
                    src_mac = table.Column<PhysicalAddress>(type: "macaddr", nullable: true, comment: "The device; an unseen one is created with the connection. NULL when unknown or deleted."),
                    src_ip = table.Column<IPAddress>(type: "inet", nullable: true),
                    src_port = table.Column<int>(type: "integer", nullable: true),
                    dst_ip = table.Column<IPAddress>(type: "inet", nullable: false),
                    dst_port = table.Column<int>(type: "integer", nullable: false),
                    protocol = table.Column<string>(type: "character varying(10)", maxLength: 10, nullable: true, defaultValueSql: "'TCP'"),
                    dst_country = table.Column<string>(type: "character varying(2)", maxLength: 2, nullable: true, comment: "ISO 3166-1 alpha-2."),
                    dst_lat = table.Column<float>(type: "real", nullable: true, comment: "Degrees, -90 to 90."),
                    dst_lon = table.Column<float>(type: "real", nullable: true, comment: "Degrees, -180 to 180."),
                    dst_org = table.Column<string>(type: "character varying(255)", maxLength: 255, nullable: true),
                    dst_hostname = table.Column<string>(type: "character varying(255)", maxLength: 255, nullable: true),
                    threat_score = table.Column<float>(type: "real", nullable: false, defaultValueSql: "0", comment: "0 to 10; low < 2, medium < 4, high < 7, then critical: a threat, see threat_threshold()."),
                    threat_category = table.Column<string>(type: "character varying(50)", maxLength: 50, nullable: true, comment: "malware, c2, proxy, suspicious_geo, …"),
                    bytes_sent = table.Column<long>(type: "bigint", nullable: true, comment: "Source to destination; NULL when unknown."),
                    bytes_received = table.Column<long>(type: "bigint", nullable: true, comment: "Destination to source; NULL when unknown."),
                    duration = table.Column<TimeSpan>(type: "interval", nullable: true, comment: "NULL when unknown."),
                    metadata = table.Column<string>(type: "jsonb", nullable: false, defaultValueSql: "'{}'", comment: "Known keys: dns, threat (source, reason, indicator), service, state, uid. Any other key is kept.")
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_connections", x => new { x.timestamp, x.id });
                    table.CheckConstraint("ck_connections_dst_lat", "dst_lat BETWEEN -90 AND 90");
                    table.CheckConstraint("ck_connections_dst_lon", "dst_lon BETWEEN -180 AND 180");
                    table.CheckConstraint("ck_connections_dst_port", "dst_port BETWEEN 0 AND 65535");
                    table.CheckConstraint("ck_connections_metadata", "jsonb_typeof(metadata) = 'object'");
                    table.CheckConstraint("ck_connections_src_mac", "(src_mac & '01:00:00:00:00:00'::macaddr) = '00:00:00:00:00:00'::macaddr AND src_mac <> '00:00:00:00:00:00'::macaddr");
                    table.CheckConstraint("ck_connections_src_port", "src_port BETWEEN 0 AND 65535");
                    table.CheckConstraint("ck_connections_threat_score", "threat_score BETWEEN 0 AND 10");
                    table.CheckConstraint("ck_connections_timestamp", "isfinite(\"timestamp\")");
                    table.ForeignKey(
                        name: "fk_connections_devices_src_mac",
                        column: x => x.src_mac,
                        principalTable: "devices",
                        principalColumn: "mac_address",
                        onDelete: ReferentialAction.SetNull)
                        .Annotation("CobaltGraph:InitiallyDeferred", true);
                },
                comment: "Observed connections: append-only, one partition per month (UTC) of timestamp.")
                .Annotation("CobaltGraph:DefaultPartition", "connections_default")
                .Annotation("CobaltGraph:PartitionByRange", "timestamp");

            migrationBuilder.CreateTable(
                name: "device_destinations",
                columns: table => new
                {
                    src_mac = table.Column<PhysicalAddress>(type: "macaddr", nullable: false),
                    dst_ip = table.Column<IPAddress>(type: "inet", nullable: false),
                    first_seen = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, comment: "Earliest connection."),
                    last_seen = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, comment: "Latest connection, never past now()."),
                    connection_count = table.Column<long>(type: "bigint", nullable: false, comment: "Connections ever stored for the pair."),
                    threat_count = table.Column<long>(type: "bigint", nullable: false, comment: "Threats ever stored for the pair."),
                    max_threat_score = table.Column<float>(type: "real", nullable: false, comment: "Highest threat score ever stored for the pair.")
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_device_destinations", x => new { x.src_mac, x.dst_ip });
                    table.ForeignKey(
                        name: "fk_device_destinations_devices_src_mac",
                        column: x => x.src_mac,
                        principalTable: "devices",
                        principalColumn: "mac_address",
                        onDelete: ReferentialAction.Cascade);
                },
                comment: "Edges of the graph: one row per device and destination address it ever reached. Kept by the trigger on connections, and kept beyond the connections.")
                .Annotation("Npgsql:StorageParameter:fillfactor", 80);

            migrationBuilder.CreateTable(
                name: "device_sightings",
                columns: table => new
                {
                    mac_address = table.Column<PhysicalAddress>(type: "macaddr", nullable: false),
                    ipv4 = table.Column<IPAddress>(type: "inet", nullable: true, comment: "IPv4 address seen last."),
                    ipv4_seen_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true, comment: "When ipv4 was last seen, never past now()."),
                    ipv6 = table.Column<IPAddress>(type: "inet", nullable: true, comment: "IPv6 address seen last."),
                    ipv6_seen_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true, comment: "When ipv6 was last seen, never past now()."),
                    hostname_seen_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true, comment: "When a sighting last told the device's hostname."),
                    vendor_seen_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true, comment: "When a sighting last told the device's vendor."),
                    device_type_seen_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true, comment: "When a sighting last told the device's type."),
                    source = table.Column<string>(type: "character varying(50)", maxLength: 50, nullable: true, comment: "What saw the device last: arp, dhcp, …"),
                    source_seen_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true, comment: "When source last saw the device."),
                    created_by_sighting = table.Column<bool>(type: "boolean", nullable: false, comment: "Whether a sighting created the device: until its first connection, its last_activity moves with last_seen.")
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_device_sightings", x => x.mac_address);
                    table.CheckConstraint("ck_device_sightings_ipv4", "family(ipv4) = 4");
                    table.CheckConstraint("ck_device_sightings_ipv6", "family(ipv6) = 6");
                    table.ForeignKey(
                        name: "fk_device_sightings_devices_mac_address",
                        column: x => x.mac_address,
                        principalTable: "devices",
                        principalColumn: "mac_address",
                        onDelete: ReferentialAction.Cascade);
                },
                comment: "What sightings say of a device, and as of when: one row per device that was ever sighted. Kept by merge_device_sightings(), which tells by these times what is stored late from news.")
                .Annotation("Npgsql:StorageParameter:fillfactor", 70);

            migrationBuilder.CreateIndex(
                name: "ix_connections_dst_ip_timestamp",
                table: "connections",
                columns: new[] { "dst_ip", "timestamp" });

            migrationBuilder.CreateIndex(
                name: "ix_connections_src_mac_timestamp",
                table: "connections",
                columns: new[] { "src_mac", "timestamp" });

            migrationBuilder.CreateIndex(
                name: "ix_connections_threat_score_timestamp",
                table: "connections",
                columns: new[] { "threat_score", "timestamp" },
                filter: "threat_score >= 2::real");

            migrationBuilder.CreateIndex(
                name: "ix_device_destinations_dst_ip",
                table: "device_destinations",
                column: "dst_ip");

            migrationBuilder.CreateIndex(
                name: "ix_device_events_device_mac_timestamp",
                table: "device_events",
                columns: new[] { "device_mac", "timestamp" });

            migrationBuilder.CreateIndex(
                name: "ix_device_events_timestamp",
                table: "device_events",
                column: "timestamp");

            migrationBuilder.CreateIndex(
                name: "ix_devices_ip_address",
                table: "devices",
                column: "ip_address");

            migrationBuilder.CreateIndex(
                name: "ix_devices_status",
                table: "devices",
                column: "status");

            migrationBuilder.CreateIndex(
                name: "ix_ingest_batches_committed_at",
                table: "ingest_batches",
                column: "committed_at");

            // Functions first: triggers and later functions call them.
            migrationBuilder.CreateFunction("threat_threshold", version: 1);
            migrationBuilder.CreateFunction("devices_keep_times", version: 1);
            migrationBuilder.CreateFunction("devices_log_insert", version: 1);
            migrationBuilder.CreateFunction("devices_log_update", version: 1);
            migrationBuilder.CreateFunction("devices_log_delete", version: 1);
            migrationBuilder.CreateFunction("devices_log_truncate", version: 1);
            migrationBuilder.CreateFunction("connections_count", version: 1);
            migrationBuilder.CreateFunction("connections_refuse_rewrite", version: 1);
            migrationBuilder.CreateFunction("device_events_refuse_change", version: 1);
            migrationBuilder.CreateFunction("sweep_device_status", version: 1);
            migrationBuilder.CreateFunction("merge_device_sightings", version: 1);
            migrationBuilder.CreateFunction("ensure_connection_partitions", version: 1);

            migrationBuilder.CreateTrigger("devices_keep_times_insert", version: 1);
            migrationBuilder.CreateTrigger("devices_keep_times_update", version: 1);
            migrationBuilder.CreateTrigger("devices_log_insert", version: 1);
            migrationBuilder.CreateTrigger("devices_log_update", version: 1);
            migrationBuilder.CreateTrigger("devices_log_delete", version: 1);
            migrationBuilder.CreateTrigger("devices_log_truncate", version: 1);
            migrationBuilder.CreateTrigger("connections_count", version: 1);
            migrationBuilder.CreateTrigger("connections_refuse_rewrite", version: 1);
            migrationBuilder.CreateTrigger("device_events_refuse_change", version: 1);

            migrationBuilder.CreateView("active_devices", version: 1);
            migrationBuilder.CreateView("device_summary", version: 1);

            migrationBuilder.EnsureConnectionPartitions(monthsAhead: 3);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropView("device_summary");
            migrationBuilder.DropView("active_devices");

            migrationBuilder.DropTable(
                name: "connections");

            migrationBuilder.DropTable(
                name: "device_destinations");

            migrationBuilder.DropTable(
                name: "device_events");

            migrationBuilder.DropTable(
                name: "device_sightings");

            migrationBuilder.DropTable(
                name: "ingest_batches");

            migrationBuilder.DropTable(
                name: "devices");

            // Triggers went with their tables.
            migrationBuilder.DropFunction("ensure_connection_partitions");
            migrationBuilder.DropFunction("merge_device_sightings");
            migrationBuilder.DropFunction("sweep_device_status");
            migrationBuilder.DropFunction("device_events_refuse_change");
            migrationBuilder.DropFunction("connections_refuse_rewrite");
            migrationBuilder.DropFunction("connections_count");
            migrationBuilder.DropFunction("devices_log_truncate");
            migrationBuilder.DropFunction("devices_log_delete");
            migrationBuilder.DropFunction("devices_log_update");
            migrationBuilder.DropFunction("devices_log_insert");
            migrationBuilder.DropFunction("devices_keep_times");
            migrationBuilder.DropFunction("threat_threshold");
        }
    }
}
