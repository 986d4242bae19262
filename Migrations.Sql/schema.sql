-- What the database is after migration 20261124000002_ThreatScoring, from the server's catalogue.
-- Written by `cobaltgraph schema`, for reading: the scripts make it. Not here: rights and indexes that depend on the
-- server, as the trigram indexes of destinations, and the single months of connections.


-- __EFMigrationsHistory
CREATE TABLE "__EFMigrationsHistory" (
    migration_id character varying(150) NOT NULL,
    product_version character varying(32) NOT NULL,
    CONSTRAINT pk___ef_migrations_history PRIMARY KEY (migration_id)
);


-- connections
-- Observed connections: append-only, one partition per month (UTC) of timestamp.
CREATE TABLE connections (
    id bigint DEFAULT nextval('connections_id_seq'::regclass) NOT NULL, -- From a sequence; gaps carry no meaning.
    "timestamp" timestamp with time zone DEFAULT now() NOT NULL, -- Event time, finite.
    src_mac macaddr, -- The device; an unseen one is created with the connection. NULL when unknown or deleted.
    src_ip inet,
    src_port integer,
    dst_ip inet NOT NULL,
    dst_port integer NOT NULL,
    protocol character varying(10) DEFAULT 'TCP'::character varying,
    dst_country character varying(2), -- ISO 3166-1 alpha-2.
    dst_lat real, -- Degrees, -90 to 90.
    dst_lon real, -- Degrees, -180 to 180.
    dst_org character varying(255),
    dst_hostname character varying(255),
    threat_score real DEFAULT 0 NOT NULL, -- 0 to 10; low < 2, medium < 4, high < 7, then critical: a threat, see threat_threshold().
    threat_category character varying(50), -- malware, c2, proxy, suspicious_geo, …
    bytes_sent bigint, -- Source to destination; NULL when unknown.
    bytes_received bigint, -- Destination to source; NULL when unknown.
    duration interval, -- NULL when unknown.
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL, -- Known keys: dns, threat (source, reason, indicator), service, state, uid. Any other key is kept.
    CONSTRAINT ck_connections_dst_lat CHECK (dst_lat >= '-90'::integer::double precision AND dst_lat <= 90::double precision),
    CONSTRAINT ck_connections_dst_lon CHECK (dst_lon >= '-180'::integer::double precision AND dst_lon <= 180::double precision),
    CONSTRAINT ck_connections_dst_port CHECK (dst_port >= 0 AND dst_port <= 65535),
    CONSTRAINT ck_connections_metadata CHECK (jsonb_typeof(metadata) = 'object'::text),
    CONSTRAINT ck_connections_src_mac CHECK ((src_mac & '01:00:00:00:00:00'::macaddr) = '00:00:00:00:00:00'::macaddr AND src_mac <> '00:00:00:00:00:00'::macaddr),
    CONSTRAINT ck_connections_src_port CHECK (src_port >= 0 AND src_port <= 65535),
    CONSTRAINT ck_connections_threat_score CHECK (threat_score >= 0::double precision AND threat_score <= 10::double precision),
    CONSTRAINT ck_connections_timestamp CHECK (isfinite("timestamp")),
    CONSTRAINT fk_connections_devices_src_mac FOREIGN KEY (src_mac) REFERENCES devices(mac_address) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT pk_connections PRIMARY KEY ("timestamp", id)
) PARTITION BY RANGE ("timestamp");
CREATE INDEX ix_connections_dst_ip_timestamp ON connections USING btree (dst_ip, "timestamp");
CREATE INDEX ix_connections_dst_port_timestamp ON connections USING btree (dst_port, "timestamp") WHERE dst_port <> 53 AND dst_port <> 80 AND dst_port <> 443;
CREATE INDEX ix_connections_metadata ON connections USING gin (metadata jsonb_path_ops) WITH (fastupdate='false');
CREATE INDEX ix_connections_src_ip_timestamp ON connections USING btree (src_ip, "timestamp") WHERE src_mac IS NULL;
CREATE INDEX ix_connections_src_mac_timestamp ON connections USING btree (src_mac, "timestamp");
CREATE INDEX ix_connections_threat_category_timestamp ON connections USING btree (threat_category, "timestamp") WHERE threat_category IS NOT NULL;
CREATE INDEX ix_connections_timestamp_threat_score ON connections USING btree ("timestamp", threat_score) WHERE threat_score >= 2::real;
CREATE TRIGGER connections_count AFTER INSERT ON connections REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION connections_count();
CREATE TRIGGER connections_count_update AFTER UPDATE ON connections REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION connections_count_update();
CREATE TRIGGER connections_refuse_rewrite AFTER UPDATE ON connections REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION connections_refuse_rewrite();
-- connections_id_seq: bigint, from 1 by 1, of connections.id


-- destinations
-- What connections ever said of a destination: one row per different combination, kept by triggers, and kept beyond the connections. Text search and rare combinations are looked up here and lead to connections by dst_ip.
CREATE TABLE destinations (
    dst_ip inet NOT NULL,
    dst_port integer NOT NULL,
    protocol character varying(10) NOT NULL, -- Empty when unknown.
    dst_country character varying(2) NOT NULL, -- ISO 3166-1 alpha-2; empty when unknown.
    dst_org character varying(255) NOT NULL, -- Empty when unknown.
    dst_hostname character varying(255) NOT NULL, -- Empty when unknown.
    CONSTRAINT pk_destinations PRIMARY KEY (dst_ip, dst_port, dst_hostname, dst_org, dst_country, protocol)
);
CREATE INDEX ix_destinations_dst_country ON destinations USING btree (dst_country);
CREATE INDEX ix_destinations_dst_port ON destinations USING btree (dst_port);


-- device_activity_hourly
-- What each device did in each hour, kept by triggers, and kept beyond the connections.
CREATE TABLE device_activity_hourly (
    src_mac macaddr NOT NULL,
    hour timestamp with time zone NOT NULL, -- Begin of the hour of the event time, UTC.
    connection_count bigint NOT NULL, -- Connections ever stored for the hour.
    threat_count bigint NOT NULL, -- Threats among them.
    max_threat_score real NOT NULL, -- Highest threat score among them.
    bytes_sent numeric NOT NULL, -- Sum; unknown sizes count as 0.
    bytes_received numeric NOT NULL, -- Sum; unknown sizes count as 0.
    destination_sketch bit(256) NOT NULL, -- A bit for the hash of each destination address: at least as many destinations as bits are set; see distinct_estimate().
    CONSTRAINT fk_device_activity_hourly_devices_src_mac FOREIGN KEY (src_mac) REFERENCES devices(mac_address) ON DELETE CASCADE,
    CONSTRAINT pk_device_activity_hourly PRIMARY KEY (src_mac, hour)
) WITH (fillfactor=80);
CREATE INDEX ix_device_activity_hourly_hour ON device_activity_hourly USING btree (hour);


-- device_addresses
-- Which device held which address, from when to when: observations no more than address_lapse() apart are one row. Kept by triggers and merge_device_sightings(); no foreign key: it outlives the device.
CREATE TABLE device_addresses (
    mac_address macaddr NOT NULL,
    ip_address inet NOT NULL,
    source character varying(10) NOT NULL, -- sighting: ARP or DHCP; update: a client set devices.ip_address; traffic: connections came from it.
    first_seen timestamp with time zone NOT NULL, -- First observation.
    last_seen timestamp with time zone NOT NULL, -- Last observation; infinity while an update still stands.
    latest_connection timestamp with time zone, -- Latest event time of the connections among them, at most that of the year 9999: beyond last_seen where a sensor's clock was ahead. NULL of sightings and updates.
    CONSTRAINT ck_device_addresses_source CHECK (source::text = ANY (ARRAY['sighting'::character varying, 'update'::character varying, 'traffic'::character varying]::text[])),
    CONSTRAINT ck_device_addresses_times CHECK (first_seen <= last_seen AND isfinite(first_seen) AND (isfinite(last_seen) OR source::text = 'update'::text)),
    CONSTRAINT pk_device_addresses PRIMARY KEY (mac_address, ip_address, source, first_seen)
) WITH (fillfactor=70);
CREATE INDEX ix_device_addresses_ip_address_first_seen ON device_addresses USING btree (ip_address, first_seen);
CREATE INDEX ix_device_addresses_mac_address ON device_addresses USING btree (mac_address) WHERE source::text <> 'traffic'::text;


-- device_destinations
-- Edges of the graph: one row per device and destination address it ever reached. Kept by the trigger on connections, and kept beyond the connections.
CREATE TABLE device_destinations (
    src_mac macaddr NOT NULL,
    dst_ip inet NOT NULL,
    first_seen timestamp with time zone NOT NULL, -- Earliest connection.
    last_seen timestamp with time zone NOT NULL, -- Latest connection, never past now().
    connection_count bigint NOT NULL, -- Connections ever stored for the pair.
    threat_count bigint NOT NULL, -- Threats ever stored for the pair.
    max_threat_score real NOT NULL, -- Highest threat score ever stored for the pair.
    CONSTRAINT fk_device_destinations_devices_src_mac FOREIGN KEY (src_mac) REFERENCES devices(mac_address) ON DELETE CASCADE,
    CONSTRAINT pk_device_destinations PRIMARY KEY (src_mac, dst_ip)
) WITH (fillfactor=80);
CREATE INDEX ix_device_destinations_dst_ip ON device_destinations USING btree (dst_ip);
CREATE INDEX ix_device_destinations_first_seen ON device_destinations USING btree (first_seen);


-- device_events
-- Immutable trail of device events; UPDATE, DELETE and TRUNCATE are refused.
CREATE TABLE device_events (
    id bigint DEFAULT nextval('device_events_id_seq'::regclass) NOT NULL, -- From a sequence; gaps carry no meaning.
    "timestamp" timestamp with time zone DEFAULT now() NOT NULL, -- When it was recorded.
    device_mac macaddr NOT NULL, -- No foreign key: the trail outlives its device.
    event_type character varying(50) NOT NULL,
    old_value text, -- Old status or address.
    new_value text, -- New status or address; for threat_detected the destination address.
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT ck_device_events_event_type CHECK (event_type::text = ANY (ARRAY['discovered'::character varying, 'active'::character varying, 'idle'::character varying, 'offline'::character varying, 'ip_changed'::character varying, 'threat_detected'::character varying, 'removed'::character varying]::text[])),
    CONSTRAINT pk_device_events PRIMARY KEY (id)
);
CREATE INDEX ix_device_events_device_mac_timestamp ON device_events USING btree (device_mac, "timestamp");
CREATE INDEX ix_device_events_event_type_timestamp ON device_events USING btree (event_type, "timestamp");
CREATE INDEX ix_device_events_timestamp ON device_events USING btree ("timestamp");
CREATE TRIGGER device_events_refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON device_events FOR EACH STATEMENT EXECUTE FUNCTION device_events_refuse_change();
-- device_events_id_seq: bigint, from 1 by 1, of device_events.id


-- device_sightings
-- What sightings say of a device, and as of when: one row per device that was ever sighted. Kept by merge_device_sightings(), which tells by these times what is stored late from news.
CREATE TABLE device_sightings (
    mac_address macaddr NOT NULL,
    ipv4 inet, -- IPv4 address seen last.
    ipv4_seen_at timestamp with time zone, -- When ipv4 was last seen, never past now().
    ipv6 inet, -- IPv6 address seen last.
    ipv6_seen_at timestamp with time zone, -- When ipv6 was last seen, never past now().
    hostname_seen_at timestamp with time zone, -- When a sighting last told the device's hostname.
    vendor_seen_at timestamp with time zone, -- When a sighting last told the device's vendor.
    device_type_seen_at timestamp with time zone, -- When a sighting last told the device's type.
    source character varying(50), -- What saw the device last: arp, dhcp, …
    source_seen_at timestamp with time zone, -- When source last saw the device.
    created_by_sighting boolean NOT NULL, -- Whether a sighting created the device: until its first connection, its last_activity moves with last_seen.
    confidence_seen_at timestamp with time zone, -- When a sighting last told the device's confidence_score.
    metadata_seen_at jsonb, -- When a sighting last told each key of the device's metadata: key and time, UTC.
    CONSTRAINT ck_device_sightings_ipv4 CHECK (family(ipv4) = 4),
    CONSTRAINT ck_device_sightings_ipv6 CHECK (family(ipv6) = 6),
    CONSTRAINT fk_device_sightings_devices_mac_address FOREIGN KEY (mac_address) REFERENCES devices(mac_address) ON DELETE CASCADE,
    CONSTRAINT pk_device_sightings PRIMARY KEY (mac_address)
) WITH (fillfactor=70);


-- device_threat_counts
-- Connections per device and threat category, kept by triggers, and kept beyond the connections.
CREATE TABLE device_threat_counts (
    src_mac macaddr NOT NULL,
    threat_category character varying(50) NOT NULL,
    connection_count bigint NOT NULL, -- Connections ever stored for the pair, whatever their score.
    CONSTRAINT fk_device_threat_counts_devices_src_mac FOREIGN KEY (src_mac) REFERENCES devices(mac_address) ON DELETE CASCADE,
    CONSTRAINT pk_device_threat_counts PRIMARY KEY (src_mac, threat_category)
) WITH (fillfactor=70);


-- devices
-- One row per network device, keyed by MAC address.
CREATE TABLE devices (
    mac_address macaddr NOT NULL, -- Unicast and not all-zero; never changed.
    ip_address inet, -- Current primary address; a change writes an ip_changed event.
    vendor character varying(255), -- Manufacturer from the OUI registry.
    device_type character varying(50), -- router, desktop, mobile, iot, server, … or unknown.
    hostname character varying(255),
    first_seen timestamp with time zone DEFAULT now() NOT NULL, -- First time seen by ARP or traffic; only moves back.
    last_seen timestamp with time zone DEFAULT now() NOT NULL, -- Last time seen by ARP or traffic; only moves forward, never past now().
    last_activity timestamp with time zone DEFAULT now() NOT NULL, -- Last traffic; only moves forward, never past now().
    status character varying(20) DEFAULT 'discovered'::character varying NOT NULL, -- discovered, active (seen < 30 min ago), idle (30 to 60 min), offline; see sweep_device_status().
    confidence_score real DEFAULT 0 NOT NULL, -- How sure vendor and type are, 0 to 1.
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL, -- Known keys: notes, tags, custom. Any other key is kept.
    connection_count bigint DEFAULT 0 NOT NULL, -- Connections ever stored for the device; kept by triggers, retention does not lower it.
    threat_count bigint DEFAULT 0 NOT NULL, -- Threats ever stored for the device; kept by triggers, retention does not lower it.
    is_locally_administered boolean GENERATED ALWAYS AS (((mac_address & '02:00:00:00:00:00'::macaddr) <> '00:00:00:00:00:00'::macaddr)) STORED NOT NULL, -- U/L bit of the MAC address: set on randomised addresses.
    last_connection timestamp with time zone, -- Latest connection, never past now(); NULL without one; kept by triggers.
    last_threat timestamp with time zone, -- Latest threat, never past now(); NULL without one; kept by triggers.
    max_threat_score real DEFAULT 0 NOT NULL, -- Highest threat score ever stored for the device; kept by triggers.
    threat_score bigint DEFAULT 0 NOT NULL, -- Sum over the connections of threat_category_weight(); kept by triggers, retention does not lower it.
    unique_destinations bigint DEFAULT 0 NOT NULL, -- Destination addresses ever reached: rows of device_destinations; kept by triggers.
    CONSTRAINT ck_devices_confidence_score CHECK (confidence_score >= 0::double precision AND confidence_score <= 1::double precision),
    CONSTRAINT ck_devices_mac_address CHECK ((mac_address & '01:00:00:00:00:00'::macaddr) = '00:00:00:00:00:00'::macaddr AND mac_address <> '00:00:00:00:00:00'::macaddr),
    CONSTRAINT ck_devices_metadata CHECK (jsonb_typeof(metadata) = 'object'::text),
    CONSTRAINT ck_devices_status CHECK (status::text = ANY (ARRAY['discovered'::character varying, 'active'::character varying, 'idle'::character varying, 'offline'::character varying]::text[])),
    CONSTRAINT ck_devices_times CHECK (isfinite(first_seen) AND isfinite(last_seen) AND isfinite(last_activity)),
    CONSTRAINT pk_devices PRIMARY KEY (mac_address)
) WITH (fillfactor=20);
CREATE INDEX ix_devices_ip_address ON devices USING btree (ip_address);
CREATE INDEX ix_devices_status ON devices USING btree (status);
CREATE TRIGGER devices_keep_times_insert BEFORE INSERT ON devices FOR EACH ROW WHEN ((new.first_seen <= new.last_seen AND new.first_seen <= new.last_activity AND new.last_seen <= now() AND new.last_activity <= now()) IS NOT TRUE) EXECUTE FUNCTION devices_keep_times();
CREATE TRIGGER devices_keep_times_update BEFORE UPDATE ON devices FOR EACH ROW WHEN ((new.mac_address = old.mac_address AND new.first_seen <= old.first_seen AND new.last_seen >= old.last_seen AND new.last_activity >= old.last_activity AND new.first_seen <= new.last_seen AND new.first_seen <= new.last_activity AND new.last_seen <= now() AND new.last_activity <= now()) IS NOT TRUE) EXECUTE FUNCTION devices_keep_times();
CREATE TRIGGER devices_log_delete AFTER DELETE ON devices REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION devices_log_delete();
CREATE TRIGGER devices_log_insert AFTER INSERT ON devices REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION devices_log_insert();
CREATE TRIGGER devices_log_truncate BEFORE TRUNCATE ON devices FOR EACH STATEMENT EXECUTE FUNCTION devices_log_truncate();
CREATE TRIGGER devices_log_update AFTER UPDATE ON devices REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION devices_log_update();


-- ingest_batches
-- Ledger of bulk loads, written in the transaction that stores the rows: a repeated batch is a no-op.
CREATE TABLE ingest_batches (
    source text NOT NULL, -- Sensor or file that delivered the batch.
    batch_key text NOT NULL, -- The batch within its source.
    content_hash bytea, -- SHA-256 of the batch's content, followed by four bytes for each line where it comes from a file: the same key with other content is a conflict. NULL when its writer gave none.
    rows_read bigint DEFAULT 0 NOT NULL,
    rows_stored bigint DEFAULT 0 NOT NULL,
    rows_duplicate bigint DEFAULT 0 NOT NULL,
    rows_rejected bigint DEFAULT 0 NOT NULL,
    first_event_at timestamp with time zone, -- Earliest event time in the batch.
    last_event_at timestamp with time zone, -- Latest event time in the batch.
    committed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT pk_ingest_batches PRIMARY KEY (source, batch_key)
);
CREATE INDEX ix_ingest_batches_committed_at ON ingest_batches USING btree (committed_at);


-- connections_default
CREATE TABLE connections_default PARTITION OF connections DEFAULT;


-- active_devices
-- Devices seen in the last 30 minutes.
CREATE OR REPLACE VIEW active_devices AS
 SELECT mac_address,
    ip_address,
    vendor,
    device_type,
    hostname,
    last_seen,
    connection_count,
    threat_count,
    status
   FROM devices
  WHERE last_seen > (now() - '00:30:00'::interval);


-- address_conflicts
-- Two devices that claimed one address at a time, by sightings or updates, and from when to when both did; until is infinity while both updates stand.
CREATE OR REPLACE VIEW address_conflicts AS
 SELECT ip_address,
    mac_address_a,
    mac_address_b,
    min(from_at) AS "from",
    max(until_at) AS until
   FROM ( SELECT s.ip_address,
            s.mac_address_a,
            s.mac_address_b,
            s.from_at,
            s.until_at,
            count(*) FILTER (WHERE s.starts) OVER (PARTITION BY s.ip_address, s.mac_address_a, s.mac_address_b ORDER BY s.from_at ROWS UNBOUNDED PRECEDING) AS run
           FROM ( SELECT o.ip_address,
                    o.mac_address_a,
                    o.mac_address_b,
                    o.from_at,
                    o.until_at,
                    o.from_at > max(o.until_at) OVER (PARTITION BY o.ip_address, o.mac_address_a, o.mac_address_b ORDER BY o.from_at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS starts
                   FROM ( SELECT a.ip_address,
                            a.mac_address AS mac_address_a,
                            b.mac_address AS mac_address_b,
                            GREATEST(a.first_seen, b.first_seen) AS from_at,
                            LEAST(a.last_seen, b.last_seen) AS until_at
                           FROM device_addresses a
                             JOIN device_addresses b ON b.ip_address = a.ip_address AND b.mac_address > a.mac_address AND b.first_seen <= a.last_seen AND b.last_seen >= a.first_seen
                          WHERE (a.source::text = ANY (ARRAY['sighting'::text, 'update'::text])) AND (b.source::text = ANY (ARRAY['sighting'::text, 'update'::text]))) o) s) r
  GROUP BY ip_address, mac_address_a, mac_address_b, run;


-- device_summary
-- Every device with its totals; reads devices only.
CREATE OR REPLACE VIEW device_summary AS
 SELECT mac_address,
    ip_address,
    vendor,
    device_type,
    status,
    first_seen,
    last_seen,
    connection_count,
    threat_count,
    unique_destinations,
    last_connection
   FROM devices;


-- device_threats
-- Every device with its connections by threat category, threat score and level, highest single score and last threat; reads devices and device_threat_counts only.
CREATE OR REPLACE VIEW device_threats AS
 SELECT mac_address,
    malware_count,
    c2_count,
    suspicious_geo_count,
    proxy_count,
    other_count,
    threat_score,
        CASE
            WHEN threat_score < 5 THEN 'low'::text
            WHEN threat_score < 20 THEN 'medium'::text
            ELSE 'high'::text
        END AS threat_level,
    max_threat_score,
    threat_count,
    last_threat
   FROM ( SELECT d.mac_address,
            COALESCE(c.malware, 0::bigint) AS malware_count,
            COALESCE(c.c2, 0::bigint) AS c2_count,
            COALESCE(c.suspicious_geo, 0::bigint) AS suspicious_geo_count,
            COALESCE(c.proxy, 0::bigint) AS proxy_count,
            COALESCE(c.other, 0::bigint) AS other_count,
            d.threat_score,
            d.max_threat_score,
            d.threat_count,
            d.last_threat
           FROM devices d
             LEFT JOIN ( SELECT k.src_mac,
                    sum(k.connection_count) FILTER (WHERE k.threat_category::text = 'malware'::text)::bigint AS malware,
                    sum(k.connection_count) FILTER (WHERE k.threat_category::text = 'c2'::text)::bigint AS c2,
                    sum(k.connection_count) FILTER (WHERE k.threat_category::text = 'suspicious_geo'::text)::bigint AS suspicious_geo,
                    sum(k.connection_count) FILTER (WHERE k.threat_category::text = 'proxy'::text)::bigint AS proxy,
                    sum(k.connection_count) FILTER (WHERE k.threat_category::text <> ALL (ARRAY['malware'::text, 'c2'::text, 'suspicious_geo'::text, 'proxy'::text]))::bigint AS other
                   FROM device_threat_counts k
                  GROUP BY k.src_mac) c ON c.src_mac = d.mac_address) s;


-- Functions: the file of each holds its body and its reasons.

-- address_claims(p_macs macaddr[], p_families integer[], p_live_after timestamp with time zone[])
--     returns device_addresses[]
--     plpgsql, VOLATILE, SECURITY DEFINER, PARALLEL UNSAFE, enable_bitmapscan=off; enable_hashjoin=off; enable_material=off; enable_mergejoin=off; enable_seqscan=off; jit=off; plan_cache_mode=force_generic_plan; search_path=<schema>, pg_temp
--     for its owner
--     Migrations.Sql/objects/functions/address_claims.v01.sql
--     Addresses of the given families that sightings say the devices held, last seen at the given time or later (NULL: at any), and those that a client set and that still stand.

-- address_lapse()
--     returns interval
--     sql, IMMUTABLE, SECURITY INVOKER, PARALLEL SAFE, search_path=<schema>, pg_temp
--     for everyone
--     Migrations.Sql/objects/functions/address_lapse.v01.sql
--     How long an address counts as held after it was last seen: observations no farther apart are one row of device_addresses.

-- connections_count()
--     returns trigger
--     plpgsql, VOLATILE, SECURITY DEFINER, PARALLEL UNSAFE, search_path=<schema>, pg_temp
--     for its owner
--     Migrations.Sql/objects/functions/connections_count.v02.sql
--     Trigger on connections: creates unseen devices, keeps counters, times, status, device_destinations, device_activity_hourly, device_threat_counts, device_addresses and destinations, writes threat_detected once per device and destination. Locks devices in MAC order.

-- connections_count_update()
--     returns trigger
--     plpgsql, VOLATILE, SECURITY DEFINER, PARALLEL UNSAFE, enable_nestloop=off; jit=off; search_path=<schema>, pg_temp
--     for its owner
--     Migrations.Sql/objects/functions/connections_count_update.v01.sql
--     Trigger on connections: what was derived from columns that may be enriched follows them.

-- connections_refuse_rewrite()
--     returns trigger
--     plpgsql, VOLATILE, SECURITY DEFINER, PARALLEL UNSAFE, enable_nestloop=off; jit=off; search_path=<schema>, pg_temp
--     for its owner
--     Migrations.Sql/objects/functions/connections_refuse_rewrite.v02.sql
--     Trigger on connections: refuses changes to the columns that counters, edges and events were derived from.

-- device_events_refuse_change()
--     returns trigger
--     plpgsql, VOLATILE, SECURITY INVOKER, PARALLEL UNSAFE, search_path=<schema>, pg_temp
--     for its owner
--     Migrations.Sql/objects/functions/device_events_refuse_change.v01.sql
--     Trigger on device_events: refuses UPDATE, DELETE and TRUNCATE for every role.

-- devices_keep_times()
--     returns trigger
--     plpgsql, VOLATILE, SECURITY INVOKER, PARALLEL UNSAFE, search_path=<schema>, pg_temp
--     for its owner
--     Migrations.Sql/objects/functions/devices_keep_times.v01.sql
--     Trigger on devices: last_seen and last_activity only grow, first_seen only shrinks, none passes now().

-- devices_log_delete()
--     returns trigger
--     plpgsql, VOLATILE, SECURITY DEFINER, PARALLEL UNSAFE, search_path=<schema>, pg_temp
--     for its owner
--     Migrations.Sql/objects/functions/devices_log_delete.v02.sql
--     Trigger on devices: writes a removed event for each deleted device, with what was known of it, and ends in device_addresses what clients said of its address.

-- devices_log_insert()
--     returns trigger
--     plpgsql, VOLATILE, SECURITY DEFINER, PARALLEL UNSAFE, search_path=<schema>, pg_temp
--     for its owner
--     Migrations.Sql/objects/functions/devices_log_insert.v02.sql
--     Trigger on devices: writes one discovered event for each new device, and begins an update in device_addresses for its address.

-- devices_log_truncate()
--     returns trigger
--     plpgsql, VOLATILE, SECURITY DEFINER, PARALLEL UNSAFE, search_path=<schema>, pg_temp
--     for its owner
--     Migrations.Sql/objects/functions/devices_log_truncate.v02.sql
--     Trigger on devices: writes a removed event for each device before a TRUNCATE, and ends in device_addresses what clients said of their addresses.

-- devices_log_update()
--     returns trigger
--     plpgsql, VOLATILE, SECURITY DEFINER, PARALLEL UNSAFE, enable_nestloop=off; jit=off; search_path=<schema>, pg_temp
--     for its owner
--     Migrations.Sql/objects/functions/devices_log_update.v02.sql
--     Trigger on devices: writes active, idle, offline and ip_changed events, one for each real change, and keeps in device_addresses which address clients said.

-- distinct_estimate(p_sketch bit)
--     returns bigint
--     sql, IMMUTABLE, SECURITY INVOKER, PARALLEL SAFE, search_path=<schema>, pg_temp
--     for everyone
--     Migrations.Sql/objects/functions/distinct_estimate.v01.sql
--     How many different values likely set the bits of a sketch, such as device_activity_hourly.destination_sketch; at least the bits set.

-- drop_connection_partitions(p_before timestamp with time zone)
--     returns SETOF text
--     plpgsql, VOLATILE, SECURITY DEFINER, PARALLEL UNSAFE, DateStyle=ISO; TimeZone=UTC; search_path=<schema>, pg_temp
--     for its owner
--     Migrations.Sql/objects/functions/drop_connection_partitions.v01.sql
--     Drops the partitions of connections that end at or before p_before, oldest first, and returns their names; the default partition stays, and so does all that was derived from the rows: counters, edges, hours and events.

-- ensure_connection_partitions(p_from timestamp with time zone, p_to timestamp with time zone)
--     returns SETOF text
--     plpgsql, VOLATILE, SECURITY DEFINER, PARALLEL UNSAFE, TimeZone=UTC; search_path=<schema>, pg_temp
--     for its owner
--     Migrations.Sql/objects/functions/ensure_connection_partitions.v02.sql
--     Creates the missing monthly partitions of connections from the month of p_from to the month of p_to (UTC), moves rows that wait in the default partition into them, and returns the names of the new ones.

-- ensure_text_search()
--     returns boolean
--     plpgsql, VOLATILE, SECURITY DEFINER, PARALLEL UNSAFE, search_path=<schema>, pg_temp
--     for its owner
--     Migrations.Sql/objects/functions/ensure_text_search.v01.sql
--     Creates the trigram indexes of destinations when pg_trgm is installed, and says whether it is. Migration 002 calls it; after a later CREATE EXTENSION pg_trgm, call it again.

-- merge_device_sightings(p_macs macaddr[], p_ips inet[], p_hostnames text[], p_vendors text[], p_device_types text[], p_seen_at timestamp with time zone[], p_sources text[], OUT new_devices bigint, OUT known_devices bigint)
--     returns record
--     plpgsql, VOLATILE, SECURITY DEFINER, PARALLEL UNSAFE, search_path=<schema>, pg_temp
--     for its owner
--     Migrations.Sql/objects/functions/merge_device_sightings.v02.sql
--     merge_sightings_with_metadata() for sightings that say nothing of metadata and confidence.

-- merge_sightings_with_metadata(p_macs macaddr[], p_ips inet[], p_hostnames text[], p_vendors text[], p_device_types text[], p_seen_at timestamp with time zone[], p_sources text[], p_metadata jsonb[], p_confidence_scores real[], OUT new_devices bigint, OUT known_devices bigint)
--     returns record
--     plpgsql, VOLATILE, SECURITY DEFINER, PARALLEL UNSAFE, jit=off; plan_cache_mode=force_custom_plan; search_path=<schema>, pg_temp
--     for its owner
--     Migrations.Sql/objects/functions/merge_sightings_with_metadata.v01.sql
--     Stores sightings, one per element of the arrays; a whole array may be NULL. Unseen devices are inserted as discovered. NULL and empty text erase nothing, of several values the one seen last holds, of metadata key by key, and the primary address is, of those in its family that are still held, the one taken last. A time of NULL or in the future is now(). Returns how many devices were new and how many known.

-- record_address_updates(p_macs macaddr[], p_old_ips inet[], p_new_ips inet[], p_since timestamp with time zone[])
--     returns void
--     plpgsql, VOLATILE, SECURITY DEFINER, PARALLEL UNSAFE, enable_bitmapscan=off; enable_hashjoin=off; enable_material=off; enable_mergejoin=off; enable_nestloop=on; enable_seqscan=off; jit=off; plan_cache_mode=force_generic_plan; search_path=<schema>, pg_temp
--     for its owner
--     Migrations.Sql/objects/functions/record_address_updates.v01.sql
--     Ends in device_addresses what clients said of devices.ip_address before, and begins what they say now, since the time given or now(). Either may be NULL. For triggers on devices.

-- record_addresses(p_macs macaddr[], p_ips inet[], p_source text, p_firsts timestamp with time zone[], p_lasts timestamp with time zone[], p_latests timestamp with time zone[] DEFAULT NULL::timestamp with time zone[])
--     returns void
--     plpgsql, VOLATILE, SECURITY DEFINER, PARALLEL UNSAFE, enable_bitmapscan=off; enable_hashjoin=off; enable_material=off; enable_mergejoin=off; enable_nestloop=on; enable_seqscan=off; jit=off; plan_cache_mode=force_generic_plan; search_path=<schema>, pg_temp
--     for its owner
--     Migrations.Sql/objects/functions/record_addresses.v01.sql
--     Merges observations of addresses, one run per element of the arrays, into device_addresses; p_latests are the latest event times of connections, which may lie ahead. For triggers and functions that hold the locks of the devices.

-- sweep_device_status(p_now timestamp with time zone DEFAULT now(), OUT became_active bigint, OUT became_idle bigint, OUT became_offline bigint)
--     returns record
--     plpgsql, VOLATILE, SECURITY DEFINER, PARALLEL UNSAFE, search_path=<schema>, pg_temp
--     for its owner
--     Migrations.Sql/objects/functions/sweep_device_status.v02.sql
--     Sets the status of every device from last_seen: active below 30 minutes, idle to 60 minutes, then offline. Returns how many devices became each. Run it every minute or so; p_now is for tests, and for nobody but the owner.

-- threat_category_weight(p_category text)
--     returns integer
--     sql, IMMUTABLE, SECURITY INVOKER, PARALLEL SAFE, search_path=<schema>, pg_temp
--     for everyone
--     Migrations.Sql/objects/functions/threat_category_weight.v01.sql
--     What one connection of a threat category adds to the threat score of its device.

-- threat_threshold()
--     returns real
--     sql, IMMUTABLE, SECURITY INVOKER, PARALLEL SAFE, search_path=<schema>, pg_temp
--     for everyone
--     Migrations.Sql/objects/functions/threat_threshold.v01.sql
--     Lowest connections.threat_score that counts as a threat.
