using System.Globalization;

namespace CobaltGraph.Testing;

/// <summary>What the migration of the original project makes, and rows for it.</summary>
public static class OriginalSchema
{
    /// <summary>Its tables, indexes, functions, row triggers, views and list of migrations, in the schema first on the path.</summary>
    public const string Create =
        """
        CREATE TABLE devices (
            mac_address varchar(17) PRIMARY KEY,
            ip_address inet,
            vendor varchar(255),
            device_type varchar(50),
            hostname varchar(255),
            first_seen timestamptz DEFAULT now(),
            last_seen timestamptz DEFAULT now(),
            last_activity timestamptz DEFAULT now(),
            status varchar(20) DEFAULT 'discovered',
            confidence_score real DEFAULT 0,
            metadata jsonb DEFAULT '{}',
            connection_count integer DEFAULT 0,
            threat_count integer DEFAULT 0
        );
        CREATE TABLE connections (
            id bigserial PRIMARY KEY,
            "timestamp" timestamptz DEFAULT now(),
            src_mac varchar(17) REFERENCES devices (mac_address) ON DELETE SET NULL,
            src_ip inet,
            dst_ip inet NOT NULL,
            dst_port integer NOT NULL,
            protocol varchar(10) DEFAULT 'TCP',
            dst_country varchar(2),
            dst_lat real,
            dst_lon real,
            dst_org varchar(255),
            dst_hostname varchar(255),
            threat_score real DEFAULT 0,
            threat_category varchar(50),
            metadata jsonb DEFAULT '{}'
        );
        CREATE TABLE device_events (
            id bigserial PRIMARY KEY,
            "timestamp" timestamptz DEFAULT now(),
            device_mac varchar(17) REFERENCES devices (mac_address) ON DELETE CASCADE,
            event_type varchar(50) NOT NULL,
            old_value text,
            new_value text,
            metadata jsonb DEFAULT '{}'
        );
        CREATE TABLE schema_migrations (
            id serial PRIMARY KEY,
            migration_file varchar(255) UNIQUE NOT NULL,
            applied_at timestamptz DEFAULT now()
        );

        CREATE INDEX idx_devices_status ON devices (status);
        CREATE INDEX idx_devices_last_seen ON devices (last_seen DESC);
        CREATE INDEX idx_connections_timestamp ON connections ("timestamp" DESC);
        CREATE INDEX idx_connections_src_mac ON connections (src_mac);
        CREATE INDEX idx_connections_dst_ip ON connections (dst_ip);
        CREATE INDEX idx_connections_threat_score ON connections (threat_score);
        CREATE INDEX idx_connections_device_time ON connections (src_mac, "timestamp" DESC);
        CREATE INDEX idx_events_device ON device_events (device_mac, "timestamp" DESC);

        CREATE FUNCTION update_device_status() RETURNS trigger LANGUAGE plpgsql AS $function$
        BEGIN
            UPDATE devices
            SET status = 'active', last_activity = NEW."timestamp", connection_count = connection_count + 1,
                threat_count = threat_count + CASE WHEN NEW.threat_score >= 7 THEN 1 ELSE 0 END
            WHERE mac_address = NEW.src_mac;
            RETURN NEW;
        END
        $function$;
        CREATE FUNCTION log_device_event() RETURNS trigger LANGUAGE plpgsql AS $function$
        BEGIN
            IF TG_OP = 'INSERT' THEN
                INSERT INTO device_events (device_mac, event_type, new_value) VALUES (NEW.mac_address, 'discovered', NEW.status);
            ELSIF OLD.status IS DISTINCT FROM NEW.status THEN
                INSERT INTO device_events (device_mac, event_type, old_value, new_value)
                VALUES (NEW.mac_address, NEW.status, OLD.status, NEW.status);
            END IF;
            RETURN NEW;
        END
        $function$;
        CREATE TRIGGER trigger_update_device_status AFTER INSERT ON connections
        FOR EACH ROW EXECUTE FUNCTION update_device_status();
        CREATE TRIGGER trigger_log_device_event AFTER INSERT OR UPDATE ON devices
        FOR EACH ROW EXECUTE FUNCTION log_device_event();

        CREATE VIEW active_devices AS
        SELECT mac_address, ip_address, vendor, device_type, hostname, last_seen, connection_count, threat_count, status
        FROM devices WHERE last_seen > now() - interval '30 minutes' ORDER BY last_seen DESC;
        CREATE VIEW device_summary AS
        SELECT d.mac_address, d.ip_address, d.vendor, d.device_type, d.status, d.first_seen, d.last_seen, d.connection_count, d.threat_count,
               count(DISTINCT c.dst_ip) AS unique_destinations, max(c."timestamp") AS last_connection
        FROM devices AS d LEFT JOIN connections AS c ON c.src_mac = d.mac_address
        GROUP BY d.mac_address ORDER BY d.last_seen DESC;

        INSERT INTO schema_migrations (migration_file) VALUES ('001_initial_schema.sql');
        """;

    /// <summary>
    /// SQL that fills it: devices with their events, and connections over four months that end long ago, each with all
    /// columns. Stored past the row triggers, whose counters then are as they would be.
    /// </summary>
    /// <param name="devices">Devices.</param>
    /// <param name="connections">Connections; of one in fifty the device is not known any more.</param>
    public static string Fill(int devices, int connections) => string.Create(CultureInfo.InvariantCulture, $$"""
        ALTER TABLE connections DISABLE TRIGGER USER;
        ALTER TABLE devices DISABLE TRIGGER USER;
        INSERT INTO devices (mac_address, ip_address, vendor, device_type, hostname, first_seen, last_seen, last_activity, status, confidence_score, metadata)
        SELECT CASE i % 3 WHEN 0 THEN upper(mac) ELSE mac END,
               '10.0.0.0'::inet + i, 'vendor ' || i % 40, (ARRAY['router', 'iot', 'mobile'])[1 + i % 3], CASE WHEN i % 4 > 0 THEN 'host-' || i END,
               '2025-02-27 23:00Z'::timestamptz + i * interval '7 seconds', '2025-06-30Z'::timestamptz + i * interval '1 second', '2025-05-01Z',
               (ARRAY['discovered', 'active', 'idle', 'offline'])[1 + i % 4], (i % 11) / 10.0, jsonb_build_object('notes', 'device ' || i, 'rack', i)
        FROM generate_series(1, {{devices}}) AS i, LATERAL (SELECT '02:00:5e:00:' || regexp_replace(lpad(to_hex(i), 4, '0'), '(..)(..)', '\1:\2') AS mac) AS m;
        INSERT INTO device_events ("timestamp", device_mac, event_type, old_value, new_value, metadata)
        SELECT d.first_seen + e.n * interval '1 day', d.mac_address, (ARRAY['discovered', 'active', 'ip_changed', 'offline'])[e.n], NULL,
               CASE e.n WHEN 3 THEN host(d.ip_address) ELSE 'x' END, jsonb_build_object('n', e.n)
        FROM devices AS d, generate_series(1, 4) AS e(n);
        INSERT INTO connections ("timestamp", src_mac, src_ip, dst_ip, dst_port, protocol, dst_country, dst_lat, dst_lon, dst_org, dst_hostname, threat_score, threat_category, metadata)
        SELECT '2025-03-01Z'::timestamptz + i * (interval '115 days' / {{connections}}), CASE WHEN i % 50 > 0 THEN d.mac_address END, d.ip_address,
               '198.51.0.0'::inet + (i::bigint * 7919 % 3000), (ARRAY[443, 80, 53, 22])[1 + i % 4], CASE i % 4 WHEN 2 THEN 'UDP' ELSE 'TCP' END,
               (ARRAY['DE', 'US', 'CN', NULL])[1 + i % 4], (i % 181) - 90, (i % 361) - 180, 'organisation ' || i % 90,
               'www' || i::bigint * 7919 % 3000 || '.example', (i % 101) / 10.0, (ARRAY[NULL, 'c2', 'malware', 'proxy', 'suspicious_geo'])[1 + i % 5],
               jsonb_build_object('uid', i)
        FROM generate_series(1, {{connections}}) AS i
        JOIN (SELECT row_number() OVER (ORDER BY mac_address) - 1 AS n, mac_address, ip_address FROM devices) AS d ON d.n = i::bigint * 31 % {{devices}};
        UPDATE devices AS d
        SET connection_count = c.connections, threat_count = c.threats
        FROM (
            SELECT src_mac, count(*) AS connections, count(*) FILTER (WHERE threat_score >= 7) AS threats FROM connections GROUP BY src_mac
        ) AS c
        WHERE c.src_mac = d.mac_address;
        ALTER TABLE connections ENABLE TRIGGER USER;
        ALTER TABLE devices ENABLE TRIGGER USER;
        """);
}
