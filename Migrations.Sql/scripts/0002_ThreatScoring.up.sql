-- CobaltGraph: 20261124000002_ThreatScoring, up.
-- Written by: cobaltgraph script --output-folder Migrations.Sql/scripts. Edit the migration instead.
--
-- Does   until its end locks out writers of connections, devices; drops index ix_connections_threat_score_timestamp;
--        alters table devices; adds columns devices.last_connection, devices.last_threat, devices.max_threat_score,
--        devices.threat_score, devices.unique_destinations, device_sightings.confidence_seen_at,
--        device_sightings.metadata_seen_at; alters column ingest_batches.content_hash; creates tables destinations,
--        device_activity_hourly, device_addresses, device_threat_counts; creates indexes
--        ix_connections_dst_port_timestamp, ix_connections_metadata, ix_connections_src_ip_timestamp,
--        ix_connections_threat_category_timestamp, ix_connections_timestamp_threat_score,
--        ix_device_events_event_type_timestamp, ix_device_destinations_first_seen, ix_destinations_dst_country,
--        ix_destinations_dst_port, ix_device_activity_hourly_hour, ix_device_addresses_ip_address_first_seen,
--        ix_device_addresses_mac_address; creates or replaces functions threat_category_weight, distinct_estimate,
--        ensure_text_search, ensure_connection_partitions, drop_connection_partitions, sweep_device_status,
--        address_lapse, record_addresses, record_address_updates, address_claims, devices_log_insert,
--        devices_log_update, devices_log_delete, devices_log_truncate, merge_sightings_with_metadata,
--        merge_device_sightings, connections_count, connections_refuse_rewrite, connections_count_update; creates or
--        replaces trigger connections_count_update; creates or replaces views device_summary, device_threats,
--        address_conflicts; writes rows of devices, device_threat_counts, device_activity_hourly, destinations,
--        device_addresses; adds primary keys pk_destinations, pk_device_activity_hourly, pk_device_addresses,
--        pk_device_threat_counts; adds foreign keys fk_device_activity_hourly_devices_src_mac,
--        fk_device_threat_counts_devices_src_mac; calls ensure_text_search.
-- Needs  PostgreSQL 12 or later, psql 11 or later, a database in UTF8. The role that owns the site's tables; no
--        superuser. 20261124000001_DeviceInventory and no later migration.
-- Run    psql -X -v schema=SITE -f 0002_ThreatScoring.up.sql "host=... dbname=... user=..."
--        Without schema=, the first schema of the search path is the site. -v lock_timeout= and -v statement_timeout=
--        replace 5s and 30min; 0 is none.
-- Ends   One transaction: all of it or nothing. Where the migration is applied already, nothing is done. Where
--        connections is large, 0002_ThreatScoring.prepare.sql before it makes it short.

\set ON_ERROR_STOP on
\if :{?lock_timeout}
\else
\set lock_timeout 5s
\endif
\if :{?statement_timeout}
\else
\set statement_timeout 30min
\endif

START TRANSACTION;
SELECT pg_catalog.current_setting('search_path') AS cobaltgraph_search_path \gset
\if :{?schema}
SET search_path = :"schema";
\endif
SET LOCAL client_encoding = 'UTF8';
SET LOCAL lock_timeout = :'lock_timeout';
SET LOCAL statement_timeout = :'statement_timeout';

DO $check$
DECLARE
    v_path text := pg_catalog.current_setting('search_path');
    v_site text := pg_catalog.current_schema();
    v_owner text;
    v_applied text[];
BEGIN
    -- Nothing that others have put into the schema is called from here.
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    IF current_setting('server_version_num')::integer < 120000 THEN
        RAISE EXCEPTION 'This server is PostgreSQL %; CobaltGraph needs 12 or later.', current_setting('server_version');
    END IF;
    IF v_site IS NULL THEN
        RAISE EXCEPTION 'The schema does not exist: search_path is %.', v_path
            USING HINT = 'Name the site''s schema with psql -v schema=, or set search_path.';
    END IF;
    IF NOT pg_try_advisory_xact_lock(1128418381, hashtext(v_site)) THEN
        RAISE EXCEPTION 'Another session is migrating schema "%".', v_site USING HINT = 'Run the script again when it is done.';
    END IF;
    IF to_regclass(format('%I.%I', v_site, '__EFMigrationsHistory')) IS NOT NULL THEN
        EXECUTE format('SELECT array_agg(migration_id::text ORDER BY migration_id COLLATE "C") FROM %I.%I', v_site, '__EFMigrationsHistory')
            INTO v_applied;
    END IF;
    v_applied := coalesce(v_applied, ARRAY[]::text[]);

    IF '20261124000002_ThreatScoring' = ANY (v_applied) THEN
        RAISE NOTICE 'Schema "%" has 20261124000002_ThreatScoring already: nothing to do.', v_site;
    ELSIF v_applied <> ARRAY['20261124000001_DeviceInventory']::text[] THEN
        RAISE EXCEPTION '20261124000002_ThreatScoring goes onto 20261124000001_DeviceInventory and no later one; schema "%" has %.',
            v_site, coalesce(nullif(array_to_string(v_applied, ', '), ''), 'no migration')
            USING HINT = 'Run the scripts in the order of their numbers, or cobaltgraph.idempotent.sql, of the newest release.';
    ELSIF NOT has_schema_privilege(current_user, v_site, 'CREATE') THEN
        RAISE EXCEPTION 'Role "%" may not create in schema "%".', current_user, v_site
            USING HINT = 'Run the script as the role that owns the schema.';
    END IF;
    PERFORM set_config('cobaltgraph.pending', ('20261124000002_ThreatScoring' <> ALL (v_applied))::text, false);
    SELECT r.rolname::text INTO v_owner
    FROM pg_namespace AS n
    JOIN pg_roles AS r ON r.oid = n.nspowner
    WHERE n.nspname = v_site
      AND NOT r.rolcanlogin AND r.rolname !~ '^pg_' AND r.rolname <> current_user
      AND NOT EXISTS (
          SELECT 1 FROM pg_catalog.pg_class AS c
          WHERE c.relnamespace = n.oid AND c.relname = '__EFMigrationsHistory' AND c.relowner <> n.nspowner);
    IF FOUND AND current_setting('cobaltgraph.pending') = 'true' THEN
        RAISE EXCEPTION 'Schema "%" belongs to role "%", and this session is "%".', v_site, v_owner, current_user
            USING HINT = format('Run it as the owner: psql -c ''SET ROLE %I'' -v schema=... -f ...', v_owner);
    END IF;
    PERFORM set_config('search_path', v_path, true);
END
$check$;
SELECT pg_catalog.current_setting('cobaltgraph.pending') AS cobaltgraph_pending \gset
\if :cobaltgraph_pending

DO $lock$
BEGIN
    LOCK TABLE connections, devices IN SHARE ROW EXCLUSIVE MODE;
END
$lock$;

DROP INDEX ix_connections_threat_score_timestamp;

ALTER TABLE devices SET (fillfactor=20);

ALTER TABLE devices ADD last_connection timestamp with time zone;
COMMENT ON COLUMN devices.last_connection IS 'Latest connection, never past now(); NULL without one; kept by triggers.';

ALTER TABLE devices ADD last_threat timestamp with time zone;
COMMENT ON COLUMN devices.last_threat IS 'Latest threat, never past now(); NULL without one; kept by triggers.';

ALTER TABLE devices ADD max_threat_score real NOT NULL DEFAULT (0);
COMMENT ON COLUMN devices.max_threat_score IS 'Highest threat score ever stored for the device; kept by triggers.';

ALTER TABLE devices ADD threat_score bigint NOT NULL DEFAULT (0);
COMMENT ON COLUMN devices.threat_score IS 'Sum over the connections of threat_category_weight(); kept by triggers, retention does not lower it.';

ALTER TABLE devices ADD unique_destinations bigint NOT NULL DEFAULT (0);
COMMENT ON COLUMN devices.unique_destinations IS 'Destination addresses ever reached: rows of device_destinations; kept by triggers.';

ALTER TABLE device_sightings ADD confidence_seen_at timestamp with time zone;
COMMENT ON COLUMN device_sightings.confidence_seen_at IS 'When a sighting last told the device''s confidence_score.';

ALTER TABLE device_sightings ADD metadata_seen_at jsonb;
COMMENT ON COLUMN device_sightings.metadata_seen_at IS 'When a sighting last told each key of the device''s metadata: key and time, UTC.';

COMMENT ON COLUMN ingest_batches.content_hash IS 'SHA-256 of the batch''s content, followed by four bytes for each line where it comes from a file: the same key with other content is a conflict. NULL when its writer gave none.';

CREATE TABLE destinations (
    dst_ip inet NOT NULL,
    dst_port integer NOT NULL,
    protocol character varying(10) NOT NULL,
    dst_country character varying(2) NOT NULL,
    dst_org character varying(255) NOT NULL,
    dst_hostname character varying(255) NOT NULL
);
COMMENT ON TABLE destinations IS 'What connections ever said of a destination: one row per different combination, kept by triggers, and kept beyond the connections. Text search and rare combinations are looked up here and lead to connections by dst_ip.';
COMMENT ON COLUMN destinations.protocol IS 'Empty when unknown.';
COMMENT ON COLUMN destinations.dst_country IS 'ISO 3166-1 alpha-2; empty when unknown.';
COMMENT ON COLUMN destinations.dst_org IS 'Empty when unknown.';
COMMENT ON COLUMN destinations.dst_hostname IS 'Empty when unknown.';

CREATE TABLE device_activity_hourly (
    src_mac macaddr NOT NULL,
    hour timestamp with time zone NOT NULL,
    connection_count bigint NOT NULL,
    threat_count bigint NOT NULL,
    max_threat_score real NOT NULL,
    bytes_sent numeric NOT NULL,
    bytes_received numeric NOT NULL,
    destination_sketch bit(256) NOT NULL
)
WITH (fillfactor=80);
COMMENT ON TABLE device_activity_hourly IS 'What each device did in each hour, kept by triggers, and kept beyond the connections.';
COMMENT ON COLUMN device_activity_hourly.hour IS 'Begin of the hour of the event time, UTC.';
COMMENT ON COLUMN device_activity_hourly.connection_count IS 'Connections ever stored for the hour.';
COMMENT ON COLUMN device_activity_hourly.threat_count IS 'Threats among them.';
COMMENT ON COLUMN device_activity_hourly.max_threat_score IS 'Highest threat score among them.';
COMMENT ON COLUMN device_activity_hourly.bytes_sent IS 'Sum; unknown sizes count as 0.';
COMMENT ON COLUMN device_activity_hourly.bytes_received IS 'Sum; unknown sizes count as 0.';
COMMENT ON COLUMN device_activity_hourly.destination_sketch IS 'A bit for the hash of each destination address: at least as many destinations as bits are set; see distinct_estimate().';

CREATE TABLE device_addresses (
    mac_address macaddr NOT NULL,
    ip_address inet NOT NULL,
    source character varying(10) NOT NULL,
    first_seen timestamp with time zone NOT NULL,
    last_seen timestamp with time zone NOT NULL,
    latest_connection timestamp with time zone,
    CONSTRAINT ck_device_addresses_source CHECK (source IN ('sighting', 'update', 'traffic')),
    CONSTRAINT ck_device_addresses_times CHECK (first_seen <= last_seen AND isfinite(first_seen) AND (isfinite(last_seen) OR source = 'update'))
)
WITH (fillfactor=70);
COMMENT ON TABLE device_addresses IS 'Which device held which address, from when to when: observations no more than address_lapse() apart are one row. Kept by triggers and merge_device_sightings(); no foreign key: it outlives the device.';
COMMENT ON COLUMN device_addresses.source IS 'sighting: ARP or DHCP; update: a client set devices.ip_address; traffic: connections came from it.';
COMMENT ON COLUMN device_addresses.first_seen IS 'First observation.';
COMMENT ON COLUMN device_addresses.last_seen IS 'Last observation; infinity while an update still stands.';
COMMENT ON COLUMN device_addresses.latest_connection IS 'Latest event time of the connections among them, at most that of the year 9999: beyond last_seen where a sensor''s clock was ahead. NULL of sightings and updates.';

CREATE TABLE device_threat_counts (
    src_mac macaddr NOT NULL,
    threat_category character varying(50) NOT NULL,
    connection_count bigint NOT NULL
)
WITH (fillfactor=70);
COMMENT ON TABLE device_threat_counts IS 'Connections per device and threat category, kept by triggers, and kept beyond the connections.';
COMMENT ON COLUMN device_threat_counts.connection_count IS 'Connections ever stored for the pair, whatever their score.';

CREATE INDEX ix_connections_dst_port_timestamp ON connections (dst_port, timestamp) WHERE dst_port <> 53 AND dst_port <> 80 AND dst_port <> 443;

CREATE INDEX ix_connections_metadata ON connections USING gin (metadata jsonb_path_ops) WITH (fastupdate=false);

CREATE INDEX ix_connections_src_ip_timestamp ON connections (src_ip, timestamp) WHERE src_mac IS NULL;

CREATE INDEX ix_connections_threat_category_timestamp ON connections (threat_category, timestamp) WHERE threat_category IS NOT NULL;

CREATE INDEX ix_connections_timestamp_threat_score ON connections (timestamp, threat_score) WHERE threat_score >= 2::real;

CREATE INDEX ix_device_events_event_type_timestamp ON device_events (event_type, timestamp);

CREATE INDEX ix_device_destinations_first_seen ON device_destinations (first_seen);

DO $pin$
BEGIN
    PERFORM set_config('cobaltgraph.search_path', current_setting('search_path'), false);
    PERFORM set_config('search_path', quote_ident(current_schema()) || ', pg_temp', false);
END
$pin$;
-- The one place in SQL where these numbers stand; DeviceThreatScale.WeightOf holds them in C#.
CREATE OR REPLACE FUNCTION threat_category_weight(p_category text)
RETURNS integer
LANGUAGE sql
IMMUTABLE
PARALLEL SAFE
SET search_path FROM CURRENT
AS $function$
    SELECT CASE p_category WHEN 'malware' THEN 10 WHEN 'c2' THEN 10 WHEN 'suspicious_geo' THEN 5 WHEN 'proxy' THEN 3 ELSE 0 END
$function$;

COMMENT ON FUNCTION threat_category_weight(text) IS
    'What one connection of a threat category adds to the threat score of its device.';

DO $unpin$
BEGIN
    PERFORM set_config('search_path', current_setting('cobaltgraph.search_path'), false);
END
$unpin$;

DO $pin$
BEGIN
    PERFORM set_config('cobaltgraph.search_path', current_setting('search_path'), false);
    PERFORM set_config('search_path', quote_ident(current_schema()) || ', pg_temp', false);
END
$pin$;
-- Linear counting: of n bits thrown at m places, the part that stays empty is about exp(-n/m).
CREATE OR REPLACE FUNCTION distinct_estimate(p_sketch bit)
RETURNS bigint
LANGUAGE sql
IMMUTABLE
PARALLEL SAFE
SET search_path FROM CURRENT
AS $function$
    SELECT greatest(
        round(-length(p_sketch) * ln(greatest(length(p_sketch) - b.bits, 1)::double precision / length(p_sketch)))::bigint,
        b.bits)
    FROM (SELECT length(replace(p_sketch::text, '0', '')) AS bits) AS b
$function$;

COMMENT ON FUNCTION distinct_estimate(bit) IS
    'How many different values likely set the bits of a sketch, such as device_activity_hourly.destination_sketch; at least the bits set.';

DO $unpin$
BEGIN
    PERFORM set_config('search_path', current_setting('cobaltgraph.search_path'), false);
END
$unpin$;

DO $pin$
BEGIN
    PERFORM set_config('cobaltgraph.search_path', current_setting('search_path'), false);
    PERFORM set_config('search_path', quote_ident(current_schema()) || ', pg_temp', false);
END
$pin$;
-- Text inside of names is found by trigrams where the extension pg_trgm is installed, in whatever schema; without it the
-- same queries read destinations as a whole, which has a row for each different destination and not for each connection.
CREATE OR REPLACE FUNCTION ensure_text_search()
RETURNS boolean
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
AS $function$
DECLARE
    v_schema name;
BEGIN
    SELECT n.nspname INTO v_schema
    FROM pg_catalog.pg_extension AS e
    JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
    WHERE e.extname = 'pg_trgm';

    IF v_schema IS NULL THEN
        RETURN false;
    END IF;

    EXECUTE pg_catalog.format(
        'CREATE INDEX IF NOT EXISTS ix_destinations_dst_hostname_trgm ON destinations USING gin (dst_hostname %I.gin_trgm_ops)', v_schema);
    EXECUTE pg_catalog.format(
        'CREATE INDEX IF NOT EXISTS ix_destinations_dst_org_trgm ON destinations USING gin (dst_org %I.gin_trgm_ops)', v_schema);
    RETURN true;
END
$function$;

REVOKE ALL ON FUNCTION ensure_text_search() FROM PUBLIC;

COMMENT ON FUNCTION ensure_text_search() IS
    'Creates the trigram indexes of destinations when pg_trgm is installed, and says whether it is. Migration 002 calls it; '
    'after a later CREATE EXTENSION pg_trgm, call it again.';

DO $unpin$
BEGIN
    PERFORM set_config('search_path', current_setting('cobaltgraph.search_path'), false);
END
$unpin$;

DO $pin$
BEGIN
    PERFORM set_config('cobaltgraph.search_path', current_setting('search_path'), false);
    PERFORM set_config('search_path', quote_ident(current_schema()) || ', pg_temp', false);
END
$pin$;
-- A writer that has routed a row to the default partition fails if a partition for that row appears before the row is
-- stored. So writers wait: connections is locked against them before anything is made, and devices, to which a partition
-- gets a foreign key. Some writers come to connections first and by its trigger to devices, others upsert a device and
-- then store its connection. So the two are tried in either order by turns, and what comes second is waited for only
-- briefly, shorter than deadlock_timeout, then all is let go and tried again: in the one order or the other everybody
-- passes. Making an empty partition takes milliseconds; moving rows out of the default partition takes as long as it takes.
-- Nothing is locked when nothing is missing. Callers under load set lock_timeout and try again.
CREATE OR REPLACE FUNCTION ensure_connection_partitions(p_from timestamptz, p_to timestamptz)
RETURNS SETOF text
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
SET timezone = 'UTC'
AS $function$
DECLARE
    v_month timestamptz;
    v_next timestamptz;
    v_name text;
    v_default regclass;
    v_locked boolean := false;
    v_alone boolean;
    v_devices_first boolean := false;
    v_lock_timeout text := current_setting('lock_timeout');
    v_deadline timestamptz := clock_timestamp() + v_lock_timeout::interval;
BEGIN
    IF p_from IS NULL OR p_to IS NULL OR NOT isfinite(p_from) OR NOT isfinite(p_to) OR p_from > p_to
       OR p_from < timestamptz '0001-01-01 00:00:00+00' OR p_to >= timestamptz '9999-12-01 00:00:00+00' THEN
        RAISE EXCEPTION 'ensure_connection_partitions: % to % is not a range of finite times from year 1 to 9999',
            coalesce(p_from::text, 'NULL'), coalesce(p_to::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;

    IF p_to > p_from + interval '100 years' THEN
        RAISE EXCEPTION 'ensure_connection_partitions: % to % asks for more than 1200 monthly partitions', p_from, p_to
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Times far from the present can stay in the default partition.';
    END IF;

    v_month := date_trunc('month', p_from);
    WHILE v_month <= p_to LOOP
        v_next := v_month + interval '1 month';
        v_name := 'connections_' || to_char(v_month, '"y"YYYY"m"MM');

        IF NOT EXISTS (
            SELECT 1
            FROM pg_catalog.pg_inherits AS i
            JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid
            WHERE i.inhparent = 'connections'::regclass::oid AND c.relname = v_name)
        THEN
            IF NOT v_locked THEN
                -- Rows of this very transaction must have passed the foreign key before a table can be attached.
                SET CONSTRAINTS fk_connections_devices_src_mac IMMEDIATE;
                LOOP
                    v_alone := false;
                    BEGIN
                        IF v_devices_first THEN
                            LOCK TABLE devices IN SHARE ROW EXCLUSIVE MODE;
                        ELSE
                            LOCK TABLE ONLY connections IN SHARE ROW EXCLUSIVE MODE;
                        END IF;
                        v_alone := true;
                        PERFORM set_config('lock_timeout', '200ms', true);
                        LOCK TABLE ONLY connections IN SHARE ROW EXCLUSIVE MODE;
                        LOCK TABLE devices IN SHARE ROW EXCLUSIVE MODE;
                        SELECT NULLIF(partdefid, 0::oid)::regclass INTO v_default
                        FROM pg_catalog.pg_partitioned_table WHERE partrelid = 'connections'::regclass::oid;
                        IF v_default IS NOT NULL THEN
                            EXECUTE pg_catalog.format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', v_default);
                        END IF;
                        PERFORM set_config('lock_timeout', v_lock_timeout, true);
                        EXIT;
                    EXCEPTION WHEN lock_not_available THEN
                        IF NOT v_alone OR (v_lock_timeout <> '0' AND clock_timestamp() > v_deadline) THEN
                            RAISE;
                        END IF;
                    END;
                    v_devices_first := NOT v_devices_first;
                    PERFORM pg_sleep(0.05::double precision + random() * 0.1::double precision);
                END LOOP;
                v_locked := true;
                -- Another session may have made partitions while this one waited.
                CONTINUE;
            END IF;

            EXECUTE pg_catalog.format(
                'CREATE TABLE %I (LIKE connections INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', v_name);
            IF v_default IS NOT NULL THEN
                EXECUTE pg_catalog.format(
                    'WITH moved AS (DELETE FROM %s WHERE "timestamp" >= %L AND "timestamp" < %L RETURNING *)
                     INSERT INTO %I SELECT * FROM moved',
                    v_default, v_month, v_next, v_name);
            END IF;
            EXECUTE pg_catalog.format('ALTER TABLE connections ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                v_name, v_month, v_next);
            EXECUTE pg_catalog.format('COMMENT ON TABLE %I IS %L', v_name,
                'Connections of ' || to_char(v_month, 'YYYY-MM') || ', UTC.');
            RETURN NEXT v_name;
        END IF;

        v_month := v_next;
    END LOOP;

    IF v_locked THEN
        SET CONSTRAINTS fk_connections_devices_src_mac DEFERRED;
    END IF;
END
$function$;

REVOKE ALL ON FUNCTION ensure_connection_partitions(timestamptz, timestamptz) FROM PUBLIC;

COMMENT ON FUNCTION ensure_connection_partitions(timestamptz, timestamptz) IS
    'Creates the missing monthly partitions of connections from the month of p_from to the month of p_to (UTC), '
    'moves rows that wait in the default partition into them, and returns the names of the new ones.';

DO $unpin$
BEGIN
    PERFORM set_config('search_path', current_setting('cobaltgraph.search_path'), false);
END
$unpin$;

DO $pin$
BEGIN
    PERFORM set_config('cobaltgraph.search_path', current_setting('search_path'), false);
    PERFORM set_config('search_path', quote_ident(current_schema()) || ', pg_temp', false);
END
$pin$;
-- Dropping a partition locks everybody out of connections, of the default partition and of itself; devices is not locked.
-- connections is waited for first: whoever comes to a partition by way of it holds it. Who reads a partition by its own
-- name may want connections next: while connections is held, the others are waited for only briefly, all of them together
-- shorter than deadlock_timeout, then all is let go and tried again. That goes for the drops too, as a partition may have
-- a foreign key of its own to any table.
-- Nothing is locked when there is nothing to drop. Callers under load set lock_timeout and try again.
-- Without CASCADE: what others have built on a partition is not ours to drop.
CREATE OR REPLACE FUNCTION drop_connection_partitions(p_before timestamptz)
RETURNS SETOF text
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
SET timezone = 'UTC'
SET datestyle = 'ISO'
AS $function$
DECLARE
    -- DEFAULT and MAXVALUE have no time in quotes. A bound names no column, so pg_get_expr needs no relation, which newer
    -- servers would lock.
    v_query CONSTANT text := $query$
        SELECT pg_catalog.array_agg(p.name ORDER BY p.upper_bound)
        FROM (
            SELECT c.oid::regclass::text AS name,
                   substring(pg_get_expr(c.relpartbound, 0::oid) FROM ' TO \(''([^'']+)''\)$')::timestamptz AS upper_bound
            FROM pg_catalog.pg_inherits AS i
            JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid
            WHERE i.inhparent = 'connections'::regclass::oid
        ) AS p
        WHERE p.upper_bound <= $1
        $query$;
    v_names text[];
    v_name text;
    v_default regclass;
    v_alone boolean;
    v_let_go timestamptz;
    v_lock_timeout text := current_setting('lock_timeout');
    v_deadline timestamptz := clock_timestamp() + v_lock_timeout::interval;
BEGIN
    IF p_before IS NULL OR NOT isfinite(p_before) OR p_before > now() THEN
        RAISE EXCEPTION 'drop_connection_partitions: % is not a finite time up to now', coalesce(p_before::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Name a time that has passed, such as now() - interval ''1 year''.';
    END IF;

    EXECUTE v_query INTO v_names USING p_before;
    IF v_names IS NULL THEN
        RETURN;
    END IF;

    -- Rows of this very transaction must have passed the foreign key before their table can be dropped.
    SET CONSTRAINTS fk_connections_devices_src_mac IMMEDIATE;
    LOOP
        v_alone := false;
        BEGIN
            LOCK TABLE ONLY connections IN ACCESS EXCLUSIVE MODE;
            v_alone := true;
            v_let_go := clock_timestamp() + interval '200 milliseconds';
            -- Another session may have dropped, attached or detached partitions while this one waited.
            EXECUTE v_query INTO v_names USING p_before;
            SELECT NULLIF(partdefid, 0::oid)::regclass INTO v_default
            FROM pg_catalog.pg_partitioned_table WHERE partrelid = 'connections'::regclass::oid;

            PERFORM set_config('lock_timeout', '200ms', true);
            IF v_default IS NOT NULL AND v_names IS NOT NULL THEN
                EXECUTE pg_catalog.format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', v_default);
            END IF;
            FOREACH v_name IN ARRAY coalesce(v_names, '{}') LOOP
                PERFORM set_config('lock_timeout',
                    greatest(extract(milliseconds FROM v_let_go - clock_timestamp())::integer, 1)::text, true);
                EXECUTE pg_catalog.format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', v_name);
            END LOOP;

            PERFORM set_config('lock_timeout', '200ms', true);
            FOREACH v_name IN ARRAY coalesce(v_names, '{}') LOOP
                EXECUTE pg_catalog.format('DROP TABLE %s', v_name);
            END LOOP;
            PERFORM set_config('lock_timeout', v_lock_timeout, true);
            EXIT;
        EXCEPTION WHEN lock_not_available THEN
            IF NOT v_alone OR (v_lock_timeout <> '0' AND clock_timestamp() > v_deadline) THEN
                RAISE;
            END IF;
        END;
        PERFORM pg_sleep(0.05::double precision + random() * 0.1::double precision);
    END LOOP;
    SET CONSTRAINTS fk_connections_devices_src_mac DEFERRED;

    RETURN QUERY SELECT n.name FROM pg_catalog.unnest(v_names) AS n(name);
END
$function$;

REVOKE ALL ON FUNCTION drop_connection_partitions(timestamptz) FROM PUBLIC;

COMMENT ON FUNCTION drop_connection_partitions(timestamptz) IS
    'Drops the partitions of connections that end at or before p_before, oldest first, and returns their names; the default '
    'partition stays, and so does all that was derived from the rows: counters, edges, hours and events.';

DO $unpin$
BEGIN
    PERFORM set_config('search_path', current_setting('cobaltgraph.search_path'), false);
END
$unpin$;

DO $pin$
BEGIN
    PERFORM set_config('cobaltgraph.search_path', current_setting('search_path'), false);
    PERFORM set_config('search_path', quote_ident(current_schema()) || ', pg_temp', false);
END
$pin$;
-- The only place where time alone changes a status. Another time than the present, which would write what never happened into the
-- trail for good, is the owner's alone to give.
CREATE OR REPLACE FUNCTION sweep_device_status(
    p_now timestamptz DEFAULT now(),
    OUT became_active bigint,
    OUT became_idle bigint,
    OUT became_offline bigint)
RETURNS record
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
AS $function$
DECLARE
    v_clock timestamptz := clock_timestamp();
    v_active_after timestamptz := p_now - interval '30 minutes';
    v_idle_after timestamptz := p_now - interval '60 minutes';
    v_macs macaddr[];
BEGIN
    IF p_now IS NULL OR NOT isfinite(p_now) THEN
        RAISE EXCEPTION 'sweep_device_status: p_now is %, expected a finite time', coalesce(p_now::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF p_now NOT BETWEEN now() - interval '1 minute' AND v_clock + interval '1 minute'
        AND NOT pg_has_role(session_user, current_user, 'MEMBER')
    THEN
        RAISE EXCEPTION 'sweep_device_status: p_now is %, which is not the present', p_now
            USING ERRCODE = 'insufficient_privilege', HINT = 'Leave it out. Only the owner may sweep for another time.';
    END IF;

    -- A last_seen ahead of the clock was stored while the clock ran ahead; the update brings it back.
    SELECT pg_catalog.array_agg(d.mac_address)
    INTO v_macs
    FROM (
        SELECT mac_address FROM devices
        WHERE last_seen > v_clock
           OR status::text <> CASE
                  WHEN last_seen > v_active_after THEN 'active'
                  WHEN last_seen >= v_idle_after THEN 'idle'
                  ELSE 'offline'
              END
        ORDER BY mac_address
        FOR NO KEY UPDATE
    ) AS d;

    WITH swept AS (
        UPDATE devices
        SET status = CASE
                WHEN last_seen > v_active_after THEN 'active'
                WHEN last_seen >= v_idle_after THEN 'idle'
                ELSE 'offline'
            END
        WHERE mac_address = ANY (v_macs)
        RETURNING status
    )
    SELECT count(*) FILTER (WHERE status::text = 'active'),
           count(*) FILTER (WHERE status::text = 'idle'),
           count(*) FILTER (WHERE status::text = 'offline')
    INTO became_active, became_idle, became_offline
    FROM swept;
END
$function$;

REVOKE ALL ON FUNCTION sweep_device_status(timestamptz) FROM PUBLIC;

COMMENT ON FUNCTION sweep_device_status(timestamptz) IS
    'Sets the status of every device from last_seen: active below 30 minutes, idle to 60 minutes, then offline. '
    'Returns how many devices became each. Run it every minute or so; p_now is for tests, and for nobody but the owner.';

DO $unpin$
BEGIN
    PERFORM set_config('search_path', current_setting('cobaltgraph.search_path'), false);
END
$unpin$;

DO $pin$
BEGIN
    PERFORM set_config('cobaltgraph.search_path', current_setting('search_path'), false);
    PERFORM set_config('search_path', quote_ident(current_schema()) || ', pg_temp', false);
END
$pin$;
-- The one place in SQL where this number stands; DeviceAddress.Lapse holds it in C#.
CREATE OR REPLACE FUNCTION address_lapse()
RETURNS interval
LANGUAGE sql
IMMUTABLE
PARALLEL SAFE
SET search_path FROM CURRENT
AS $function$
    SELECT interval '24 hours'
$function$;

COMMENT ON FUNCTION address_lapse() IS
    'How long an address counts as held after it was last seen: observations no farther apart are one row of device_addresses.';

DO $unpin$
BEGIN
    PERFORM set_config('search_path', current_setting('cobaltgraph.search_path'), false);
END
$unpin$;

DO $pin$
BEGIN
    PERFORM set_config('cobaltgraph.search_path', current_setting('search_path'), false);
    PERFORM set_config('search_path', quote_ident(current_schema()) || ', pg_temp', false);
END
$pin$;
-- A row of device_addresses is a maximal run of observations of one device, address and source that are no more than
-- address_lapse() apart. So what is stored is a function of the observations, whatever their order and batches: a late one
-- that lies between two rows makes them one. The caller holds the locks of the devices.
--   1. One statement looks up what each run touches, by key alone, whatever the caller's settings: plans that read the whole
--      table are ruled out, for here no trigger inherits the settings. An outer join, because an inner one could be turned
--      round while the table is small.
--   2. Runs and rows of a pair that touch each other become one.
--   3. Rows that begin later than what they become a part of go; they are few. The others only end later.
-- Without jit: a loop that cannot be avoided is reckoned endlessly dear then, and each call would be compiled for it.
CREATE OR REPLACE FUNCTION record_addresses(
    p_macs macaddr[],
    p_ips inet[],
    p_source text,
    p_firsts timestamptz[],
    p_lasts timestamptz[],
    p_latests timestamptz[] DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan
SET enable_nestloop = on
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_material = off
SET jit = off
AS $function$
DECLARE
    v_now timestamptz := now();
    v_lapse interval := address_lapse();
    v_absorbed bigint;
    -- runs, from and until when a row touches each, and later the rows that they touch
    r_macs macaddr[];
    r_ips inet[];
    r_firsts timestamptz[];
    r_lasts timestamptz[];
    r_latests timestamptz[];
    r_froms timestamptz[];
    r_untils timestamptz[];
    r_keys timestamptz[];
    r_ends timestamptz[];
    r_tops timestamptz[];
    -- what they become, and whether rows with a later begin are in it
    m_macs macaddr[];
    m_ips inet[];
    m_firsts timestamptz[];
    m_lasts timestamptz[];
    m_latests timestamptz[];
    m_absorbed boolean[];
BEGIN
    -- 0.0.0.0 and :: are no address; a prefix length is no part of one.
    SELECT pg_catalog.array_agg(u.mac), pg_catalog.array_agg(u.ip),
           pg_catalog.array_agg(u.first_at), pg_catalog.array_agg(u.last_at), pg_catalog.array_agg(u.latest_at),
           pg_catalog.array_agg(u.first_at - v_lapse), pg_catalog.array_agg(u.last_at + v_lapse)
    INTO r_macs, r_ips, r_firsts, r_lasts, r_latests, r_froms, r_untils
    FROM (
        SELECT a.mac, set_masklen(a.ip, CASE family(a.ip) WHEN 4 THEN 32 ELSE 128 END) AS ip,
               least(a.first_at, v_now) AS first_at, least(a.last_at, v_now) AS last_at, a.latest_at
        FROM unnest(p_macs, p_ips, p_firsts, p_lasts, p_latests) AS a(mac, ip, first_at, last_at, latest_at)
        WHERE a.mac IS NOT NULL AND a.ip IS NOT NULL AND host(a.ip) NOT IN ('0.0.0.0', '::')
    ) AS u;

    IF r_macs IS NULL THEN
        RETURN;
    END IF;

    SELECT pg_catalog.array_agg(u.mac), pg_catalog.array_agg(u.ip),
           pg_catalog.array_agg(least(u.first_at, t.first_seen)), pg_catalog.array_agg(greatest(u.last_at, t.last_seen)),
           pg_catalog.array_agg(greatest(u.latest_at, t.latest_connection)),
           pg_catalog.array_agg(t.first_seen), pg_catalog.array_agg(t.last_seen), pg_catalog.array_agg(t.latest_connection)
    INTO r_macs, r_ips, r_firsts, r_lasts, r_latests, r_keys, r_ends, r_tops
    FROM unnest(r_macs, r_ips, r_firsts, r_lasts, r_latests, r_froms, r_untils)
        AS u(mac, ip, first_at, last_at, latest_at, from_at, until_at)
    LEFT JOIN device_addresses AS t
        ON t.mac_address = u.mac AND t.ip_address = u.ip AND t.source::text = p_source
        AND t.first_seen <= u.until_at AND t.last_seen >= u.from_at;

    SELECT pg_catalog.array_agg(m.mac), pg_catalog.array_agg(m.ip),
           pg_catalog.array_agg(m.first_at), pg_catalog.array_agg(m.last_at), pg_catalog.array_agg(m.latest_at),
           pg_catalog.array_agg(m.last_key > m.first_at), count(*) FILTER (WHERE m.last_key > m.first_at)
    INTO m_macs, m_ips, m_firsts, m_lasts, m_latests, m_absorbed, v_absorbed
    FROM (
        SELECT g.mac, g.ip, min(g.key) AS key, max(g.key) AS last_key, min(g.key_end) AS key_end,
               max(g.key_top) AS key_top, min(g.first_at) AS first_at, max(g.last_at) AS last_at, max(g.latest_at) AS latest_at
        FROM (
            SELECT o.mac, o.ip, o.key, o.key_end, o.key_top, o.first_at, o.last_at, o.latest_at,
                   count(*) FILTER (WHERE o.starts) OVER (
                       PARTITION BY o.mac, o.ip ORDER BY o.first_at ROWS UNBOUNDED PRECEDING) AS run
            FROM (
                SELECT u.mac, u.ip, u.key, u.key_end, u.key_top, u.first_at, u.last_at, u.latest_at,
                       u.first_at > max(u.last_at) OVER (
                           PARTITION BY u.mac, u.ip ORDER BY u.first_at
                           ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) + v_lapse AS starts
                FROM unnest(r_macs, r_ips, r_firsts, r_lasts, r_latests, r_keys, r_ends, r_tops)
                    AS u(mac, ip, first_at, last_at, latest_at, key, key_end, key_top)
            ) AS o
        ) AS g
        GROUP BY g.mac, g.ip, g.run
    ) AS m
    WHERE m.key IS NULL OR m.last_key > m.key OR m.first_at < m.key OR m.last_at > m.key_end OR m.latest_at > m.key_top;

    IF m_macs IS NULL THEN
        RETURN;
    END IF;

    IF v_absorbed > 0 THEN
        FOR i IN 1 .. pg_catalog.cardinality(m_macs) LOOP
            IF m_absorbed[i] THEN
                DELETE FROM device_addresses AS t
                WHERE t.mac_address = m_macs[i] AND t.ip_address = m_ips[i] AND t.source::text = p_source
                  AND t.first_seen > m_firsts[i] AND t.first_seen <= m_lasts[i];
            END IF;
        END LOOP;
    END IF;

    INSERT INTO device_addresses (mac_address, ip_address, source, first_seen, last_seen, latest_connection)
    SELECT u.mac, u.ip, p_source, u.first_at, u.last_at, u.latest_at
    FROM unnest(m_macs, m_ips, m_firsts, m_lasts, m_latests) AS u(mac, ip, first_at, last_at, latest_at)
    ON CONFLICT (mac_address, ip_address, source, first_seen) DO UPDATE
    SET last_seen = excluded.last_seen,
        latest_connection = excluded.latest_connection;
END
$function$;

REVOKE ALL ON FUNCTION record_addresses(macaddr[], inet[], text, timestamptz[], timestamptz[], timestamptz[]) FROM PUBLIC;

COMMENT ON FUNCTION record_addresses(macaddr[], inet[], text, timestamptz[], timestamptz[], timestamptz[]) IS
    'Merges observations of addresses, one run per element of the arrays, into device_addresses; p_latests are the latest event times '
    'of connections, which may lie ahead. For triggers and functions that hold the locks of the devices.';

DO $unpin$
BEGIN
    PERFORM set_config('search_path', current_setting('cobaltgraph.search_path'), false);
END
$unpin$;

DO $pin$
BEGIN
    PERFORM set_config('cobaltgraph.search_path', current_setting('search_path'), false);
    PERFORM set_config('search_path', quote_ident(current_schema()) || ', pg_temp', false);
END
$pin$;
-- What a client says of devices.ip_address holds until it says something else, or until sightings move the address. Closing
-- and opening go by key, whatever the caller's settings: the trigger on updates of devices has nested loops off.
-- Without jit: a loop that cannot be avoided is reckoned endlessly dear then, and each call would be compiled for it.
CREATE OR REPLACE FUNCTION record_address_updates(p_macs macaddr[], p_old_ips inet[], p_new_ips inet[], p_since timestamptz[])
RETURNS void
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan
SET enable_nestloop = on
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_material = off
SET jit = off
AS $function$
DECLARE
    v_now timestamptz := now();
    v_macs macaddr[];
    v_ips inet[];
    v_firsts timestamptz[];
BEGIN
    SELECT pg_catalog.array_agg(set_masklen(u.ip, CASE family(u.ip) WHEN 4 THEN 32 ELSE 128 END))
    INTO v_ips
    FROM pg_catalog.unnest(p_old_ips) AS u(ip);

    SELECT pg_catalog.array_agg(u.mac), pg_catalog.array_agg(u.ip), pg_catalog.array_agg(t.first_seen)
    INTO v_macs, v_ips, v_firsts
    FROM unnest(p_macs, v_ips) AS u(mac, ip)
    LEFT JOIN device_addresses AS t
        ON t.mac_address = u.mac AND t.ip_address = u.ip AND t.source::text = 'update' AND t.last_seen = 'infinity';

    -- A transaction that began later may have opened it: then it ends where it began.
    INSERT INTO device_addresses (mac_address, ip_address, source, first_seen, last_seen)
    SELECT u.mac, u.ip, 'update', u.first_at, greatest(u.first_at, v_now)
    FROM unnest(v_macs, v_ips, v_firsts) AS u(mac, ip, first_at)
    WHERE u.first_at IS NOT NULL
    ON CONFLICT (mac_address, ip_address, source, first_seen) DO UPDATE
    SET last_seen = excluded.last_seen;

    SELECT pg_catalog.array_agg(set_masklen(u.ip, CASE family(u.ip) WHEN 4 THEN 32 ELSE 128 END))
    INTO v_ips
    FROM pg_catalog.unnest(p_new_ips) AS u(ip);

    -- Set, changed and set again in one transaction: it still has the key that it had.
    INSERT INTO device_addresses (mac_address, ip_address, source, first_seen, last_seen)
    SELECT u.mac, u.ip, 'update', least(u.since, v_now), 'infinity'
    FROM unnest(p_macs, v_ips, p_since) AS u(mac, ip, since)
    WHERE host(u.ip) NOT IN ('0.0.0.0', '::')
    ON CONFLICT (mac_address, ip_address, source, first_seen) DO UPDATE
    SET last_seen = excluded.last_seen;
END
$function$;

REVOKE ALL ON FUNCTION record_address_updates(macaddr[], inet[], inet[], timestamptz[]) FROM PUBLIC;

COMMENT ON FUNCTION record_address_updates(macaddr[], inet[], inet[], timestamptz[]) IS
    'Ends in device_addresses what clients said of devices.ip_address before, and begins what they say now, since the time given '
    'or now(). Either may be NULL. For triggers on devices.';

DO $unpin$
BEGIN
    PERFORM set_config('search_path', current_setting('cobaltgraph.search_path'), false);
END
$unpin$;

DO $pin$
BEGIN
    PERFORM set_config('cobaltgraph.search_path', current_setting('search_path'), false);
    PERFORM set_config('search_path', quote_ident(current_schema()) || ', pg_temp', false);
END
$pin$;
-- By key alone, whatever the caller's settings and however much is stored: an outer join cannot be turned round.
CREATE OR REPLACE FUNCTION address_claims(p_macs macaddr[], p_families integer[], p_live_after timestamptz[])
RETURNS device_addresses[]
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_material = off
SET jit = off
AS $function$
DECLARE
    v_claims device_addresses[];
BEGIN
    SELECT pg_catalog.array_agg(t) FILTER (WHERE t.mac_address IS NOT NULL) INTO v_claims
    FROM unnest(p_macs, p_families, p_live_after) AS u(mac, family, live_after)
    LEFT JOIN device_addresses AS t
        ON t.mac_address = u.mac AND t.source::text <> 'traffic' AND family(t.ip_address) = u.family
      AND (t.last_seen = 'infinity' OR t.source::text = 'sighting' AND (u.live_after IS NULL OR t.last_seen >= u.live_after));
    RETURN v_claims;
END
$function$;

REVOKE ALL ON FUNCTION address_claims(macaddr[], integer[], timestamptz[]) FROM PUBLIC;

COMMENT ON FUNCTION address_claims(macaddr[], integer[], timestamptz[]) IS
    'Addresses of the given families that sightings say the devices held, last seen at the given time or later (NULL: at any), '
    'and those that a client set and that still stand.';

DO $unpin$
BEGIN
    PERFORM set_config('search_path', current_setting('cobaltgraph.search_path'), false);
END
$unpin$;

DO $pin$
BEGIN
    PERFORM set_config('cobaltgraph.search_path', current_setting('search_path'), false);
    PERFORM set_config('search_path', quote_ident(current_schema()) || ', pg_temp', false);
END
$pin$;
-- An address that comes with the device is a client's word, unless sightings are being merged: these are stored as such.
CREATE OR REPLACE FUNCTION devices_log_insert()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
AS $function$
DECLARE
    v_merging boolean := coalesce(current_setting('cobaltgraph.merging', true), '') = 'on';
    v_macs macaddr[];
    v_statuses text[];
    -- those with an address
    a_macs macaddr[];
    a_ips inet[];
    a_lasts timestamptz[];
BEGIN
    SELECT pg_catalog.array_agg(n.mac_address), pg_catalog.array_agg(n.status),
           pg_catalog.array_agg(n.mac_address) FILTER (WHERE n.ip_address IS NOT NULL),
           pg_catalog.array_agg(n.ip_address) FILTER (WHERE n.ip_address IS NOT NULL),
           pg_catalog.array_agg(n.last_seen) FILTER (WHERE n.ip_address IS NOT NULL)
    INTO v_macs, v_statuses, a_macs, a_ips, a_lasts
    FROM (SELECT mac_address, status, ip_address, last_seen FROM new_rows ORDER BY mac_address) AS n;

    IF v_macs IS NULL THEN
        RETURN NULL;
    END IF;

    INSERT INTO device_events (device_mac, event_type, new_value)
    SELECT e.mac, 'discovered', e.status
    FROM unnest(v_macs, v_statuses) AS e(mac, status);

    IF a_macs IS NOT NULL AND NOT v_merging THEN
        PERFORM record_address_updates(a_macs, NULL, a_ips, a_lasts);
    END IF;

    RETURN NULL;
END
$function$;

REVOKE ALL ON FUNCTION devices_log_insert() FROM PUBLIC;

COMMENT ON FUNCTION devices_log_insert() IS
    'Trigger on devices: writes one discovered event for each new device, and begins an update in device_addresses for its address.';

DO $unpin$
BEGIN
    PERFORM set_config('search_path', current_setting('cobaltgraph.search_path'), false);
END
$unpin$;

DO $pin$
BEGIN
    PERFORM set_config('cobaltgraph.search_path', current_setting('search_path'), false);
    PERFORM set_config('search_path', quote_ident(current_schema()) || ', pg_temp', false);
END
$pin$;
-- The plan of the join is made once per session, and a first statement that updates one row would settle it on a
-- nested loop; a later one that updates many would then take quadratic time.
-- Without jit: a loop that cannot be avoided is reckoned endlessly dear then, and each call would be compiled for it.
CREATE OR REPLACE FUNCTION devices_log_update()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
SET enable_nestloop = off
SET jit = off
AS $function$
DECLARE
    v_merging boolean := coalesce(current_setting('cobaltgraph.merging', true), '') = 'on';
    v_macs macaddr[];
    v_old_statuses text[];
    v_new_statuses text[];
    v_old_ips inet[];
    v_new_ips inet[];
    -- those whose address changes
    a_macs macaddr[];
    a_old_ips inet[];
    a_new_ips inet[];
BEGIN
    SELECT pg_catalog.array_agg(n.mac_address),
           pg_catalog.array_agg(o.status::text), pg_catalog.array_agg(n.status::text),
           pg_catalog.array_agg(o.ip_address), pg_catalog.array_agg(n.ip_address)
    INTO v_macs, v_old_statuses, v_new_statuses, v_old_ips, v_new_ips
    FROM new_rows AS n
    JOIN old_rows AS o ON o.mac_address = n.mac_address
    WHERE n.status::text IS DISTINCT FROM o.status::text OR n.ip_address IS DISTINCT FROM o.ip_address;

    IF v_macs IS NULL THEN
        RETURN NULL;
    END IF;

    INSERT INTO device_events (device_mac, event_type, old_value, new_value)
    SELECT e.mac, e.event_type, e.old_value, e.new_value
    FROM (
        SELECT u.mac, 1 AS position, u.new_status AS event_type, u.old_status AS old_value, u.new_status AS new_value
        FROM unnest(v_macs, v_old_statuses, v_new_statuses) AS u(mac, old_status, new_status)
        WHERE u.new_status IS DISTINCT FROM u.old_status AND u.new_status <> 'discovered'
        UNION ALL
        SELECT u.mac, 2, 'ip_changed', abbrev(u.old_ip), abbrev(u.new_ip)
        FROM unnest(v_macs, v_old_ips, v_new_ips) AS u(mac, old_ip, new_ip)
        WHERE u.new_ip IS DISTINCT FROM u.old_ip
    ) AS e
    ORDER BY e.mac, e.position;

    -- Where sightings move the address, they end what a client said and say nothing in its place.
    SELECT pg_catalog.array_agg(u.mac), pg_catalog.array_agg(u.old_ip),
           pg_catalog.array_agg(CASE WHEN NOT v_merging THEN u.new_ip END)
    INTO a_macs, a_old_ips, a_new_ips
    FROM unnest(v_macs, v_old_ips, v_new_ips) AS u(mac, old_ip, new_ip)
    WHERE u.new_ip IS DISTINCT FROM u.old_ip;

    IF a_macs IS NOT NULL THEN
        PERFORM record_address_updates(a_macs, a_old_ips, a_new_ips, NULL);
    END IF;

    RETURN NULL;
END
$function$;

REVOKE ALL ON FUNCTION devices_log_update() FROM PUBLIC;

COMMENT ON FUNCTION devices_log_update() IS
    'Trigger on devices: writes active, idle, offline and ip_changed events, one for each real change, and keeps in '
    'device_addresses which address clients said.';

DO $unpin$
BEGIN
    PERFORM set_config('search_path', current_setting('cobaltgraph.search_path'), false);
END
$unpin$;

DO $pin$
BEGIN
    PERFORM set_config('cobaltgraph.search_path', current_setting('search_path'), false);
    PERFORM set_config('search_path', quote_ident(current_schema()) || ', pg_temp', false);
END
$pin$;
CREATE OR REPLACE FUNCTION devices_log_delete()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
AS $function$
DECLARE
    v_macs macaddr[];
    v_statuses text[];
    v_ips inet[];
    v_details jsonb[];
BEGIN
    SELECT pg_catalog.array_agg(o.mac_address), pg_catalog.array_agg(o.status), pg_catalog.array_agg(o.ip_address),
           pg_catalog.array_agg(o.detail)
    INTO v_macs, v_statuses, v_ips, v_details
    FROM (
        SELECT mac_address, status, ip_address, pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
            'ip_address', abbrev(ip_address), 'hostname', hostname, 'vendor', vendor)) AS detail
        FROM old_rows
        ORDER BY mac_address
    ) AS o;

    IF v_macs IS NULL THEN
        RETURN NULL;
    END IF;

    INSERT INTO device_events (device_mac, event_type, old_value, metadata)
    SELECT e.mac, 'removed', e.status, e.detail
    FROM unnest(v_macs, v_statuses, v_details) AS e(mac, status, detail);

    PERFORM record_address_updates(v_macs, v_ips, NULL, NULL);
    RETURN NULL;
END
$function$;

REVOKE ALL ON FUNCTION devices_log_delete() FROM PUBLIC;

COMMENT ON FUNCTION devices_log_delete() IS
    'Trigger on devices: writes a removed event for each deleted device, with what was known of it, and ends in device_addresses '
    'what clients said of its address.';

DO $unpin$
BEGIN
    PERFORM set_config('search_path', current_setting('cobaltgraph.search_path'), false);
END
$unpin$;

DO $pin$
BEGIN
    PERFORM set_config('cobaltgraph.search_path', current_setting('search_path'), false);
    PERFORM set_config('search_path', quote_ident(current_schema()) || ', pg_temp', false);
END
$pin$;
-- TRUNCATE has no transition table and would take devices away without a trace.
CREATE OR REPLACE FUNCTION devices_log_truncate()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
AS $function$
DECLARE
    v_now timestamptz := now();
BEGIN
    INSERT INTO device_events (device_mac, event_type, old_value, metadata)
    SELECT mac_address, 'removed', status, pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
        'ip_address', abbrev(ip_address), 'hostname', hostname, 'vendor', vendor))
    FROM devices
    ORDER BY mac_address;

    UPDATE device_addresses
    SET last_seen = greatest(first_seen, v_now)
    WHERE source::text = 'update' AND last_seen = 'infinity';
    RETURN NULL;
END
$function$;

REVOKE ALL ON FUNCTION devices_log_truncate() FROM PUBLIC;

COMMENT ON FUNCTION devices_log_truncate() IS
    'Trigger on devices: writes a removed event for each device before a TRUNCATE, and ends in device_addresses what clients said '
    'of their addresses.';

DO $unpin$
BEGIN
    PERFORM set_config('search_path', current_setting('cobaltgraph.search_path'), false);
END
$unpin$;

DO $pin$
BEGIN
    PERFORM set_config('cobaltgraph.search_path', current_setting('search_path'), false);
    PERFORM set_config('search_path', quote_ident(current_schema()) || ', pg_temp', false);
END
$pin$;
-- What sensors saw of devices becomes what is known of them, as if the sightings had been stored one by one in the order
-- of their times: the result depends neither on their real order nor on batches or the number of writers. Two things
-- do: the primary address stays in the family that it has, and a device without one gets that of its earliest address
-- in the call; and an address that a client set holds until sightings claim another one from later on, and not again after.
-- Within its family the primary address is, of those that are held, the one that was taken last: an address is held until
-- address_lapse() after it was last seen, counted back from when any of the device was. So a device that shows now one, now
-- another of the addresses that it holds moves nothing.
--   1. One SELECT makes one entry per device: of each attribute the newest value, of equally new ones the greatest.
--   2. One statement locks the devices, in MAC order as writers of connections and the sweep do, so that nobody
--      deadlocks. Where some are unseen it inserts them on the way; it updates nothing, and so returns the inserted only.
--   3. Observations of addresses are stored in rounds. Only the first of a round can move the primary address, so that it
--      moves, with an event each, as often as if they had been stored one by one; for nearly every call that is one round.
--   4. In the first round one statement compares with what is known and writes down what changes; others move addresses.
--   5. Where sightings say something of metadata or confidence, two statements do the same for these, key by key. A JSON
--      null is a value only where none is known. The texts of values decide, for 1.0 and 1.00 are one to jsonb.
-- Only traffic and the sweep change a status: a sighting does not.
-- It is a function of a name of its own: with two more arguments merge_device_sightings would be two functions where one schema
-- has the former, and another one, later in the same search_path, the latter.
CREATE OR REPLACE FUNCTION merge_sightings_with_metadata(
    p_macs macaddr[],
    p_ips inet[],
    p_hostnames text[],
    p_vendors text[],
    p_device_types text[],
    p_seen_at timestamptz[],
    p_sources text[],
    p_metadata jsonb[],
    p_confidence_scores real[],
    OUT new_devices bigint,
    OUT known_devices bigint)
RETURNS record
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
SET plan_cache_mode = force_custom_plan
SET jit = off
AS $function$
DECLARE
    v_now timestamptz := now();
    v_lapse interval := address_lapse();
    v_lapse_seconds double precision := extract(epoch FROM v_lapse);
    v_several boolean;
    v_problem text;
    -- one entry per device: what its sightings say; a time that is missing is the last one
    d_macs macaddr[];
    d_firsts timestamptz[];
    d_lasts timestamptz[];
    d_ipv4s inet[];
    d_ipv4_ats timestamptz[];
    d_ipv6s inet[];
    d_ipv6_ats timestamptz[];
    d_families integer[];
    d_hostnames text[];
    d_hostname_ats timestamptz[];
    d_vendors text[];
    d_vendor_ats timestamptz[];
    d_types text[];
    d_type_ats timestamptz[];
    d_sources text[];
    d_source_ats timestamptz[];
    -- those of them that are new, and those that are locked
    n_macs macaddr[];
    l_macs macaddr[];
    -- observations of addresses: in the order of their times where a device has several
    o_macs macaddr[];
    o_families integer[];
    o_ips inet[];
    o_ats timestamptz[];
    o_rounds integer[];
    -- devices with an observation in the family of their primary address, and when one of it was last seen before
    f_macs macaddr[];
    f_families integer[];
    f_lasts timestamptz[];
    -- of a round: devices, and where they are reached from it on
    r_macs macaddr[];
    r_families integer[];
    r_lives timestamptz[];
    i_macs macaddr[];
    i_ips inet[];
    v_claims device_addresses[];
    -- what changes of metadata and confidence, and of when they were seen; NULL where nothing does
    s_macs macaddr[];
    s_changes jsonb[];
    s_times jsonb[];
    s_scores real[];
    s_score_ats timestamptz[];
BEGIN
    SELECT a.name || ' has ' || a.length::text || ' elements, p_macs has ' || coalesce(pg_catalog.cardinality(p_macs), 0)::text
    INTO v_problem
    FROM (VALUES
        ('p_ips', pg_catalog.cardinality(p_ips)),
        ('p_hostnames', pg_catalog.cardinality(p_hostnames)),
        ('p_vendors', pg_catalog.cardinality(p_vendors)),
        ('p_device_types', pg_catalog.cardinality(p_device_types)),
        ('p_seen_at', pg_catalog.cardinality(p_seen_at)),
        ('p_sources', pg_catalog.cardinality(p_sources)),
        ('p_metadata', pg_catalog.cardinality(p_metadata)),
        ('p_confidence_scores', pg_catalog.cardinality(p_confidence_scores))) AS a(name, length)
    WHERE a.length <> coalesce(pg_catalog.cardinality(p_macs), 0)
    LIMIT 1;

    IF v_problem IS NOT NULL THEN
        RAISE EXCEPTION 'merging sightings: %', v_problem
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Every array has one element for each sighting, or is NULL as a whole.';
    END IF;

    SELECT CASE
            WHEN u.mac IS NULL THEN 'p_macs[' || u.position::text || '] is NULL, expected a MAC address'
            ELSE 'p_seen_at[' || u.position::text || '] is ' || u.seen_at::text || ', expected a finite time, or NULL for now'
        END
    INTO v_problem
    FROM unnest(p_macs, p_seen_at) WITH ORDINALITY AS u(mac, seen_at, position)
    WHERE u.mac IS NULL OR NOT isfinite(u.seen_at)
    ORDER BY u.position
    LIMIT 1;

    IF v_problem IS NOT NULL THEN
        RAISE EXCEPTION 'merging sightings: %', v_problem
            USING ERRCODE = 'invalid_parameter_value';
    END IF;

    IF p_metadata IS NOT NULL OR p_confidence_scores IS NOT NULL THEN
        SELECT CASE
                WHEN jsonb_typeof(u.metadata) <> 'object'
                THEN 'p_metadata[' || u.position::text || '] is of type ' || jsonb_typeof(u.metadata) || ', expected a JSON object, or NULL'
                ELSE 'p_confidence_scores[' || u.position::text || '] is ' || u.score::text || ', expected a number from 0 to 1, or NULL'
            END
        INTO v_problem
        FROM unnest(p_metadata, p_confidence_scores) WITH ORDINALITY AS u(metadata, score, position)
        WHERE jsonb_typeof(u.metadata) <> 'object' OR u.score NOT BETWEEN 0::real AND 1::real
        ORDER BY u.position
        LIMIT 1;

        IF v_problem IS NOT NULL THEN
            RAISE EXCEPTION 'merging sightings: %', v_problem
                USING ERRCODE = 'invalid_parameter_value';
        END IF;
    END IF;

    v_several := (SELECT pg_catalog.count(DISTINCT u.mac) FROM pg_catalog.unnest(p_macs) AS u(mac)) <> pg_catalog.cardinality(p_macs);
    IF NOT v_several THEN
        -- Nothing to compare: every time is that of the one sighting.
        SELECT pg_catalog.array_agg(g.mac), pg_catalog.array_agg(g.at),
               pg_catalog.array_agg(CASE WHEN g.family = 4 THEN g.ip END),
               pg_catalog.array_agg(CASE WHEN g.family = 6 THEN g.ip END), pg_catalog.array_agg(g.family),
               pg_catalog.array_agg(g.hostname), pg_catalog.array_agg(g.vendor),
               pg_catalog.array_agg(g.device_type), pg_catalog.array_agg(g.source),
               pg_catalog.array_agg(g.mac) FILTER (WHERE g.family IS NOT NULL),
               pg_catalog.array_agg(g.family) FILTER (WHERE g.family IS NOT NULL),
               pg_catalog.array_agg(g.ip) FILTER (WHERE g.family IS NOT NULL),
               pg_catalog.array_agg(g.at) FILTER (WHERE g.family IS NOT NULL)
        INTO d_macs, d_lasts, d_ipv4s, d_ipv6s, d_families, d_hostnames, d_vendors, d_types, d_sources,
             o_macs, o_families, o_ips, o_ats
        FROM (
            -- A device that has no address yet says 0.0.0.0 or ::.
            SELECT u.mac, least(u.seen_at, v_now) AS at, u.ip,
                   CASE WHEN u.ip <> '0.0.0.0' AND u.ip <> '::' THEN family(u.ip) END AS family,
                   nullif(u.hostname, '') AS hostname, nullif(u.vendor, '') AS vendor,
                   nullif(u.device_type, '') AS device_type, nullif(u.source, '') AS source
            FROM unnest(p_macs, p_ips, p_hostnames, p_vendors, p_device_types, p_seen_at, p_sources)
                AS u(mac, ip, hostname, vendor, device_type, seen_at, source)
        ) AS g;
    ELSE
        SELECT pg_catalog.array_agg(a.mac), pg_catalog.array_agg(a.first_at), pg_catalog.array_agg(a.last_at),
               pg_catalog.array_agg(a.ipv4), pg_catalog.array_agg(a.ipv4_at),
               pg_catalog.array_agg(a.ipv6), pg_catalog.array_agg(a.ipv6_at),
               pg_catalog.array_agg(CASE WHEN a.ipv6_first_at < a.ipv4_first_at THEN 6 ELSE a.lowest_family END),
               pg_catalog.array_agg(a.hostname), pg_catalog.array_agg(a.hostname_at),
               pg_catalog.array_agg(a.vendor), pg_catalog.array_agg(a.vendor_at),
               pg_catalog.array_agg(a.device_type), pg_catalog.array_agg(a.type_at),
               pg_catalog.array_agg(a.source), pg_catalog.array_agg(a.source_at)
        INTO d_macs, d_firsts, d_lasts, d_ipv4s, d_ipv4_ats, d_ipv6s, d_ipv6_ats, d_families,
             d_hostnames, d_hostname_ats, d_vendors, d_vendor_ats, d_types, d_type_ats, d_sources, d_source_ats
        FROM (
            SELECT n.mac, min(n.at) AS first_at, max(n.at) AS last_at, min(n.family) AS lowest_family,
                   min(n.at) FILTER (WHERE n.family = 4) AS ipv4_first_at,
                   min(n.at) FILTER (WHERE n.family = 6) AS ipv6_first_at,
                   max(n.ipv4_at) AS ipv4_at, max(n.ip) FILTER (WHERE n.family = 4 AND n.at = n.ipv4_at) AS ipv4,
                   max(n.ipv6_at) AS ipv6_at, max(n.ip) FILTER (WHERE n.family = 6 AND n.at = n.ipv6_at) AS ipv6,
                   max(n.hostname_at) AS hostname_at, max(n.hostname COLLATE "C") FILTER (WHERE n.at = n.hostname_at) AS hostname,
                   max(n.vendor_at) AS vendor_at, max(n.vendor COLLATE "C") FILTER (WHERE n.at = n.vendor_at) AS vendor,
                   max(n.type_at) AS type_at, max(n.device_type COLLATE "C") FILTER (WHERE n.at = n.type_at) AS device_type,
                   max(n.source_at) AS source_at, max(n.source COLLATE "C") FILTER (WHERE n.at = n.source_at) AS source
            FROM (
                SELECT g.mac, g.at, g.ip, g.family, g.hostname, g.vendor, g.device_type, g.source,
                       max(g.at) FILTER (WHERE g.family = 4) OVER device AS ipv4_at,
                       max(g.at) FILTER (WHERE g.family = 6) OVER device AS ipv6_at,
                       max(g.at) FILTER (WHERE g.hostname IS NOT NULL) OVER device AS hostname_at,
                       max(g.at) FILTER (WHERE g.vendor IS NOT NULL) OVER device AS vendor_at,
                       max(g.at) FILTER (WHERE g.device_type IS NOT NULL) OVER device AS type_at,
                       max(g.at) FILTER (WHERE g.source IS NOT NULL) OVER device AS source_at
                FROM (
                    -- A device that has no address yet says 0.0.0.0 or ::.
                    SELECT u.mac, least(u.seen_at, v_now) AS at, u.ip,
                           CASE WHEN u.ip <> '0.0.0.0' AND u.ip <> '::' THEN family(u.ip) END AS family,
                           nullif(u.hostname, '') AS hostname, nullif(u.vendor, '') AS vendor,
                           nullif(u.device_type, '') AS device_type, nullif(u.source, '') AS source
                    FROM unnest(p_macs, p_ips, p_hostnames, p_vendors, p_device_types, p_seen_at, p_sources)
                        AS u(mac, ip, hostname, vendor, device_type, seen_at, source)
                ) AS g
                WINDOW device AS (PARTITION BY g.mac)
            ) AS n
            GROUP BY n.mac
        ) AS a;

        SELECT pg_catalog.array_agg(o.mac), pg_catalog.array_agg(o.family), pg_catalog.array_agg(o.ip), pg_catalog.array_agg(o.at)
        INTO o_macs, o_families, o_ips, o_ats
        FROM (
            SELECT u.mac, family(u.ip) AS family, set_masklen(u.ip, CASE family(u.ip) WHEN 4 THEN 32 ELSE 128 END) AS ip,
                   least(u.seen_at, v_now) AS at
            FROM unnest(p_macs, p_ips, p_seen_at) WITH ORDINALITY AS u(mac, ip, seen_at, position)
            WHERE u.ip <> '0.0.0.0' AND u.ip <> '::'
            GROUP BY 1, 2, 3, 4
            ORDER BY 1, 2, 4, min(u.position)
        ) AS o;
    END IF;

    new_devices := 0;
    known_devices := 0;
    IF d_macs IS NULL THEN
        RETURN;
    END IF;

    SELECT pg_catalog.array_agg(u.mac) INTO n_macs
    FROM pg_catalog.unnest(d_macs) AS u(mac)
    LEFT JOIN devices AS d ON d.mac_address = u.mac
    WHERE d.mac_address IS NULL;

    IF n_macs IS NULL THEN
        SELECT pg_catalog.array_agg(k.mac_address) INTO l_macs
        FROM (
            SELECT mac_address FROM devices
            WHERE mac_address = ANY (d_macs)
            ORDER BY mac_address
            FOR NO KEY UPDATE
        ) AS k;

        -- A device that was deleted meanwhile takes its sightings along, as if it had been deleted after them. Inserting
        -- it here would lock out of order.
        IF coalesce(pg_catalog.cardinality(l_macs), 0) < pg_catalog.cardinality(d_macs) THEN
            PERFORM merge_sightings_with_metadata(
                pg_catalog.array_agg(u.mac), pg_catalog.array_agg(u.ip), pg_catalog.array_agg(u.hostname),
                pg_catalog.array_agg(u.vendor), pg_catalog.array_agg(u.device_type), pg_catalog.array_agg(u.seen_at),
                pg_catalog.array_agg(u.source), pg_catalog.array_agg(u.metadata), pg_catalog.array_agg(u.score))
            FROM unnest(p_macs, p_ips, p_hostnames, p_vendors, p_device_types, p_seen_at, p_sources, p_metadata, p_confidence_scores)
                AS u(mac, ip, hostname, vendor, device_type, seen_at, source, metadata, score)
            WHERE u.mac = ANY (l_macs);
            known_devices := pg_catalog.cardinality(d_macs);
            RETURN;
        END IF;
    ELSE
        PERFORM set_config('cobaltgraph.merging', 'on', true);
        WITH inserted AS (
            INSERT INTO devices AS t
                (mac_address, first_seen, last_seen, last_activity, ip_address, hostname, vendor, device_type)
            SELECT u.mac, coalesce(u.first_at, u.last_at), u.last_at, u.last_at, o.ip, u.hostname, u.vendor, u.device_type
            FROM unnest(d_macs, d_firsts, d_lasts, d_families, d_hostnames, d_vendors, d_types)
                AS u(mac, first_at, last_at, family, hostname, vendor, device_type)
            LEFT JOIN (
                SELECT DISTINCT ON (a.mac, a.family) a.mac, a.family, a.ip
                FROM unnest(o_macs, o_families, o_ips) WITH ORDINALITY AS a(mac, family, ip, position)
                ORDER BY a.mac, a.family, a.position
            ) AS o ON o.mac = u.mac AND o.family = u.family
            ORDER BY u.mac
            ON CONFLICT (mac_address) DO UPDATE SET last_seen = t.last_seen WHERE false
            RETURNING mac_address
        )
        SELECT pg_catalog.array_agg(i.mac_address) INTO n_macs FROM inserted AS i;
    END IF;

    IF o_macs IS NOT NULL THEN
        SELECT pg_catalog.array_agg(f.mac), pg_catalog.array_agg(f.family), pg_catalog.array_agg(f.last_at)
        INTO f_macs, f_families, f_lasts
        FROM (
            SELECT u.mac, coalesce(family(d.ip_address), u.family) AS family,
                   CASE coalesce(family(d.ip_address), u.family) WHEN 4 THEN k.ipv4_seen_at ELSE k.ipv6_seen_at END AS last_at,
                   CASE coalesce(family(d.ip_address), u.family) WHEN 4 THEN u.ipv4 ELSE u.ipv6 END AS ip
            FROM unnest(d_macs, d_families, d_ipv4s, d_ipv6s) AS u(mac, family, ipv4, ipv6)
            JOIN devices AS d ON d.mac_address = u.mac
            LEFT JOIN device_sightings AS k ON k.mac_address = u.mac
        ) AS f
        WHERE f.ip IS NOT NULL;

        -- Devices with several observations in the family: when does a new round begin?
        IF v_several THEN
            SELECT pg_catalog.array_agg(m.mac), pg_catalog.array_agg(m.family), pg_catalog.array_agg(m.last_at)
            INTO r_macs, r_families, r_lives
            FROM (
                SELECT f.mac, f.family, f.last_at
                FROM unnest(f_macs, f_families, f_lasts) AS f(mac, family, last_at)
                JOIN unnest(o_macs, o_families) AS o(mac, family) ON o.mac = f.mac AND o.family = f.family
                GROUP BY f.mac, f.family, f.last_at
                HAVING count(*) > 1
            ) AS m;

            IF r_macs IS NOT NULL THEN
                v_claims := address_claims(r_macs, r_families, NULL);

                -- With an observation the primary address can move in four cases only: it begins a claim; it joins one that is
                -- stored from later on; it brings one back that had lapsed; another claim lapses, whichever address is seen.
                -- Kinds: 0 a time from which an observation of the address is such a case, 1 and 3 begin and end of a stored
                -- claim, 2 an observation.
                WITH observed AS (
                    SELECT o.position, o.mac, o.ip, o.at, r.last_at
                    FROM unnest(o_macs, o_families, o_ips, o_ats) WITH ORDINALITY AS o(mac, family, ip, at, position)
                    JOIN unnest(r_macs, r_families, r_lives) AS r(mac, family, last_at) ON r.mac = o.mac AND r.family = o.family
                ),
                stored AS (
                    SELECT c.mac_address AS mac, c.ip_address AS ip, c.first_seen AS first_at, c.last_seen AS last_at
                    FROM pg_catalog.unnest(v_claims) AS c
                    WHERE c.source::text = 'sighting'
                ),
                by_address AS (
                    SELECT e.mac, e.ip, e.at, e.kind, e.position,
                           count(*) FILTER (WHERE e.kind = 1) OVER before - count(*) FILTER (WHERE e.kind = 3) OVER before AS inside,
                           max(e.at) FILTER (WHERE e.kind > 0) OVER before AS previous,
                           max(e.at) FILTER (WHERE e.kind = 0) OVER before AS case_from,
                           min(e.at) FILTER (WHERE e.kind > 0) OVER (
                               PARTITION BY e.mac, e.ip ORDER BY e.at DESC, e.kind DESC, e.position DESC
                               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS next
                    FROM (
                        SELECT o.mac, o.ip, o.at, 2 AS kind, o.position FROM observed AS o
                        UNION ALL
                        SELECT s.mac, s.ip, s.first_at, 1, 0 FROM stored AS s
                        UNION ALL
                        SELECT s.mac, s.ip, s.last_at, 3, 0 FROM stored AS s
                        UNION ALL
                        SELECT s.mac, s.ip, s.first_at - v_lapse, 0, 0 FROM stored AS s
                        UNION ALL
                        SELECT DISTINCT o.mac, o.ip, o.last_at - v_lapse, 0, 0 FROM observed AS o WHERE o.last_at IS NOT NULL
                    ) AS e
                    WINDOW before AS (
                        PARTITION BY e.mac, e.ip ORDER BY e.at, e.kind, e.position
                        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
                ),
                by_device AS (
                    SELECT e.mac, e.position, e.is_case,
                           count(*) FILTER (WHERE e.position IS NULL) OVER (
                               PARTITION BY e.mac ORDER BY e.at, e.position NULLS LAST ROWS UNBOUNDED PRECEDING) AS lapsed
                    FROM (
                        SELECT a.mac, a.at, a.position,
                               a.inside = 0 AND (a.previous IS NULL OR a.at > a.previous + v_lapse) OR a.case_from > a.previous AS is_case
                        FROM by_address AS a
                        WHERE a.kind = 2
                        UNION ALL
                        SELECT a.mac, a.at + v_lapse, NULL, NULL
                        FROM by_address AS a
                        WHERE (a.kind = 2 AND a.inside = 0 OR a.kind = 3) AND (a.next IS NULL OR a.next > a.at + v_lapse)
                    ) AS e
                ),
                rounds AS (
                    SELECT c.position, 1 + count(*) FILTER (WHERE c.is_case AND c.number > 1) OVER (
                        PARTITION BY c.mac ORDER BY c.position ROWS UNBOUNDED PRECEDING) AS round
                    FROM (
                        SELECT d.mac, d.position, row_number() OVER device AS number,
                               d.is_case OR d.lapsed > pg_catalog.lag(d.lapsed) OVER device AS is_case
                        FROM by_device AS d
                        WHERE d.position IS NOT NULL
                        WINDOW device AS (PARTITION BY d.mac ORDER BY d.position)
                    ) AS c
                )
                SELECT pg_catalog.array_agg(coalesce(r.round, 1)::integer ORDER BY o.position)
                INTO o_rounds
                FROM pg_catalog.unnest(o_macs) WITH ORDINALITY AS o(mac, position)
                LEFT JOIN rounds AS r ON r.position = o.position;
            END IF;
        END IF;
    END IF;

    FOR v_round IN 1 .. coalesce((SELECT max(u.round) FROM pg_catalog.unnest(o_rounds) AS u(round)), 1) LOOP
        i_macs := NULL;
        i_ips := NULL;
        IF o_macs IS NOT NULL THEN
            -- What is seen within one lapse of time is one claim anyway.
            PERFORM record_addresses(
                pg_catalog.array_agg(a.mac), pg_catalog.array_agg(a.ip), 'sighting',
                pg_catalog.array_agg(a.first_at), pg_catalog.array_agg(a.last_at))
            FROM (
                SELECT o.mac, o.ip, min(o.at) AS first_at, max(o.at) AS last_at
                FROM unnest(o_macs, o_ips, o_ats, o_rounds) AS o(mac, ip, at, round)
                WHERE coalesce(o.round, 1) = v_round
                GROUP BY o.mac, o.ip, floor(extract(epoch FROM o.at) / v_lapse_seconds)
            ) AS a;

            SELECT pg_catalog.array_agg(r.mac), pg_catalog.array_agg(r.family), pg_catalog.array_agg(r.last_at - v_lapse)
            INTO r_macs, r_families, r_lives
            FROM (
                SELECT f.mac, f.family, greatest(max(f.last_at), max(o.at)) AS last_at
                FROM unnest(f_macs, f_families, f_lasts) AS f(mac, family, last_at)
                JOIN unnest(o_macs, o_families, o_ats, o_rounds) AS o(mac, family, at, round)
                    ON o.mac = f.mac AND o.family = f.family AND coalesce(o.round, 1) = v_round
                GROUP BY f.mac, f.family
            ) AS r;

            v_claims := address_claims(r_macs, r_families, r_lives);
            SELECT pg_catalog.array_agg(p.mac), pg_catalog.array_agg(p.ip)
            INTO i_macs, i_ips
            FROM (
                SELECT DISTINCT ON (c.mac_address) c.mac_address AS mac, c.ip_address AS ip
                FROM pg_catalog.unnest(v_claims) AS c
                ORDER BY c.mac_address, c.first_seen DESC, c.source::text = 'update' DESC, c.ip_address DESC
            ) AS p;
        END IF;

        PERFORM set_config('cobaltgraph.merging', 'on', true);
        IF v_round > 1 THEN
            UPDATE devices AS t
            SET ip_address = u.ip
            FROM unnest(i_macs, i_ips) AS u(mac, ip)
            WHERE t.mac_address = u.mac AND host(t.ip_address) IS DISTINCT FROM host(u.ip);
            CONTINUE;
        END IF;

        WITH merged AS MATERIALIZED (
            SELECT u.mac, n.mac IS NOT NULL AS inserted, k.mac_address IS NOT NULL AS sighted,
                   i.ip IS DISTINCT FROM d.ip_address OR n.mac IS NULL
                       AND (u.first_at < d.first_seen OR u.last_at > d.last_seen OR o.activity_at > d.last_activity
                           OR o.hostname_newer OR o.vendor_newer OR o.type_newer) AS device_changes,
                   o.ipv4_newer OR o.ipv6_newer OR o.hostname_newer OR o.vendor_newer OR o.type_newer OR o.source_newer
                       AS sighting_changes,
                   u.first_at, u.last_at, o.activity_at, i.ip,
                   CASE WHEN o.hostname_newer THEN u.hostname ELSE d.hostname::text END AS hostname,
                   CASE WHEN o.vendor_newer THEN u.vendor ELSE d.vendor::text END AS vendor,
                   CASE WHEN o.type_newer THEN u.device_type ELSE d.device_type::text END AS device_type,
                   f.ipv4, CASE WHEN o.ipv4_newer THEN u.ipv4_at ELSE k.ipv4_seen_at END AS ipv4_at,
                   f.ipv6, CASE WHEN o.ipv6_newer THEN u.ipv6_at ELSE k.ipv6_seen_at END AS ipv6_at,
                   CASE WHEN o.hostname_newer THEN u.hostname_at ELSE k.hostname_seen_at END AS hostname_at,
                   CASE WHEN o.vendor_newer THEN u.vendor_at ELSE k.vendor_seen_at END AS vendor_at,
                   CASE WHEN o.type_newer THEN u.type_at ELSE k.device_type_seen_at END AS type_at,
                   CASE WHEN o.source_newer THEN u.source ELSE k.source::text END AS source,
                   CASE WHEN o.source_newer THEN u.source_at ELSE k.source_seen_at END AS source_at
            FROM (
                SELECT a.mac, a.last_at, coalesce(a.first_at, a.last_at) AS first_at,
                       a.ipv4, coalesce(a.ipv4_at, a.last_at) AS ipv4_at, a.ipv6, coalesce(a.ipv6_at, a.last_at) AS ipv6_at,
                       a.family, a.hostname, coalesce(a.hostname_at, a.last_at) AS hostname_at,
                       a.vendor, coalesce(a.vendor_at, a.last_at) AS vendor_at,
                       a.device_type, coalesce(a.type_at, a.last_at) AS type_at,
                       a.source, coalesce(a.source_at, a.last_at) AS source_at
                FROM unnest(
                        d_macs, d_firsts, d_lasts, d_ipv4s, d_ipv4_ats, d_ipv6s, d_ipv6_ats, d_families,
                        d_hostnames, d_hostname_ats, d_vendors, d_vendor_ats, d_types, d_type_ats, d_sources, d_source_ats)
                    AS a(mac, first_at, last_at, ipv4, ipv4_at, ipv6, ipv6_at, family,
                         hostname, hostname_at, vendor, vendor_at, device_type, type_at, source, source_at)
            ) AS u
            JOIN devices AS d ON d.mac_address = u.mac
            LEFT JOIN device_sightings AS k ON k.mac_address = u.mac
            LEFT JOIN pg_catalog.unnest(n_macs) AS n(mac) ON n.mac = u.mac
            LEFT JOIN unnest(i_macs, i_ips) AS p(mac, ip) ON p.mac = u.mac
            CROSS JOIN LATERAL (
                SELECT CASE WHEN k.created_by_sighting AND d.connection_count = 0 THEN u.last_at END AS activity_at,
                       u.ipv4 IS NOT NULL AND (k.ipv4 IS NULL OR (u.ipv4_at, u.ipv4) > (k.ipv4_seen_at, k.ipv4)) AS ipv4_newer,
                       u.ipv6 IS NOT NULL AND (k.ipv6 IS NULL OR (u.ipv6_at, u.ipv6) > (k.ipv6_seen_at, k.ipv6)) AS ipv6_newer,
                       u.hostname IS NOT NULL AND (k.hostname_seen_at IS NULL OR (u.hostname_at, u.hostname COLLATE "C")
                           > (k.hostname_seen_at, coalesce(d.hostname::text, ''))) AS hostname_newer,
                       u.vendor IS NOT NULL AND (k.vendor_seen_at IS NULL OR (u.vendor_at, u.vendor COLLATE "C")
                           > (k.vendor_seen_at, coalesce(d.vendor::text, ''))) AS vendor_newer,
                       u.device_type IS NOT NULL AND (k.device_type_seen_at IS NULL OR (u.type_at, u.device_type COLLATE "C")
                           > (k.device_type_seen_at, coalesce(d.device_type::text, ''))) AS type_newer,
                       u.source IS NOT NULL AND (k.source IS NULL OR (u.source_at, u.source COLLATE "C")
                           > (k.source_seen_at, k.source::text)) AS source_newer
            ) AS o
            CROSS JOIN LATERAL (
                SELECT CASE WHEN o.ipv4_newer THEN u.ipv4 ELSE k.ipv4 END AS ipv4,
                       CASE WHEN o.ipv6_newer THEN u.ipv6 ELSE k.ipv6 END AS ipv6
            ) AS f
            CROSS JOIN LATERAL (
                SELECT CASE WHEN host(p.ip) <> host(d.ip_address) OR d.ip_address IS NULL THEN p.ip ELSE d.ip_address END AS ip
            ) AS i
        ),
        updated_devices AS (
            UPDATE devices AS t
            SET first_seen = least(t.first_seen, m.first_at),
                last_seen = greatest(t.last_seen, m.last_at),
                last_activity = greatest(t.last_activity, m.activity_at),
                ip_address = m.ip,
                hostname = m.hostname,
                vendor = m.vendor,
                device_type = m.device_type
            FROM merged AS m
            WHERE t.mac_address = m.mac AND m.device_changes
        ),
        updated_sightings AS (
            UPDATE device_sightings AS t
            SET ipv4 = m.ipv4,
                ipv4_seen_at = m.ipv4_at,
                ipv6 = m.ipv6,
                ipv6_seen_at = m.ipv6_at,
                hostname_seen_at = m.hostname_at,
                vendor_seen_at = m.vendor_at,
                device_type_seen_at = m.type_at,
                source = m.source,
                source_seen_at = m.source_at
            FROM merged AS m
            WHERE t.mac_address = m.mac AND m.sighted AND m.sighting_changes
        )
        INSERT INTO device_sightings
            (mac_address, ipv4, ipv4_seen_at, ipv6, ipv6_seen_at, hostname_seen_at,
             vendor_seen_at, device_type_seen_at, source, source_seen_at, created_by_sighting)
        SELECT m.mac, m.ipv4, m.ipv4_at, m.ipv6, m.ipv6_at, m.hostname_at,
               m.vendor_at, m.type_at, m.source, m.source_at, m.inserted
        FROM merged AS m
        WHERE NOT m.sighted;
    END LOOP;
    PERFORM set_config('cobaltgraph.merging', 'off', true);

    IF p_metadata IS NOT NULL OR p_confidence_scores IS NOT NULL THEN
        -- Grouped and not joined: a document has any number of keys, none of which the planner knows.
        WITH said AS (
            SELECT DISTINCT ON (u.mac, e.key COLLATE "C") u.mac, e.key, e.value, least(u.seen_at, v_now) AS at
            FROM unnest(p_macs, p_seen_at, p_metadata) AS u(mac, seen_at, metadata)
            CROSS JOIN LATERAL jsonb_each(u.metadata) AS e(key, value)
            ORDER BY u.mac, e.key COLLATE "C", jsonb_typeof(e.value) <> 'null' DESC, at DESC, e.value::text COLLATE "C" DESC
        ),
        told AS (
            SELECT t.mac, pg_catalog.jsonb_object_agg(t.key, t.value) FILTER (WHERE t.value::text IS DISTINCT FROM t.known::text) AS changes,
                   pg_catalog.jsonb_object_agg(t.key, pg_catalog.to_jsonb(t.at AT TIME ZONE 'UTC'))
                       FILTER (WHERE t.at IS DISTINCT FROM t.known_at) AS times
            FROM (
                SELECT e.mac, e.key,
                       (pg_catalog.array_agg(e.value) FILTER (WHERE e.kind = 'said'))[1] AS value,
                       max(e.at) FILTER (WHERE e.kind = 'said') AS at,
                       (pg_catalog.array_agg(e.value) FILTER (WHERE e.kind = 'known'))[1] AS known,
                       max(e.at) FILTER (WHERE e.kind = 'seen') AS known_at
                FROM (
                    SELECT n.mac, n.key, n.value, n.at, 'said' AS kind
                    FROM said AS n
                    UNION ALL
                    SELECT d.mac_address, k.key, k.value, NULL, 'known'
                    FROM (SELECT DISTINCT n.mac FROM said AS n) AS n
                    JOIN devices AS d ON d.mac_address = n.mac
                    CROSS JOIN LATERAL jsonb_each(d.metadata) AS k(key, value)
                    UNION ALL
                    SELECT s.mac_address, k.key, NULL, k.value::timestamp AT TIME ZONE 'UTC', 'seen'
                    FROM (SELECT DISTINCT n.mac FROM said AS n) AS n
                    JOIN device_sightings AS s ON s.mac_address = n.mac
                    CROSS JOIN LATERAL jsonb_each_text(s.metadata_seen_at) AS k(key, value)
                ) AS e
                GROUP BY e.mac, e.key
            ) AS t
            WHERE (jsonb_typeof(t.value) <> 'null', t.at, t.value::text COLLATE "C")
                > (coalesce(jsonb_typeof(t.known) <> 'null', t.known_at IS NOT NULL), coalesce(t.known_at, '-infinity'::timestamptz),
                   coalesce(t.known::text, ''))
            GROUP BY t.mac
        ),
        rated AS (
            SELECT n.mac, CASE WHEN n.score <> d.confidence_score THEN n.score END AS score,
                   CASE WHEN n.at IS DISTINCT FROM k.confidence_seen_at THEN n.at END AS at
            FROM (
                -- Without the sign of a zero, which would be that of the one stored first.
                SELECT DISTINCT ON (u.mac) u.mac, u.score + 0::real AS score, least(u.seen_at, v_now) AS at
                FROM unnest(p_macs, p_seen_at, p_confidence_scores) AS u(mac, seen_at, score)
                WHERE u.score IS NOT NULL
                ORDER BY u.mac, at DESC, u.score DESC
            ) AS n
            JOIN devices AS d ON d.mac_address = n.mac
            JOIN device_sightings AS k ON k.mac_address = n.mac
            WHERE k.confidence_seen_at IS NULL OR (n.at, n.score) > (k.confidence_seen_at, d.confidence_score)
        )
        SELECT pg_catalog.array_agg(coalesce(t.mac, r.mac)), pg_catalog.array_agg(t.changes), pg_catalog.array_agg(t.times),
               pg_catalog.array_agg(r.score), pg_catalog.array_agg(r.at)
        INTO s_macs, s_changes, s_times, s_scores, s_score_ats
        FROM told AS t
        FULL JOIN rated AS r ON r.mac = t.mac;

        UPDATE devices AS t
        SET metadata = coalesce(t.metadata || u.changes, t.metadata),
            confidence_score = coalesce(u.score, t.confidence_score)
        FROM unnest(s_macs, s_changes, s_scores) AS u(mac, changes, score)
        WHERE t.mac_address = u.mac AND (u.changes IS NOT NULL OR u.score IS NOT NULL);

        UPDATE device_sightings AS t
        SET metadata_seen_at = coalesce(t.metadata_seen_at || u.times, u.times, t.metadata_seen_at),
            confidence_seen_at = coalesce(u.at, t.confidence_seen_at)
        FROM unnest(s_macs, s_times, s_score_ats) AS u(mac, times, at)
        WHERE t.mac_address = u.mac AND (u.times IS NOT NULL OR u.at IS NOT NULL);
    END IF;

    new_devices := coalesce(pg_catalog.cardinality(n_macs), 0);
    known_devices := pg_catalog.cardinality(d_macs) - new_devices;
END
$function$;

REVOKE ALL ON FUNCTION merge_sightings_with_metadata(macaddr[], inet[], text[], text[], text[], timestamptz[], text[], jsonb[], real[]) FROM PUBLIC;

COMMENT ON FUNCTION merge_sightings_with_metadata(macaddr[], inet[], text[], text[], text[], timestamptz[], text[], jsonb[], real[]) IS
    'Stores sightings, one per element of the arrays; a whole array may be NULL. Unseen devices are inserted as discovered. '
    'NULL and empty text erase nothing, of several values the one seen last holds, of metadata key by key, and the primary address '
    'is, of those in its family that are still held, the one taken last. A time of NULL or in the future is now(). Returns how many devices were new and how many known.';

DO $unpin$
BEGIN
    PERFORM set_config('search_path', current_setting('cobaltgraph.search_path'), false);
END
$unpin$;

DO $pin$
BEGIN
    PERFORM set_config('cobaltgraph.search_path', current_setting('search_path'), false);
    PERFORM set_config('search_path', quote_ident(current_schema()) || ', pg_temp', false);
END
$pin$;
-- Sightings that say nothing of metadata and confidence: merge_sightings_with_metadata() does all of it.
CREATE OR REPLACE FUNCTION merge_device_sightings(
    p_macs macaddr[],
    p_ips inet[],
    p_hostnames text[],
    p_vendors text[],
    p_device_types text[],
    p_seen_at timestamptz[],
    p_sources text[],
    OUT new_devices bigint,
    OUT known_devices bigint)
RETURNS record
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
AS $function$
BEGIN
    SELECT m.new_devices, m.known_devices
    INTO new_devices, known_devices
    FROM merge_sightings_with_metadata(p_macs, p_ips, p_hostnames, p_vendors, p_device_types, p_seen_at, p_sources, NULL, NULL) AS m;
END
$function$;

REVOKE ALL ON FUNCTION merge_device_sightings(macaddr[], inet[], text[], text[], text[], timestamptz[], text[]) FROM PUBLIC;

COMMENT ON FUNCTION merge_device_sightings(macaddr[], inet[], text[], text[], text[], timestamptz[], text[]) IS
    'merge_sightings_with_metadata() for sightings that say nothing of metadata and confidence.';

DO $unpin$
BEGIN
    PERFORM set_config('search_path', current_setting('cobaltgraph.search_path'), false);
END
$unpin$;

DO $pin$
BEGIN
    PERFORM set_config('cobaltgraph.search_path', current_setting('search_path'), false);
    PERFORM set_config('search_path', quote_ident(current_schema()) || ', pg_temp', false);
END
$pin$;
-- Everything that follows from new connections: unseen devices, counters, times, status, edges, hours, categories,
-- addresses, what is said of destinations, threat events. Set-based, and in this order:
--   1. One SELECT reads the transition table into arrays, an array of rows for each table; nothing after it touches the
--      transition table.
--   2. One statement inserts unseen devices and updates the others, in MAC order. Whoever waits in it holds only devices
--      with smaller addresses, so that writers queue instead of deadlocking. From here on all that is keyed by these
--      devices belongs to this transaction.
--   3. Edges follow; which of them are new, and so count for their device, is known from their insertion.
--   4. Devices of fresh connections become active; a new one was inserted as discovered, so that both are events.
--   5. destinations comes last, in the order of its key: it alone is shared between devices, and who inserts the same row
--      meanwhile is waited for.
-- The result does not depend on how rows were batched: nothing in it is taken from "the first row" of a statement.
CREATE OR REPLACE FUNCTION connections_count()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
AS $function$
DECLARE
    v_now timestamptz := now();
    v_active_after timestamptz := v_now - interval '30 minutes';
    v_threshold real := threat_threshold();
    v_no_bits bit(256) := pg_catalog.repeat('0', 256)::bit(256);
    -- one row per row of the table; arrays of rows are filled and read several times as fast as one array a column
    v_edges device_destinations[];
    v_hours device_activity_hourly[];
    v_categories device_threat_counts[];
    v_addresses device_addresses[];
    v_destinations destinations[];
    -- one entry per device
    d_macs macaddr[];
    d_firsts timestamptz[];
    d_lasts timestamptz[];
    d_counts bigint[];
    d_threats bigint[];
    d_scores real[];
    d_last_threats timestamptz[];
    d_points bigint[];
    -- new edges of a device
    n_macs macaddr[];
    n_counts bigint[];
    -- first threats
    t_macs macaddr[];
    t_ips inet[];
BEGIN
    WITH rows AS MATERIALIZED (
        SELECT src_mac, src_ip, dst_ip, dst_port, protocol, dst_country, dst_org, dst_hostname, threat_category,
               "timestamp" AS at, threat_score AS score, bytes_sent, bytes_received
        FROM new_rows
    ),
    hours AS MATERIALIZED (
        SELECT src_mac, date_trunc('hour', at, 'UTC') AS hour, src_ip,
               count(*) AS connections, count(*) FILTER (WHERE score >= v_threshold) AS threats, max(score) AS score,
               least(min(at), v_now) AS first_at, least(max(at), v_now) AS last_at,
               least(max(at), '9999-12-31 23:59:59.999999Z') AS latest_at,
               CASE WHEN max(score) >= v_threshold THEN least(max(at) FILTER (WHERE score >= v_threshold), v_now) END AS last_threat,
               coalesce(sum(bytes_sent), 0) AS sent, coalesce(sum(bytes_received), 0) AS received,
               bit_or(set_bit(v_no_bits, hashinet(dst_ip) & 255, 1)) AS sketch
        FROM rows
        WHERE src_mac IS NOT NULL
        GROUP BY 1, 2, 3
    ),
    categories AS MATERIALIZED (
        SELECT src_mac, threat_category, count(*) AS connections
        FROM rows
        WHERE src_mac IS NOT NULL AND threat_category IS NOT NULL
        GROUP BY src_mac, threat_category
    ),
    per_device AS (
        SELECT pg_catalog.array_agg(d.src_mac) AS macs, pg_catalog.array_agg(d.first_at) AS firsts,
               pg_catalog.array_agg(d.last_at) AS lasts, pg_catalog.array_agg(d.connections) AS counts,
               pg_catalog.array_agg(d.threats) AS threats, pg_catalog.array_agg(d.score) AS scores,
               pg_catalog.array_agg(d.last_threat) AS last_threats, pg_catalog.array_agg(d.points) AS points
        FROM (
            SELECT src_mac, min(first_at) AS first_at, max(last_at) AS last_at, sum(connections)::bigint AS connections,
                   sum(threats)::bigint AS threats, max(score) AS score, max(last_threat) AS last_threat, sum(points)::bigint AS points
            FROM (
                SELECT src_mac, first_at, last_at, connections, threats, score, last_threat, 0 AS points
                FROM hours
                UNION ALL
                SELECT src_mac, NULL, NULL, 0, 0, NULL, NULL, connections * threat_category_weight(threat_category)
                FROM categories
            ) AS parts
            GROUP BY src_mac
            ORDER BY src_mac
        ) AS d
    )
    SELECT p.macs, p.firsts, p.lasts, p.counts, p.threats, p.scores, p.last_threats, p.points,
        (
            SELECT pg_catalog.array_agg(ROW(
                e.src_mac, e.dst_ip, e.first_at, e.last_at, e.connections, e.threats, e.score)::device_destinations)
            FROM (
                SELECT src_mac, dst_ip, least(min(at), v_now) AS first_at, least(max(at), v_now) AS last_at,
                       count(*) AS connections, count(*) FILTER (WHERE score >= v_threshold) AS threats, max(score) AS score
                FROM rows
                WHERE src_mac IS NOT NULL
                GROUP BY src_mac, dst_ip
                ORDER BY src_mac, dst_ip
            ) AS e
        ),
        (
            SELECT pg_catalog.array_agg(ROW(
                h.src_mac, h.hour, h.connections, h.threats, h.score, h.sent, h.received, h.sketch)::device_activity_hourly)
            FROM (
                SELECT src_mac, hour, sum(connections)::bigint AS connections, sum(threats)::bigint AS threats, max(score) AS score,
                       sum(sent) AS sent, sum(received) AS received, bit_or(sketch) AS sketch
                FROM hours
                GROUP BY src_mac, hour
                ORDER BY src_mac, hour
            ) AS h
        ),
        (
            SELECT pg_catalog.array_agg(ROW(c.src_mac, c.threat_category, c.connections)::device_threat_counts)
            FROM (SELECT src_mac, threat_category, connections FROM categories ORDER BY src_mac, threat_category) AS c
        ),
        (
            SELECT pg_catalog.array_agg(ROW(a.src_mac, a.src_ip, 'traffic', a.first_at, a.last_at, a.latest_at)::device_addresses)
            FROM hours AS a
            WHERE a.src_ip IS NOT NULL
        ),
        (
            SELECT pg_catalog.array_agg(ROW(
                d.dst_ip, d.dst_port, d.protocol, d.country, d.org, d.hostname)::destinations)
            FROM (
                SELECT dst_ip, dst_port, coalesce(protocol, '') AS protocol, coalesce(dst_country, '') AS country,
                       coalesce(dst_org, '') AS org, coalesce(dst_hostname, '') AS hostname
                FROM rows
                GROUP BY 1, 2, 3, 4, 5, 6
                ORDER BY 1, 2, 3, 4, 5, 6
            ) AS d
        )
    INTO d_macs, d_firsts, d_lasts, d_counts, d_threats, d_scores, d_last_threats, d_points,
         v_edges, v_hours, v_categories, v_addresses, v_destinations
    FROM per_device AS p;

    IF d_macs IS NOT NULL THEN
        INSERT INTO devices AS t
            (mac_address, first_seen, last_seen, last_activity, last_connection, connection_count, threat_count, max_threat_score,
             last_threat, threat_score)
        SELECT u.mac, u.first_at, u.last_at, u.last_at, u.last_at, u.connections, u.threats, u.score, u.last_threat, u.points
        FROM unnest(d_macs, d_firsts, d_lasts, d_counts, d_threats, d_scores, d_last_threats, d_points)
            AS u(mac, first_at, last_at, connections, threats, score, last_threat, points)
        ORDER BY u.mac
        ON CONFLICT (mac_address) DO UPDATE
        SET first_seen = least(t.first_seen, excluded.first_seen),
            last_seen = greatest(t.last_seen, excluded.last_seen),
            last_activity = greatest(t.last_activity, excluded.last_activity),
            last_connection = greatest(t.last_connection, excluded.last_connection),
            connection_count = t.connection_count + excluded.connection_count,
            threat_count = t.threat_count + excluded.threat_count,
            max_threat_score = greatest(t.max_threat_score, excluded.max_threat_score),
            last_threat = greatest(t.last_threat, excluded.last_threat),
            threat_score = t.threat_score + excluded.threat_score;

        -- Threats are few: with them alone in arrays, the look-up goes by key and does not grow with what is stored.
        SELECT pg_catalog.array_agg(u.src_mac), pg_catalog.array_agg(u.dst_ip)
        INTO t_macs, t_ips
        FROM pg_catalog.unnest(v_edges) AS u
        WHERE u.threat_count > 0;

        IF t_macs IS NOT NULL THEN
            SELECT pg_catalog.array_agg(n.mac), pg_catalog.array_agg(n.ip)
            INTO t_macs, t_ips
            FROM (
                SELECT u.mac, u.ip
                FROM unnest(t_macs, t_ips) AS u(mac, ip)
                LEFT JOIN device_destinations AS k ON k.src_mac = u.mac AND k.dst_ip = u.ip
                WHERE k.threat_count IS NULL OR k.threat_count = 0
                ORDER BY u.mac, u.ip
            ) AS n;
        END IF;

        -- xmax is 0 in a row that was inserted, and never in one that ON CONFLICT found and so locked.
        WITH stored AS (
            INSERT INTO device_destinations AS t
                (src_mac, dst_ip, first_seen, last_seen, connection_count, threat_count, max_threat_score)
            SELECT u.src_mac, u.dst_ip, u.first_seen, u.last_seen, u.connection_count, u.threat_count, u.max_threat_score
            FROM pg_catalog.unnest(v_edges) AS u
            ORDER BY u.src_mac, u.dst_ip
            ON CONFLICT (src_mac, dst_ip) DO UPDATE
            SET first_seen = least(t.first_seen, excluded.first_seen),
                last_seen = greatest(t.last_seen, excluded.last_seen),
                connection_count = t.connection_count + excluded.connection_count,
                threat_count = t.threat_count + excluded.threat_count,
                max_threat_score = greatest(t.max_threat_score, excluded.max_threat_score)
            RETURNING t.src_mac, t.xmax = 0 AS is_new
        )
        SELECT pg_catalog.array_agg(n.src_mac), pg_catalog.array_agg(n.destinations)
        INTO n_macs, n_counts
        FROM (
            SELECT src_mac, count(*) AS destinations
            FROM stored
            WHERE is_new
            GROUP BY src_mac
        ) AS n;

        UPDATE devices AS t
        SET status = CASE WHEN u.last_at > v_active_after THEN 'active' ELSE t.status END,
            unique_destinations = t.unique_destinations + u.destinations
        FROM (
            SELECT parts.mac, max(parts.last_at) AS last_at, sum(parts.destinations)::bigint AS destinations
            FROM (
                SELECT a.mac, a.last_at, 0 AS destinations
                FROM unnest(d_macs, d_lasts) AS a(mac, last_at)
                UNION ALL
                SELECT n.mac, NULL, n.destinations
                FROM unnest(n_macs, n_counts) AS n(mac, destinations)
            ) AS parts
            GROUP BY parts.mac
        ) AS u
        WHERE t.mac_address = u.mac
            AND (u.destinations > 0 OR u.last_at > v_active_after AND t.status::text <> 'active');

        INSERT INTO device_activity_hourly AS t
            (src_mac, hour, connection_count, threat_count, max_threat_score, bytes_sent, bytes_received, destination_sketch)
        SELECT u.src_mac, u.hour, u.connection_count, u.threat_count, u.max_threat_score, u.bytes_sent, u.bytes_received,
               u.destination_sketch
        FROM pg_catalog.unnest(v_hours) AS u
        ON CONFLICT (src_mac, hour) DO UPDATE
        SET connection_count = t.connection_count + excluded.connection_count,
            threat_count = t.threat_count + excluded.threat_count,
            max_threat_score = greatest(t.max_threat_score, excluded.max_threat_score),
            bytes_sent = t.bytes_sent + excluded.bytes_sent,
            bytes_received = t.bytes_received + excluded.bytes_received,
            destination_sketch = t.destination_sketch | excluded.destination_sketch;

        IF v_categories IS NOT NULL THEN
            INSERT INTO device_threat_counts AS t (src_mac, threat_category, connection_count)
            SELECT u.src_mac, u.threat_category, u.connection_count
            FROM pg_catalog.unnest(v_categories) AS u
            ON CONFLICT (src_mac, threat_category) DO UPDATE
            SET connection_count = t.connection_count + excluded.connection_count;
        END IF;

        IF v_addresses IS NOT NULL THEN
            PERFORM record_addresses(
                pg_catalog.array_agg(u.mac_address), pg_catalog.array_agg(u.ip_address), 'traffic',
                pg_catalog.array_agg(u.first_seen), pg_catalog.array_agg(u.last_seen), pg_catalog.array_agg(u.latest_connection))
            FROM pg_catalog.unnest(v_addresses) AS u;
        END IF;

        IF t_macs IS NOT NULL THEN
            INSERT INTO device_events (device_mac, event_type, new_value)
            SELECT u.mac, 'threat_detected', abbrev(u.ip)
            FROM unnest(t_macs, t_ips) AS u(mac, ip);
        END IF;
    END IF;

    INSERT INTO destinations (dst_ip, dst_port, protocol, dst_country, dst_org, dst_hostname)
    SELECT u.dst_ip, u.dst_port, u.protocol, u.dst_country, u.dst_org, u.dst_hostname
    FROM pg_catalog.unnest(v_destinations) AS u
    ON CONFLICT DO NOTHING;

    RETURN NULL;
END
$function$;

REVOKE ALL ON FUNCTION connections_count() FROM PUBLIC;

COMMENT ON FUNCTION connections_count() IS
    'Trigger on connections: creates unseen devices, keeps counters, times, status, device_destinations, device_activity_hourly, '
    'device_threat_counts, device_addresses and destinations, writes threat_detected once per device and destination. '
    'Locks devices in MAC order.';

DO $unpin$
BEGIN
    PERFORM set_config('search_path', current_setting('cobaltgraph.search_path'), false);
END
$unpin$;

DO $pin$
BEGIN
    PERFORM set_config('cobaltgraph.search_path', current_setting('search_path'), false);
    PERFORM set_config('search_path', quote_ident(current_schema()) || ', pg_temp', false);
END
$pin$;
-- Counters, edges and events were derived from these columns when the row was stored, and outlive the row.
-- Setting src_mac to NULL is what the foreign key does when a device is deleted; nobody else may.
-- Without nested loops for the reason that devices_log_update gives: deleting a busy device updates many rows.
-- Without jit: a loop that cannot be avoided is reckoned endlessly dear then, and each call would be compiled for it.
CREATE OR REPLACE FUNCTION connections_refuse_rewrite()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
SET enable_nestloop = off
SET jit = off
AS $function$
DECLARE
    v_rewritten bigint;
    v_unlinked macaddr[];
BEGIN
    SELECT count(*) FILTER (
               WHERE n.id IS NULL
                  OR n.dst_ip <> o.dst_ip
                  OR n.threat_score <> o.threat_score
                  OR (n.src_mac IS DISTINCT FROM o.src_mac AND n.src_mac IS NOT NULL)),
           pg_catalog.array_agg(DISTINCT o.src_mac) FILTER (WHERE n.src_mac IS NULL AND o.src_mac IS NOT NULL)
    INTO v_rewritten, v_unlinked
    FROM old_rows AS o
    LEFT JOIN new_rows AS n ON n.id = o.id AND n."timestamp" = o."timestamp";

    IF v_rewritten > 0 OR EXISTS (SELECT 1 FROM devices WHERE mac_address = ANY (v_unlinked)) THEN
        RAISE EXCEPTION 'connections is append-only: id, timestamp, src_mac, dst_ip and threat_score of a stored row cannot be changed'
            USING ERRCODE = 'restrict_violation',
                  HINT = 'Other columns, such as dst_country or metadata, may be updated.';
    END IF;
    RETURN NULL;
END
$function$;

REVOKE ALL ON FUNCTION connections_refuse_rewrite() FROM PUBLIC;

COMMENT ON FUNCTION connections_refuse_rewrite() IS
    'Trigger on connections: refuses changes to the columns that counters, edges and events were derived from.';

DO $unpin$
BEGIN
    PERFORM set_config('search_path', current_setting('cobaltgraph.search_path'), false);
END
$unpin$;

DO $pin$
BEGIN
    PERFORM set_config('cobaltgraph.search_path', current_setting('search_path'), false);
    PERFORM set_config('search_path', quote_ident(current_schema()) || ', pg_temp', false);
END
$pin$;
-- Columns of a stored connection may be enriched. What was derived from them follows: categories and bytes by the
-- difference, addresses and destinations by what is new. A row whose device was deleted has nothing left to follow.
-- Without nested loops for the reason that devices_log_update gives.
-- Without jit: a loop that cannot be avoided is reckoned endlessly dear then, and each call would be compiled for it.
CREATE OR REPLACE FUNCTION connections_count_update()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
SET enable_nestloop = off
SET jit = off
AS $function$
DECLARE
    v_now timestamptz := now();
    v_no_bits bit(256) := pg_catalog.repeat('0', 256)::bit(256);
    v_macs macaddr[];
    v_categories device_threat_counts[];
    v_addresses device_addresses[];
    v_destinations destinations[];
    -- differences of bytes
    h_macs macaddr[];
    h_hours timestamptz[];
    h_sent numeric[];
    h_received numeric[];
BEGIN
    WITH changed AS MATERIALIZED (
        SELECT n.src_mac, n."timestamp" AS at, n.dst_ip, n.dst_port, n.protocol, n.dst_country, n.dst_org, n.dst_hostname,
               n.src_ip, n.src_ip IS DISTINCT FROM o.src_ip AS other_address,
               o.threat_category AS old_category, n.threat_category AS new_category,
               n.threat_category IS DISTINCT FROM o.threat_category AS other_category,
               coalesce(n.bytes_sent, 0)::numeric - coalesce(o.bytes_sent, 0) AS sent,
               coalesce(n.bytes_received, 0)::numeric - coalesce(o.bytes_received, 0) AS received
        FROM new_rows AS n
        JOIN old_rows AS o ON o.id = n.id AND o."timestamp" = n."timestamp"
        WHERE (n.dst_port, n.protocol::text, n.dst_country::text, n.dst_org::text, n.dst_hostname::text,
               n.src_ip, n.threat_category::text, n.bytes_sent, n.bytes_received)
            IS DISTINCT FROM
              (o.dst_port, o.protocol::text, o.dst_country::text, o.dst_org::text, o.dst_hostname::text,
               o.src_ip, o.threat_category::text, o.bytes_sent, o.bytes_received)
    ),
    differences AS (
        SELECT pg_catalog.array_agg(b.src_mac) AS macs, pg_catalog.array_agg(b.hour) AS hours,
               pg_catalog.array_agg(b.sent) AS sent, pg_catalog.array_agg(b.received) AS received
        FROM (
            SELECT src_mac, date_trunc('hour', at, 'UTC') AS hour, sum(sent) AS sent, sum(received) AS received
            FROM changed
            WHERE src_mac IS NOT NULL
            GROUP BY 1, 2
            HAVING sum(sent) <> 0 OR sum(received) <> 0
        ) AS b
    )
    SELECT
        -- Of these something is kept. Who says more of destinations alone keeps no device from its writers.
        (
            SELECT pg_catalog.array_agg(DISTINCT c.src_mac)
            FROM changed AS c
            WHERE c.src_mac IS NOT NULL AND (c.other_address OR c.other_category OR c.sent <> 0 OR c.received <> 0)
        ),
        d.macs, d.hours, d.sent, d.received,
        (
            SELECT pg_catalog.array_agg(ROW(g.src_mac, g.category, g.difference)::device_threat_counts)
            FROM (
                SELECT c.src_mac, v.category, sum(v.difference)::bigint AS difference
                FROM changed AS c
                CROSS JOIN LATERAL (VALUES (c.old_category, -1), (c.new_category, 1)) AS v(category, difference)
                WHERE c.src_mac IS NOT NULL AND v.category IS NOT NULL
                GROUP BY c.src_mac, v.category
                HAVING sum(v.difference) <> 0
            ) AS g
        ),
        (
            SELECT pg_catalog.array_agg(ROW(
                c.src_mac, c.src_ip, 'traffic', least(c.at, v_now), least(c.at, v_now), least(c.at, '9999-12-31 23:59:59.999999Z'))::device_addresses)
            FROM changed AS c
            WHERE c.src_mac IS NOT NULL AND c.src_ip IS NOT NULL AND c.other_address
        ),
        (
            SELECT pg_catalog.array_agg(ROW(g.dst_ip, g.dst_port, g.protocol, g.country, g.org, g.hostname)::destinations)
            FROM (
                SELECT dst_ip, dst_port, coalesce(protocol, '') AS protocol, coalesce(dst_country, '') AS country,
                       coalesce(dst_org, '') AS org, coalesce(dst_hostname, '') AS hostname
                FROM changed
                GROUP BY 1, 2, 3, 4, 5, 6
                ORDER BY 1, 2, 3, 4, 5, 6
            ) AS g
        )
    INTO v_macs, h_macs, h_hours, h_sent, h_received, v_categories, v_addresses, v_destinations
    FROM differences AS d;

    IF v_macs IS NOT NULL THEN
        -- A device that is being deleted takes what is derived for it along.
        SELECT pg_catalog.array_agg(k.mac_address) INTO v_macs
        FROM (
            SELECT mac_address FROM devices
            WHERE mac_address = ANY (v_macs)
            ORDER BY mac_address
            FOR NO KEY UPDATE
        ) AS k;

        -- The hours are there since their connections are. ON CONFLICT finds them by key, where UPDATE … FROM without nested
        -- loops would read every hour ever kept.
        INSERT INTO device_activity_hourly AS t
            (src_mac, hour, connection_count, threat_count, max_threat_score, bytes_sent, bytes_received, destination_sketch)
        SELECT u.mac, u.hour, 0, 0, 0, u.sent, u.received, v_no_bits
        FROM unnest(h_macs, h_hours, h_sent, h_received) AS u(mac, hour, sent, received)
        WHERE u.mac = ANY (v_macs)
        ORDER BY u.mac, u.hour
        ON CONFLICT (src_mac, hour) DO UPDATE
        SET bytes_sent = t.bytes_sent + excluded.bytes_sent,
            bytes_received = t.bytes_received + excluded.bytes_received;

        INSERT INTO device_threat_counts AS t (src_mac, threat_category, connection_count)
        SELECT u.src_mac, u.threat_category, u.connection_count
        FROM pg_catalog.unnest(v_categories) AS u
        WHERE u.src_mac = ANY (v_macs)
        ORDER BY u.src_mac, u.threat_category
        ON CONFLICT (src_mac, threat_category) DO UPDATE
        SET connection_count = t.connection_count + excluded.connection_count;

        DELETE FROM device_threat_counts
        WHERE src_mac = ANY (v_macs) AND connection_count = 0;

        UPDATE devices AS t
        SET threat_score = t.threat_score + u.points
        FROM (
            SELECT c.src_mac, sum(c.connection_count * threat_category_weight(c.threat_category))::bigint AS points
            FROM pg_catalog.unnest(v_categories) AS c
            GROUP BY c.src_mac
        ) AS u
        WHERE t.mac_address = u.src_mac AND u.points <> 0;

        IF v_addresses IS NOT NULL THEN
            PERFORM record_addresses(
                pg_catalog.array_agg(u.mac_address), pg_catalog.array_agg(u.ip_address), 'traffic',
                pg_catalog.array_agg(u.first_seen), pg_catalog.array_agg(u.last_seen), pg_catalog.array_agg(u.latest_connection))
            FROM pg_catalog.unnest(v_addresses) AS u
            WHERE u.mac_address = ANY (v_macs);
        END IF;
    END IF;

    INSERT INTO destinations (dst_ip, dst_port, protocol, dst_country, dst_org, dst_hostname)
    SELECT u.dst_ip, u.dst_port, u.protocol, u.dst_country, u.dst_org, u.dst_hostname
    FROM pg_catalog.unnest(v_destinations) AS u
    ON CONFLICT DO NOTHING;

    RETURN NULL;
END
$function$;

REVOKE ALL ON FUNCTION connections_count_update() FROM PUBLIC;

COMMENT ON FUNCTION connections_count_update() IS
    'Trigger on connections: what was derived from columns that may be enriched follows them.';

DO $unpin$
BEGIN
    PERFORM set_config('search_path', current_setting('cobaltgraph.search_path'), false);
END
$unpin$;

CREATE TRIGGER connections_count_update
AFTER UPDATE ON connections
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION connections_count_update();

-- Every total stands with its device: nothing else is read, whatever the number of destinations and connections.
CREATE OR REPLACE VIEW device_summary AS
SELECT mac_address, ip_address, vendor, device_type, status, first_seen, last_seen, connection_count, threat_count,
       unique_destinations, last_connection
FROM devices;

COMMENT ON VIEW device_summary IS 'Every device with its totals; reads devices only.';

-- From devices and device_threat_counts, which has a row per device and category: connections is not read.
CREATE OR REPLACE VIEW device_threats AS
SELECT s.mac_address, s.malware_count, s.c2_count, s.suspicious_geo_count, s.proxy_count, s.other_count, s.threat_score,
       CASE WHEN s.threat_score < 5 THEN 'low' WHEN s.threat_score < 20 THEN 'medium' ELSE 'high' END AS threat_level,
       s.max_threat_score, s.threat_count, s.last_threat
FROM (
    SELECT d.mac_address,
           coalesce(c.malware, 0) AS malware_count,
           coalesce(c.c2, 0) AS c2_count,
           coalesce(c.suspicious_geo, 0) AS suspicious_geo_count,
           coalesce(c.proxy, 0) AS proxy_count,
           coalesce(c.other, 0) AS other_count,
           d.threat_score, d.max_threat_score, d.threat_count, d.last_threat
    FROM devices AS d
    LEFT JOIN (
        SELECT k.src_mac,
               sum(k.connection_count) FILTER (WHERE k.threat_category::text = 'malware')::bigint AS malware,
               sum(k.connection_count) FILTER (WHERE k.threat_category::text = 'c2')::bigint AS c2,
               sum(k.connection_count) FILTER (WHERE k.threat_category::text = 'suspicious_geo')::bigint AS suspicious_geo,
               sum(k.connection_count) FILTER (WHERE k.threat_category::text = 'proxy')::bigint AS proxy,
               sum(k.connection_count) FILTER (
                   WHERE k.threat_category::text NOT IN ('malware', 'c2', 'suspicious_geo', 'proxy'))::bigint AS other
        FROM device_threat_counts AS k
        GROUP BY k.src_mac
    ) AS c ON c.src_mac = d.mac_address
) AS s;

COMMENT ON VIEW device_threats IS
    'Every device with its connections by threat category, threat score and level, highest single score and last threat; '
    'reads devices and device_threat_counts only.';

-- Traffic is no claim: a router forwards it from addresses that it does not hold. A device may claim an address by sightings
-- and by an update at once: what overlaps is one conflict. Filters on the address reach the index.
CREATE OR REPLACE VIEW address_conflicts AS
SELECT r.ip_address, r.mac_address_a, r.mac_address_b, min(r.from_at) AS "from", max(r.until_at) AS until
FROM (
    SELECT s.ip_address, s.mac_address_a, s.mac_address_b, s.from_at, s.until_at,
           count(*) FILTER (WHERE s.starts) OVER (
               PARTITION BY s.ip_address, s.mac_address_a, s.mac_address_b ORDER BY s.from_at ROWS UNBOUNDED PRECEDING) AS run
    FROM (
        SELECT o.ip_address, o.mac_address_a, o.mac_address_b, o.from_at, o.until_at,
               o.from_at > max(o.until_at) OVER (
                   PARTITION BY o.ip_address, o.mac_address_a, o.mac_address_b ORDER BY o.from_at
                   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS starts
        FROM (
            SELECT a.ip_address, a.mac_address AS mac_address_a, b.mac_address AS mac_address_b,
                   greatest(a.first_seen, b.first_seen) AS from_at, least(a.last_seen, b.last_seen) AS until_at
            FROM device_addresses AS a
            JOIN device_addresses AS b
                ON b.ip_address = a.ip_address AND b.mac_address > a.mac_address
                AND b.first_seen <= a.last_seen AND b.last_seen >= a.first_seen
            WHERE a.source::text IN ('sighting', 'update') AND b.source::text IN ('sighting', 'update')
        ) AS o
    ) AS s
) AS r
GROUP BY r.ip_address, r.mac_address_a, r.mac_address_b, r.run;

COMMENT ON VIEW address_conflicts IS
    'Two devices that claimed one address at a time, by sightings or updates, and from when to when both did; until is infinity '
    'while both updates stand.';

DO $finish$
DECLARE
    v_macs macaddr[];
    v_hour timestamptz;
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
        WHERE t.tgname IN ('back_fill_insert', 'back_fill_update') AND t.tgenabled = 'O'
          AND c.relname = 'connections' AND c.relnamespace = quote_ident(current_schema())::regnamespace
        HAVING count(*) = 2) THEN
        IF to_regclass(quote_ident(current_schema()) || '.back_fill') IS NOT NULL THEN
            DROP TABLE back_fill, back_fill_marks, back_fill_hours, back_fill_categories, back_fill_addresses, back_fill_destinations;
            DROP FUNCTION back_fill_stage(timestamptz, timestamptz, macaddr[]);
            DROP FUNCTION back_fill_mark() CASCADE;
        END IF;

        CREATE TABLE back_fill (done_until timestamptz NOT NULL, last_event bigint NOT NULL);
        COMMENT ON TABLE back_fill IS
            'How far the next migration is prepared, beside the tables of its name: connections before done_until are read. '
            'The migration drops them.';
        INSERT INTO back_fill (done_until, last_event) SELECT '-infinity', last_value FROM device_events_id_seq;

        CREATE TABLE back_fill_marks (hour timestamptz NOT NULL);
        COMMENT ON TABLE back_fill_marks IS 'Hours written since they were read, beside back_fill.';
        CREATE TABLE back_fill_hours (
            src_mac macaddr NOT NULL, hour timestamptz NOT NULL, connection_count bigint, threat_count bigint,
            max_threat_score real, bytes_sent numeric, bytes_received numeric, destination_sketch bit(256), last_threat timestamptz);
        CREATE TABLE back_fill_categories (
            src_mac macaddr NOT NULL, hour timestamptz NOT NULL, threat_category varchar(50), connection_count bigint);
        CREATE TABLE back_fill_addresses (
            src_mac macaddr NOT NULL, hour timestamptz NOT NULL, src_ip inet, first_at timestamptz, last_at timestamptz);
        CREATE TABLE back_fill_destinations (
            dst_ip inet, dst_port integer, protocol varchar(10), dst_country varchar(2), dst_org varchar(255),
            dst_hostname varchar(255), PRIMARY KEY (dst_ip, dst_port, dst_hostname, dst_org, dst_country, protocol));
        COMMENT ON TABLE back_fill_hours IS 'For device_activity_hourly, beside back_fill.';
        COMMENT ON TABLE back_fill_categories IS 'For device_threat_counts, beside back_fill.';
        COMMENT ON TABLE back_fill_addresses IS 'For device_addresses, beside back_fill.';
        COMMENT ON TABLE back_fill_destinations IS 'For destinations, beside back_fill.';
        CREATE INDEX ON back_fill_marks (hour);
        CREATE INDEX ON back_fill_hours (hour);
        CREATE INDEX ON back_fill_categories (hour);
        CREATE INDEX ON back_fill_addresses (hour);
        RETURN;
    END IF;

    FOR v_hour IN SELECT DISTINCT m.hour FROM back_fill_marks AS m JOIN back_fill AS b ON m.hour < b.done_until LOOP
        PERFORM back_fill_stage(v_hour, v_hour + interval '1 hour');
    END LOOP;

    SELECT pg_catalog.array_agg(DISTINCT e.device_mac) INTO v_macs
    FROM device_events AS e
    JOIN back_fill AS b ON e.id > b.last_event
    WHERE e.event_type = 'removed';
    IF v_macs IS NOT NULL THEN
        PERFORM back_fill_stage('-infinity', b.done_until, v_macs) FROM back_fill AS b;
    END IF;
END
$finish$;

UPDATE devices AS t
SET max_threat_score = e.score, unique_destinations = e.destinations, last_connection = e.last_connection
FROM (
    SELECT src_mac, max(max_threat_score) AS score, count(*) AS destinations, max(last_seen) AS last_connection
    FROM device_destinations
    GROUP BY src_mac
) AS e
WHERE t.mac_address = e.src_mac;

DO $connections$
DECLARE
    v_from timestamptz;
BEGIN
    -- Where the migration was prepared, what lies before is read.
    SELECT done_until INTO v_from FROM back_fill;

    UPDATE devices AS t
    SET last_threat = least(c.last_threat, now())
    FROM (
        SELECT k.src_mac, max(k.last_threat) AS last_threat
        FROM (
            SELECT src_mac, max("timestamp") AS last_threat
            FROM connections
            WHERE "timestamp" >= v_from AND threat_score >= threat_threshold()
            GROUP BY src_mac
            UNION ALL
            SELECT src_mac, last_threat FROM back_fill_hours WHERE last_threat IS NOT NULL
        ) AS k
        GROUP BY k.src_mac
    ) AS c
    WHERE t.mac_address = c.src_mac;

    INSERT INTO device_threat_counts (src_mac, threat_category, connection_count)
    SELECT k.src_mac, k.threat_category, sum(k.connection_count)
    FROM (
        SELECT src_mac, threat_category, count(*) AS connection_count
        FROM connections
        WHERE "timestamp" >= v_from AND src_mac IS NOT NULL AND threat_category IS NOT NULL
        GROUP BY src_mac, threat_category
        UNION ALL
        SELECT src_mac, threat_category, connection_count FROM back_fill_categories
    ) AS k
    GROUP BY k.src_mac, k.threat_category;

    UPDATE devices AS t
    SET threat_score = k.points
    FROM (
        SELECT src_mac, sum(connection_count * threat_category_weight(threat_category))::bigint AS points
        FROM device_threat_counts
        GROUP BY src_mac
    ) AS k
    WHERE t.mac_address = k.src_mac AND k.points > 0;

    -- Whole hours are read beforehand, so that no hour is in both.
    INSERT INTO device_activity_hourly
        (src_mac, hour, connection_count, threat_count, max_threat_score, bytes_sent, bytes_received, destination_sketch)
    SELECT src_mac, date_trunc('hour', "timestamp", 'UTC'), count(*), count(*) FILTER (WHERE threat_score >= threat_threshold()),
           max(threat_score), coalesce(sum(bytes_sent), 0), coalesce(sum(bytes_received), 0),
           bit_or(set_bit(repeat('0', 256)::bit(256), hashinet(dst_ip) & 255, 1))
    FROM connections
    WHERE "timestamp" >= v_from AND src_mac IS NOT NULL
    GROUP BY 1, 2;

    INSERT INTO device_activity_hourly
        (src_mac, hour, connection_count, threat_count, max_threat_score, bytes_sent, bytes_received, destination_sketch)
    SELECT src_mac, hour, connection_count, threat_count, max_threat_score, bytes_sent, bytes_received, destination_sketch
    FROM back_fill_hours;

    INSERT INTO destinations (dst_ip, dst_port, protocol, dst_country, dst_org, dst_hostname)
    SELECT dst_ip, dst_port, coalesce(protocol, ''), coalesce(dst_country, ''), coalesce(dst_org, ''),
           coalesce(dst_hostname, '')
    FROM connections
    WHERE "timestamp" >= v_from
    UNION
    SELECT dst_ip, dst_port, protocol, dst_country, dst_org, dst_hostname
    FROM back_fill_destinations;
END
$connections$;

INSERT INTO device_addresses (mac_address, ip_address, source, first_seen, last_seen)
SELECT k.mac_address, set_masklen(k.ip, CASE family(k.ip) WHEN 4 THEN 32 ELSE 128 END), 'sighting', k.seen_at, k.seen_at
FROM (
    SELECT mac_address, ipv4 AS ip, ipv4_seen_at AS seen_at FROM device_sightings WHERE ipv4 IS NOT NULL
    UNION ALL
    SELECT mac_address, ipv6, ipv6_seen_at FROM device_sightings WHERE ipv6 IS NOT NULL
) AS k;

DO $traffic$
DECLARE
    v_from timestamptz;
BEGIN
    SELECT done_until INTO v_from FROM back_fill;

    INSERT INTO device_addresses (mac_address, ip_address, source, first_seen, last_seen, latest_connection)
    SELECT g.src_mac, g.src_ip, 'traffic', min(g.first_at), max(g.last_at),
           least(max(g.latest_at), '9999-12-31 23:59:59.999999Z')
    FROM (
        SELECT o.src_mac, o.src_ip, o.first_at, o.last_at, o.latest_at, count(*) FILTER (WHERE o.starts) OVER (
            PARTITION BY o.src_mac, o.src_ip ORDER BY o.first_at ROWS UNBOUNDED PRECEDING) AS run
        FROM (
            SELECT c.src_mac, c.src_ip, c.first_at, c.last_at, c.latest_at,
                   c.first_at > lag(c.last_at) OVER (PARTITION BY c.src_mac, c.src_ip ORDER BY c.first_at) + address_lapse() AS starts
            FROM (
                SELECT src_mac, set_masklen(src_ip, CASE family(src_ip) WHEN 4 THEN 32 ELSE 128 END) AS src_ip,
                       least(min("timestamp"), now()) AS first_at, least(max("timestamp"), now()) AS last_at,
                       max("timestamp") AS latest_at
                FROM connections
                WHERE "timestamp" >= v_from AND src_mac IS NOT NULL AND src_ip IS NOT NULL
                GROUP BY 1, 2, date_trunc('day', "timestamp", 'UTC')
                UNION ALL
                SELECT src_mac, src_ip, least(first_at, now()), least(last_at, now()), last_at FROM back_fill_addresses
            ) AS c
            WHERE c.src_ip NOT IN ('0.0.0.0', '::')
        ) AS o
    ) AS g
    GROUP BY g.src_mac, g.src_ip, g.run;
END
$traffic$;

DO $updates$
DECLARE
    v_text text;
    v_texts text[];
    v_ips inet[];
BEGIN
    FOR v_text IN
        SELECT old_value FROM device_events WHERE event_type = 'ip_changed' AND old_value IS NOT NULL
        UNION
        SELECT new_value FROM device_events WHERE event_type = 'ip_changed' AND new_value IS NOT NULL
    LOOP
        BEGIN
            v_ips := v_ips || set_masklen(v_text::inet, CASE family(v_text::inet) WHEN 4 THEN 32 ELSE 128 END);
            v_texts := v_texts || v_text;
        EXCEPTION
            WHEN invalid_text_representation THEN
                CONTINUE;
        END;
    END LOOP;

    WITH said AS (
        SELECT d.mac_address AS mac, d.first_seen,
               (SELECT max(r."timestamp") FROM device_events AS r
                WHERE r.device_mac = d.mac_address AND r.event_type = 'removed' AND isfinite(r."timestamp")) AS removed_at,
               set_masklen(d.ip_address, CASE family(d.ip_address) WHEN 4 THEN 32 ELSE 128 END) AS ip
        FROM devices AS d
        LEFT JOIN device_sightings AS k ON k.mac_address = d.mac_address
        WHERE host(d.ip_address) NOT IN ('0.0.0.0', '::')
          AND host(d.ip_address) IS DISTINCT FROM host(k.ipv4) AND host(d.ip_address) IS DISTINCT FROM host(k.ipv6)
    ),
    told AS (
        SELECT s.mac, s.ip, s.first_seen, e.event_type, e."timestamp" AS at, o.ip AS old_ip, n.ip AS new_ip,
               lead(e."timestamp") OVER device AS until_at, lag(e."timestamp") OVER device AS previous_at,
               coalesce(lag(e.event_type) OVER device, 'removed') = 'removed' AS is_first
        FROM said AS s
        JOIN device_events AS e
            ON e.device_mac = s.mac AND e.event_type IN ('ip_changed', 'removed') AND isfinite(e."timestamp")
        LEFT JOIN unnest(v_texts, v_ips) AS o(text, ip) ON o.text = e.old_value AND e.event_type = 'ip_changed'
        LEFT JOIN unnest(v_texts, v_ips) AS n(text, ip) ON n.text = e.new_value AND e.event_type = 'ip_changed'
        WINDOW device AS (PARTITION BY s.mac ORDER BY e."timestamp", e.id)
    )
    INSERT INTO device_addresses (mac_address, ip_address, source, first_seen, last_seen)
    SELECT u.mac, u.ip, 'update', u.since, max(u.until_at)
    FROM (
        SELECT s.mac, s.ip, coalesce(max(t.at), s.first_seen) AS since, 'infinity'::timestamptz AS until_at
        FROM said AS s
        LEFT JOIN told AS t ON t.mac = s.mac AND t.new_ip = s.ip AND (s.removed_at IS NULL OR t.at >= s.removed_at)
        GROUP BY s.mac, s.ip, s.first_seen
        UNION ALL
        SELECT t.mac, t.new_ip, t.at, t.until_at FROM told AS t WHERE t.until_at IS NOT NULL
        UNION ALL
        SELECT t.mac, t.old_ip, least(t.at, greatest(t.first_seen, t.previous_at)), t.at FROM told AS t WHERE t.is_first
    ) AS u
    WHERE host(u.ip) NOT IN ('0.0.0.0', '::')
    GROUP BY u.mac, u.ip, u.since;
END
$updates$;

DO $drop$
BEGIN
    IF EXISTS (
        SELECT 1 FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
        WHERE t.tgname IN ('back_fill_insert', 'back_fill_update') AND t.tgenabled = 'O'
          AND c.relname = 'connections' AND c.relnamespace = quote_ident(current_schema())::regnamespace
        HAVING count(*) = 2) THEN
        DROP TRIGGER back_fill_insert ON connections;
        DROP TRIGGER back_fill_update ON connections;
        DROP FUNCTION back_fill_mark();
        DROP FUNCTION back_fill_stage(timestamptz, timestamptz, macaddr[]);
    END IF;
    DROP TABLE back_fill, back_fill_marks, back_fill_hours, back_fill_categories, back_fill_addresses, back_fill_destinations;
END
$drop$;

ALTER TABLE destinations ADD CONSTRAINT pk_destinations PRIMARY KEY (dst_ip, dst_port, dst_hostname, dst_org, dst_country, protocol);

ALTER TABLE device_activity_hourly ADD CONSTRAINT pk_device_activity_hourly PRIMARY KEY (src_mac, hour);

ALTER TABLE device_addresses ADD CONSTRAINT pk_device_addresses PRIMARY KEY (mac_address, ip_address, source, first_seen);

ALTER TABLE device_threat_counts ADD CONSTRAINT pk_device_threat_counts PRIMARY KEY (src_mac, threat_category);

ALTER TABLE device_activity_hourly ADD CONSTRAINT fk_device_activity_hourly_devices_src_mac FOREIGN KEY (src_mac) REFERENCES devices (mac_address) ON DELETE CASCADE;

ALTER TABLE device_threat_counts ADD CONSTRAINT fk_device_threat_counts_devices_src_mac FOREIGN KEY (src_mac) REFERENCES devices (mac_address) ON DELETE CASCADE;

CREATE INDEX ix_destinations_dst_country ON destinations (dst_country);

CREATE INDEX ix_destinations_dst_port ON destinations (dst_port);

CREATE INDEX ix_device_activity_hourly_hour ON device_activity_hourly (hour);

CREATE INDEX ix_device_addresses_ip_address_first_seen ON device_addresses (ip_address, first_seen);

CREATE INDEX ix_device_addresses_mac_address ON device_addresses (mac_address) WHERE source <> 'traffic';

DO $text$
BEGIN
    PERFORM ensure_text_search();
END
$text$;

INSERT INTO "__EFMigrationsHistory" (migration_id, product_version)
VALUES ('20261124000002_ThreatScoring', '10.0.15');

\endif
DO $proof$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM "__EFMigrationsHistory" WHERE migration_id::text = '20261124000002_ThreatScoring') THEN
        RAISE EXCEPTION '20261124000002_ThreatScoring is not in the history of schema "%": it was not applied.',
            pg_catalog.current_schema();
    END IF;
END
$proof$;
SELECT pg_catalog.set_config('search_path', :'cobaltgraph_search_path', false) AS cobaltgraph_search_path \gset
COMMIT;
