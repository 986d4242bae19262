using System;
using System.Collections;
using System.Net;
using System.Net.NetworkInformation;
using CobaltGraph.Data.Schema;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace CobaltGraph.Data.Migrations
{
    /// <inheritdoc />
    public partial class ThreatScoring : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            LockWritersOut(migrationBuilder);

            migrationBuilder.DropIndex(
                name: "ix_connections_threat_score_timestamp",
                table: "connections");

            migrationBuilder.AlterTable(
                name: "devices")
                .Annotation("Npgsql:StorageParameter:fillfactor", 20)
                .OldAnnotation("Npgsql:StorageParameter:fillfactor", 70);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "last_connection",
                table: "devices",
                type: "timestamp with time zone",
                nullable: true,
                comment: "Latest connection, never past now(); NULL without one; kept by triggers.");

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "last_threat",
                table: "devices",
                type: "timestamp with time zone",
                nullable: true,
                comment: "Latest threat, never past now(); NULL without one; kept by triggers.");

            migrationBuilder.AddColumn<float>(
                name: "max_threat_score",
                table: "devices",
                type: "real",
                nullable: false,
                defaultValueSql: "0",
                comment: "Highest threat score ever stored for the device; kept by triggers.");

            migrationBuilder.AddColumn<long>(
                name: "threat_score",
                table: "devices",
                type: "bigint",
                nullable: false,
                defaultValueSql: "0",
                comment: "Sum over the connections of threat_category_weight(); kept by triggers, retention does not lower it.");

            migrationBuilder.AddColumn<long>(
                name: "unique_destinations",
                table: "devices",
                type: "bigint",
                nullable: false,
                defaultValueSql: "0",
                comment: "Destination addresses ever reached: rows of device_destinations; kept by triggers.");

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "confidence_seen_at",
                table: "device_sightings",
                type: "timestamp with time zone",
                nullable: true,
                comment: "When a sighting last told the device's confidence_score.");

            migrationBuilder.AddColumn<string>(
                name: "metadata_seen_at",
                table: "device_sightings",
                type: "jsonb",
                nullable: true,
                comment: "When a sighting last told each key of the device's metadata: key and time, UTC.");

            migrationBuilder.AlterColumn<byte[]>(
                name: "content_hash",
                table: "ingest_batches",
                type: "bytea",
                nullable: true,
                comment: "SHA-256 of the batch's content, followed by four bytes for each line where it comes from a file: the same key with other content is a conflict. NULL when its writer gave none.",
                oldClrType: typeof(byte[]),
                oldType: "bytea",
                oldNullable: true,
                oldComment: "SHA-256 of the batch's content: the same key with another hash is a conflict. NULL when its writer gave none.");

            migrationBuilder.CreateTable(
                name: "destinations",
                columns: table => new
                {
                    dst_ip = table.Column<IPAddress>(type: "inet", nullable: false),
                    dst_port = table.Column<int>(type: "integer", nullable: false),
                    protocol = table.Column<string>(type: "character varying(10)", maxLength: 10, nullable: false, comment: "Empty when unknown."),
                    dst_country = table.Column<string>(type: "character varying(2)", maxLength: 2, nullable: false, comment: "ISO 3166-1 alpha-2; empty when unknown."),
                    dst_org = table.Column<string>(type: "character varying(255)", maxLength: 255, nullable: false, comment: "Empty when unknown."),
                    dst_hostname = table.Column<string>(type: "character varying(255)", maxLength: 255, nullable: false, comment: "Empty when unknown.")
                },
                comment: "What connections ever said of a destination: one row per different combination, kept by triggers, and kept beyond the connections. Text search and rare combinations are looked up here and lead to connections by dst_ip.");

            migrationBuilder.CreateTable(
                name: "device_activity_hourly",
                columns: table => new
                {
                    src_mac = table.Column<PhysicalAddress>(type: "macaddr", nullable: false),
                    hour = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, comment: "Begin of the hour of the event time, UTC."),
                    connection_count = table.Column<long>(type: "bigint", nullable: false, comment: "Connections ever stored for the hour."),
                    threat_count = table.Column<long>(type: "bigint", nullable: false, comment: "Threats among them."),
                    max_threat_score = table.Column<float>(type: "real", nullable: false, comment: "Highest threat score among them."),
                    bytes_sent = table.Column<decimal>(type: "numeric", nullable: false, comment: "Sum; unknown sizes count as 0."),
                    bytes_received = table.Column<decimal>(type: "numeric", nullable: false, comment: "Sum; unknown sizes count as 0."),
                    destination_sketch = table.Column<BitArray>(type: "bit(256)", nullable: false, comment: "A bit for the hash of each destination address: at least as many destinations as bits are set; see distinct_estimate().")
                },
                comment: "What each device did in each hour, kept by triggers, and kept beyond the connections.")
                .Annotation("Npgsql:StorageParameter:fillfactor", 80);

            migrationBuilder.CreateTable(
                name: "device_addresses",
                columns: table => new
                {
                    mac_address = table.Column<PhysicalAddress>(type: "macaddr", nullable: false),
                    ip_address = table.Column<IPAddress>(type: "inet", nullable: false),
                    source = table.Column<string>(type: "character varying(10)", maxLength: 10, nullable: false, comment: "sighting: ARP or DHCP; update: a client set devices.ip_address; traffic: connections came from it."),
                    first_seen = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, comment: "First observation."),
                    last_seen = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, comment: "Last observation; infinity while an update still stands."),
                    latest_connection = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true, comment: "Latest event time of the connections among them, at most that of the year 9999: beyond last_seen where a sensor's clock was ahead. NULL of sightings and updates.")
                },
                constraints: table =>
                {
                    table.CheckConstraint("ck_device_addresses_source", "source IN ('sighting', 'update', 'traffic')");
                    table.CheckConstraint("ck_device_addresses_times", "first_seen <= last_seen AND isfinite(first_seen) AND (isfinite(last_seen) OR source = 'update')");
                },
                comment: "Which device held which address, from when to when: observations no more than address_lapse() apart are one row. Kept by triggers and merge_device_sightings(); no foreign key: it outlives the device.")
                .Annotation("Npgsql:StorageParameter:fillfactor", 70);

            migrationBuilder.CreateTable(
                name: "device_threat_counts",
                columns: table => new
                {
                    src_mac = table.Column<PhysicalAddress>(type: "macaddr", nullable: false),
                    threat_category = table.Column<string>(type: "character varying(50)", maxLength: 50, nullable: false),
                    connection_count = table.Column<long>(type: "bigint", nullable: false, comment: "Connections ever stored for the pair, whatever their score.")
                },
                comment: "Connections per device and threat category, kept by triggers, and kept beyond the connections.")
                .Annotation("Npgsql:StorageParameter:fillfactor", 70);

            migrationBuilder.CreateIndex(
                name: "ix_connections_dst_port_timestamp",
                table: "connections",
                columns: new[] { "dst_port", "timestamp" },
                filter: "dst_port <> 53 AND dst_port <> 80 AND dst_port <> 443");

            migrationBuilder.CreateIndex(
                name: "ix_connections_metadata",
                table: "connections",
                column: "metadata")
                .Annotation("Npgsql:IndexMethod", "gin")
                .Annotation("Npgsql:IndexOperators", new[] { "jsonb_path_ops" })
                .Annotation("Npgsql:StorageParameter:fastupdate", false);

            migrationBuilder.CreateIndex(
                name: "ix_connections_src_ip_timestamp",
                table: "connections",
                columns: new[] { "src_ip", "timestamp" },
                filter: "src_mac IS NULL");

            migrationBuilder.CreateIndex(
                name: "ix_connections_threat_category_timestamp",
                table: "connections",
                columns: new[] { "threat_category", "timestamp" },
                filter: "threat_category IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_connections_timestamp_threat_score",
                table: "connections",
                columns: new[] { "timestamp", "threat_score" },
                filter: "threat_score >= 2::real");

            migrationBuilder.CreateIndex(
                name: "ix_device_events_event_type_timestamp",
                table: "device_events",
                columns: new[] { "event_type", "timestamp" });

            migrationBuilder.CreateIndex(
                name: "ix_device_destinations_first_seen",
                table: "device_destinations",
                column: "first_seen");

            // Functions first: triggers, views and later functions call them.
            migrationBuilder.CreateFunction("threat_category_weight", version: 1);
            migrationBuilder.CreateFunction("distinct_estimate", version: 1);
            migrationBuilder.CreateFunction("ensure_text_search", version: 1);
            migrationBuilder.ReplaceFunction("ensure_connection_partitions", version: 2);
            migrationBuilder.CreateFunction("drop_connection_partitions", version: 1);
            migrationBuilder.ReplaceFunction("sweep_device_status", version: 2);
            migrationBuilder.CreateFunction("address_lapse", version: 1);
            migrationBuilder.CreateFunction("record_addresses", version: 1);
            migrationBuilder.CreateFunction("record_address_updates", version: 1);
            migrationBuilder.CreateFunction("address_claims", version: 1);
            migrationBuilder.ReplaceFunction("devices_log_insert", version: 2);
            migrationBuilder.ReplaceFunction("devices_log_update", version: 2);
            migrationBuilder.ReplaceFunction("devices_log_delete", version: 2);
            migrationBuilder.ReplaceFunction("devices_log_truncate", version: 2);
            migrationBuilder.CreateFunction("merge_sightings_with_metadata", version: 1);
            migrationBuilder.ReplaceFunction("merge_device_sightings", version: 2);
            migrationBuilder.ReplaceFunction("connections_count", version: 2);
            migrationBuilder.ReplaceFunction("connections_refuse_rewrite", version: 2);
            migrationBuilder.CreateFunction("connections_count_update", version: 1);

            migrationBuilder.CreateTrigger("connections_count_update", version: 1);

            migrationBuilder.ReplaceView("device_summary", version: 2);
            migrationBuilder.CreateView("device_threats", version: 1);
            migrationBuilder.CreateView("address_conflicts", version: 1);

            FinishPreparation(migrationBuilder);
            BackFill(migrationBuilder);
            BackFillAddresses(migrationBuilder);
            DropPreparation(migrationBuilder);

            // After the rows: keys and indexes are built faster than they are filled, and a foreign key that is there before
            // looks up every row on its own.
            migrationBuilder.AddPrimaryKey(
                name: "pk_destinations",
                table: "destinations",
                columns: new[] { "dst_ip", "dst_port", "dst_hostname", "dst_org", "dst_country", "protocol" });

            migrationBuilder.AddPrimaryKey(
                name: "pk_device_activity_hourly",
                table: "device_activity_hourly",
                columns: new[] { "src_mac", "hour" });

            migrationBuilder.AddPrimaryKey(
                name: "pk_device_addresses",
                table: "device_addresses",
                columns: new[] { "mac_address", "ip_address", "source", "first_seen" });

            migrationBuilder.AddPrimaryKey(
                name: "pk_device_threat_counts",
                table: "device_threat_counts",
                columns: new[] { "src_mac", "threat_category" });

            migrationBuilder.AddForeignKey(
                name: "fk_device_activity_hourly_devices_src_mac",
                table: "device_activity_hourly",
                column: "src_mac",
                principalTable: "devices",
                principalColumn: "mac_address",
                onDelete: ReferentialAction.Cascade);

            migrationBuilder.AddForeignKey(
                name: "fk_device_threat_counts_devices_src_mac",
                table: "device_threat_counts",
                column: "src_mac",
                principalTable: "devices",
                principalColumn: "mac_address",
                onDelete: ReferentialAction.Cascade);

            migrationBuilder.CreateIndex(
                name: "ix_destinations_dst_country",
                table: "destinations",
                column: "dst_country");

            migrationBuilder.CreateIndex(
                name: "ix_destinations_dst_port",
                table: "destinations",
                column: "dst_port");

            migrationBuilder.CreateIndex(
                name: "ix_device_activity_hourly_hour",
                table: "device_activity_hourly",
                column: "hour");

            migrationBuilder.CreateIndex(
                name: "ix_device_addresses_ip_address_first_seen",
                table: "device_addresses",
                columns: new[] { "ip_address", "first_seen" });

            migrationBuilder.CreateIndex(
                name: "ix_device_addresses_mac_address",
                table: "device_addresses",
                column: "mac_address",
                filter: "source <> 'traffic'");

            EnsureTextSearch(migrationBuilder);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            LockWritersOut(migrationBuilder);

            migrationBuilder.DropView("address_conflicts");
            migrationBuilder.DropView("device_threats");
            migrationBuilder.ReplaceView("device_summary", version: 1);
            migrationBuilder.DropTrigger("connections_count_update", table: "connections");
            migrationBuilder.DropFunction("connections_count_update");
            migrationBuilder.ReplaceFunction("connections_refuse_rewrite", version: 1);
            migrationBuilder.ReplaceFunction("connections_count", version: 1);
            migrationBuilder.ReplaceFunction("merge_device_sightings", version: 1);
            migrationBuilder.DropFunction("merge_sightings_with_metadata");
            migrationBuilder.ReplaceFunction("devices_log_truncate", version: 1);
            migrationBuilder.ReplaceFunction("devices_log_delete", version: 1);
            migrationBuilder.ReplaceFunction("devices_log_update", version: 1);
            migrationBuilder.ReplaceFunction("devices_log_insert", version: 1);
            migrationBuilder.DropFunction("address_claims");
            migrationBuilder.DropFunction("record_address_updates");
            migrationBuilder.DropFunction("record_addresses");
            migrationBuilder.DropFunction("address_lapse");
            migrationBuilder.ReplaceFunction("sweep_device_status", version: 1);
            migrationBuilder.DropFunction("drop_connection_partitions");
            migrationBuilder.ReplaceFunction("ensure_connection_partitions", version: 1);
            migrationBuilder.DropFunction("ensure_text_search");
            migrationBuilder.DropFunction("distinct_estimate");
            migrationBuilder.DropFunction("threat_category_weight");

            migrationBuilder.DropTable(
                name: "destinations");

            migrationBuilder.DropTable(
                name: "device_activity_hourly");

            migrationBuilder.DropTable(
                name: "device_addresses");

            migrationBuilder.DropTable(
                name: "device_threat_counts");

            migrationBuilder.DropIndex(
                name: "ix_connections_dst_port_timestamp",
                table: "connections");

            migrationBuilder.DropIndex(
                name: "ix_connections_metadata",
                table: "connections");

            migrationBuilder.DropIndex(
                name: "ix_connections_src_ip_timestamp",
                table: "connections");

            migrationBuilder.DropIndex(
                name: "ix_connections_threat_category_timestamp",
                table: "connections");

            migrationBuilder.DropIndex(
                name: "ix_connections_timestamp_threat_score",
                table: "connections");

            migrationBuilder.DropIndex(
                name: "ix_device_events_event_type_timestamp",
                table: "device_events");

            migrationBuilder.DropIndex(
                name: "ix_device_destinations_first_seen",
                table: "device_destinations");

            migrationBuilder.AlterTable(
                name: "devices")
                .Annotation("Npgsql:StorageParameter:fillfactor", 70)
                .OldAnnotation("Npgsql:StorageParameter:fillfactor", 20);

            migrationBuilder.AlterColumn<byte[]>(
                name: "content_hash",
                table: "ingest_batches",
                type: "bytea",
                nullable: true,
                comment: "SHA-256 of the batch's content: the same key with another hash is a conflict. NULL when its writer gave none.",
                oldClrType: typeof(byte[]),
                oldType: "bytea",
                oldNullable: true,
                oldComment: "SHA-256 of the batch's content, followed by four bytes for each line where it comes from a file: the same key with other content is a conflict. NULL when its writer gave none.");

            migrationBuilder.DropColumn(
                name: "last_connection",
                table: "devices");

            migrationBuilder.DropColumn(
                name: "last_threat",
                table: "devices");

            migrationBuilder.DropColumn(
                name: "max_threat_score",
                table: "devices");

            migrationBuilder.DropColumn(
                name: "threat_score",
                table: "devices");

            migrationBuilder.DropColumn(
                name: "unique_destinations",
                table: "devices");

            migrationBuilder.DropColumn(
                name: "confidence_seen_at",
                table: "device_sightings");

            migrationBuilder.DropColumn(
                name: "metadata_seen_at",
                table: "device_sightings");

            migrationBuilder.CreateIndex(
                name: "ix_connections_threat_score_timestamp",
                table: "connections",
                columns: new[] { "threat_score", "timestamp" },
                filter: "threat_score >= 2::real");
        }
    }
}
