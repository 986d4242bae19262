using CobaltGraph.Benchmarks.Ingest.Methods;
using CobaltGraph.Data;
using CobaltGraph.Model;
using CobaltGraph.Seeding;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;

namespace CobaltGraph.Benchmarks.Ingest;

/// <summary>What a database is made into before a run.</summary>
internal enum Schema
{
    /// <summary>CobaltGraph, migrated, with the partitions that the rows need. No devices: the rows bring them.</summary>
    CobaltGraph,

    /// <summary>The same, and something is taken away that keeps devices, edges and events.</summary>
    Stripped,

    /// <summary>The tables of the original project, with its indexes; neither foreign key nor trigger.</summary>
    OriginalTables,

    /// <summary>The tables of the original project, with its indexes, foreign key and row trigger, and the devices.</summary>
    Original,

    /// <summary>Our columns in one table: no index, constraint, trigger or partition.</summary>
    Bare,
}

/// <summary>Makes schemas.</summary>
internal static class Databases
{
    // As the original project made them. Its other tables take no part in storing connections.
    private const string OriginalTables =
        """
        CREATE TABLE devices (
            mac_address varchar(17) PRIMARY KEY,
            ip_address inet,
            vendor varchar(255),
            device_type varchar(50),
            hostname varchar(255),
            first_seen timestamptz NOT NULL DEFAULT now(),
            last_seen timestamptz NOT NULL DEFAULT now(),
            last_activity timestamptz NOT NULL DEFAULT now(),
            status varchar(20) NOT NULL DEFAULT 'discovered',
            confidence_score real NOT NULL DEFAULT 0,
            metadata jsonb NOT NULL DEFAULT '{}',
            connection_count integer NOT NULL DEFAULT 0,
            threat_count integer NOT NULL DEFAULT 0
        );
        CREATE TABLE connections (
            id bigserial PRIMARY KEY,
            "timestamp" timestamptz NOT NULL DEFAULT now(),
            src_mac varchar(17),
            src_ip inet,
            dst_ip inet NOT NULL,
            dst_port integer NOT NULL,
            protocol varchar(10) DEFAULT 'TCP',
            dst_country varchar(2),
            dst_lat real,
            dst_lon real,
            dst_org varchar(255),
            dst_hostname varchar(255),
            threat_score real NOT NULL DEFAULT 0,
            threat_category varchar(50),
            metadata jsonb NOT NULL DEFAULT '{}'
        );
        CREATE INDEX ON connections ("timestamp");
        CREATE INDEX ON connections (src_mac);
        CREATE INDEX ON connections (dst_ip);
        CREATE INDEX ON connections (threat_score);
        CREATE INDEX ON connections (src_mac, "timestamp");
        CREATE INDEX ON connections (src_mac, threat_score);
        """;

    private const string OriginalRules =
        """
        ALTER TABLE connections ADD FOREIGN KEY (src_mac) REFERENCES devices (mac_address) ON DELETE SET NULL;
        CREATE FUNCTION update_device_status() RETURNS trigger LANGUAGE plpgsql AS $function$
        BEGIN
            UPDATE devices
            SET status = 'active', last_activity = NEW."timestamp", connection_count = connection_count + 1
            WHERE mac_address = NEW.src_mac;
            RETURN NEW;
        END
        $function$;
        CREATE TRIGGER update_device_status AFTER INSERT ON connections
        FOR EACH ROW EXECUTE FUNCTION update_device_status();
        """;

    /// <summary>Fills an empty database with a method's schema for a site's rows.</summary>
    public static async Task PrepareAsync(
        NpgsqlDataSource dataSource, IngestMethod method, Site site, CancellationToken cancellationToken)
    {
        switch (method.Schema)
        {
            case Schema.CobaltGraph or Schema.Stripped:
                await MigrateAsync(dataSource, site.From, site.To, cancellationToken, method.Migration);
                break;
            case Schema.OriginalTables:
                await ExecuteAsync(dataSource, OriginalTables, cancellationToken);
                await StoreDevicesAsync(dataSource, site.Devices, cancellationToken);
                break;
            case Schema.Original:
                await ExecuteAsync(dataSource, OriginalTables, cancellationToken);
                await StoreDevicesAsync(dataSource, site.Devices, cancellationToken);
                await ExecuteAsync(dataSource, OriginalRules, cancellationToken);
                break;
            default:
                await MigrateAsync(dataSource, site.From, site.To, cancellationToken);
                // A copy of the columns, so that it has whatever columns connections has.
                await ExecuteAsync(
                    dataSource,
                    """
                    CREATE SCHEMA bare;
                    CREATE TABLE bare.connections (LIKE connections INCLUDING DEFAULTS);
                    """,
                    cancellationToken);
                break;
        }

        if (method.ThenRun.Length > 0)
            await ExecuteAsync(dataSource, method.ThenRun, cancellationToken);
    }

    /// <summary>Migrates a database and makes the partitions from one time to another.</summary>
    public static async Task MigrateAsync(
        NpgsqlDataSource dataSource, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken, string? migration = null)
    {
        var options = new DbContextOptionsBuilder<CobaltGraphContext>().UseCobaltGraph(dataSource).Options;
        await using var context = new CobaltGraphContext(options);
        await context.Database.MigrateAsync(migration, cancellationToken);
        await using var command = dataSource.CreateCommand("SELECT ensure_connection_partitions($1, $2)");
        command.Parameters.Add(new() { Value = from.UtcDateTime });
        command.Parameters.Add(new() { Value = to.UtcDateTime });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task StoreDevicesAsync(
        NpgsqlDataSource dataSource, IEnumerable<Device> devices, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var writer = await connection.BeginBinaryImportAsync(
            "COPY devices (mac_address, ip_address, vendor, device_type, hostname) FROM STDIN (FORMAT BINARY)", cancellationToken);
        foreach (var device in devices)
        {
            await writer.StartRowAsync(cancellationToken);
            await writer.WriteAsync(device.MacAddress.ToString(), NpgsqlDbType.Varchar, cancellationToken);
            await writer.WriteAsync(device.IpAddress, NpgsqlDbType.Inet, cancellationToken);
            await writer.WriteAsync(device.Vendor, NpgsqlDbType.Varchar, cancellationToken);
            await writer.WriteAsync(device.DeviceType, NpgsqlDbType.Varchar, cancellationToken);
            await writer.WriteAsync(device.Hostname, NpgsqlDbType.Varchar, cancellationToken);
        }

        await writer.CompleteAsync(cancellationToken);
    }

    private static async Task ExecuteAsync(NpgsqlDataSource dataSource, string sql, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
