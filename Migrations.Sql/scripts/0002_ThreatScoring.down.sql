-- CobaltGraph: 20261124000002_ThreatScoring, down.
-- Written by: cobaltgraph script --output-folder Migrations.Sql/scripts. Edit the migration instead.
--
-- Does   until its end locks out writers of connections, devices; drops views address_conflicts, device_threats;
--        creates or replaces view device_summary; drops trigger connections_count_update; drops functions
--        connections_count_update, merge_sightings_with_metadata, address_claims, record_address_updates,
--        record_addresses, address_lapse, drop_connection_partitions, ensure_text_search, distinct_estimate,
--        threat_category_weight; creates or replaces functions connections_refuse_rewrite, connections_count,
--        merge_device_sightings, devices_log_truncate, devices_log_delete, devices_log_update, devices_log_insert,
--        sweep_device_status, ensure_connection_partitions; drops with all rows tables destinations,
--        device_activity_hourly, device_addresses, device_threat_counts; drops indexes
--        ix_connections_dst_port_timestamp, ix_connections_metadata, ix_connections_src_ip_timestamp,
--        ix_connections_threat_category_timestamp, ix_connections_timestamp_threat_score,
--        ix_device_events_event_type_timestamp, ix_device_destinations_first_seen; alters table devices; alters column
--        ingest_batches.content_hash; drops with all values columns devices.last_connection, devices.last_threat,
--        devices.max_threat_score, devices.threat_score, devices.unique_destinations,
--        device_sightings.confidence_seen_at, device_sightings.metadata_seen_at; creates index
--        ix_connections_threat_score_timestamp.
-- Needs  PostgreSQL 12 or later, psql 11 or later, a database in UTF8. The role that owns the site's tables; no
--        superuser. 20261124000002_ThreatScoring as the newest migration.
-- Run    psql -X -v schema=SITE -f 0002_ThreatScoring.down.sql "host=... dbname=... user=..."
--        Without schema=, the first schema of the search path is the site. -v lock_timeout= and -v statement_timeout=
--        replace 5s and 30min; 0 is none.
-- Ends   One transaction: all of it or nothing. What it drops, no later up brings back: take a backup.

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

    IF v_applied[cardinality(v_applied)] IS DISTINCT FROM '20261124000002_ThreatScoring' THEN
        RAISE EXCEPTION '20261124000002_ThreatScoring is not the newest migration; schema "%" has %.',
            v_site, coalesce(nullif(array_to_string(v_applied, ', '), ''), 'no migration')
            USING HINT = 'Revert the newest migration first, with the down script of its number.';
    END IF;
    PERFORM set_config('cobaltgraph.pending', 'true', false);
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

DROP VIEW address_conflicts;

DROP VIEW device_threats;

-- Totals come from devices and their edges; connections is not read, so the cost does not grow with history.
CREATE OR REPLACE VIEW device_summary AS
SELECT d.mac_address, d.ip_address, d.vendor, d.device_type, d.status, d.first_seen, d.last_seen,
       d.connection_count, d.threat_count,
       coalesce(e.unique_destinations, 0) AS unique_destinations,
       e.last_connection
FROM devices AS d
LEFT JOIN (
    SELECT src_mac, count(*) AS unique_destinations, max(last_seen) AS last_connection
    FROM device_destinations
    GROUP BY src_mac
) AS e ON e.src_mac = d.mac_address;

COMMENT ON VIEW device_summary IS 'Every device with its totals; reads devices and device_destinations only.';

DROP TRIGGER connections_count_update ON connections;

DROP FUNCTION connections_count_update;

DO $pin$
BEGIN
    PERFORM set_config('cobaltgraph.search_path', current_setting('search_path'), false);
    PERFORM set_config('search_path', quote_ident(current_schema()) || ', pg_temp', false);
END
$pin$;
-- Counters, edges and events were derived from these columns when the row was stored, and outlive the row.
-- Setting src_mac to NULL is what the foreign key does when a device is deleted; nobody else may.
-- Without nested loops for the reason that devices_log_update gives: deleting a busy device updates many rows.
CREATE OR REPLACE FUNCTION connections_refuse_rewrite()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
SET enable_nestloop = off
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
-- Everything that follows from new connections: unseen devices, counters, times, status, edges, threat events.
-- Set-based, and in this order:
--   1. One SELECT reads the transition table into arrays; nothing after it touches that table.
--   2. One statement inserts unseen devices and updates the others, in MAC order. Whoever waits in it holds only devices
--      with smaller addresses, so that writers queue instead of deadlocking. From here on the edges of these devices
--      belong to this transaction.
--   3. Devices of fresh connections become active; a new one was inserted as discovered, so that both are events.
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
    -- one entry per device and destination; arrays of rows are filled and read several times as fast as one of each column
    v_edges device_destinations[];
    -- one entry per device
    d_macs macaddr[];
    d_firsts timestamptz[];
    d_lasts timestamptz[];
    d_counts bigint[];
    d_threats bigint[];
    -- first threats
    t_macs macaddr[];
    t_ips inet[];
BEGIN
    SELECT pg_catalog.array_agg(ROW(
        e.src_mac, e.dst_ip, e.first_at, e.last_at, e.connections, e.threats, e.score)::device_destinations)
    INTO v_edges
    FROM (
        SELECT src_mac, dst_ip,
               least(min("timestamp"), v_now) AS first_at,
               least(max("timestamp"), v_now) AS last_at,
               count(*) AS connections,
               count(*) FILTER (WHERE threat_score >= v_threshold) AS threats,
               max(threat_score) AS score
        FROM new_rows
        WHERE src_mac IS NOT NULL
        GROUP BY src_mac, dst_ip
        ORDER BY src_mac, dst_ip
    ) AS e;

    IF v_edges IS NULL THEN
        RETURN NULL;
    END IF;

    SELECT pg_catalog.array_agg(d.mac), pg_catalog.array_agg(d.first_at), pg_catalog.array_agg(d.last_at),
           pg_catalog.array_agg(d.connections), pg_catalog.array_agg(d.threats)
    INTO d_macs, d_firsts, d_lasts, d_counts, d_threats
    FROM (
        SELECT u.src_mac AS mac, min(u.first_seen) AS first_at, max(u.last_seen) AS last_at,
               sum(u.connection_count)::bigint AS connections, sum(u.threat_count)::bigint AS threats
        FROM pg_catalog.unnest(v_edges) AS u
        GROUP BY u.src_mac
        ORDER BY u.src_mac
    ) AS d;

    INSERT INTO devices AS t
        (mac_address, first_seen, last_seen, last_activity, connection_count, threat_count)
    SELECT u.mac, u.first_at, u.last_at, u.last_at, u.connections, u.threats
    FROM unnest(d_macs, d_firsts, d_lasts, d_counts, d_threats)
        AS u(mac, first_at, last_at, connections, threats)
    ORDER BY u.mac
    ON CONFLICT (mac_address) DO UPDATE
    SET first_seen = least(t.first_seen, excluded.first_seen),
        last_seen = greatest(t.last_seen, excluded.last_seen),
        last_activity = greatest(t.last_activity, excluded.last_activity),
        connection_count = t.connection_count + excluded.connection_count,
        threat_count = t.threat_count + excluded.threat_count;

    UPDATE devices AS t
    SET status = 'active'
    FROM unnest(d_macs, d_lasts) AS u(mac, last_at)
    WHERE t.mac_address = u.mac AND u.last_at > v_active_after AND t.status::text <> 'active';

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
        max_threat_score = greatest(t.max_threat_score, excluded.max_threat_score);

    IF t_macs IS NOT NULL THEN
        INSERT INTO device_events (device_mac, event_type, new_value)
        SELECT u.mac, 'threat_detected', abbrev(u.ip)
        FROM unnest(t_macs, t_ips) AS u(mac, ip);
    END IF;

    RETURN NULL;
END
$function$;

REVOKE ALL ON FUNCTION connections_count() FROM PUBLIC;

COMMENT ON FUNCTION connections_count() IS
    'Trigger on connections: creates unseen devices, keeps counters, times, status and device_destinations, '
    'writes threat_detected once per device and destination. Locks devices in MAC order.';

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
-- of their times: the result depends neither on their real order nor on batches or the number of writers. One thing
-- does: the primary address stays in the family that it has, and a device without one gets that of its earliest address
-- in the call. What is stored late, an import of last week, must not move what a live device is reached by.
--   1. One SELECT makes one entry per device: of each attribute the newest value, of equally new ones the greatest.
--   2. One statement locks the devices, in MAC order as writers of connections and the sweep do, so that nobody
--      deadlocks. Where some are unseen it inserts them on the way; it updates nothing, and so returns the inserted only.
--   3. With all devices locked, one statement compares with what is known and writes down what changes.
-- Only traffic and the sweep change a status: a sighting does not.
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
SET plan_cache_mode = force_custom_plan
SET jit = off
AS $function$
DECLARE
    v_now timestamptz := now();
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
BEGIN
    SELECT a.name || ' has ' || a.length::text || ' elements, p_macs has ' || coalesce(pg_catalog.cardinality(p_macs), 0)::text
    INTO v_problem
    FROM (VALUES
        ('p_ips', pg_catalog.cardinality(p_ips)),
        ('p_hostnames', pg_catalog.cardinality(p_hostnames)),
        ('p_vendors', pg_catalog.cardinality(p_vendors)),
        ('p_device_types', pg_catalog.cardinality(p_device_types)),
        ('p_seen_at', pg_catalog.cardinality(p_seen_at)),
        ('p_sources', pg_catalog.cardinality(p_sources))) AS a(name, length)
    WHERE a.length <> coalesce(pg_catalog.cardinality(p_macs), 0)
    LIMIT 1;

    IF v_problem IS NOT NULL THEN
        RAISE EXCEPTION 'merge_device_sightings: %', v_problem
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
        RAISE EXCEPTION 'merge_device_sightings: %', v_problem
            USING ERRCODE = 'invalid_parameter_value';
    END IF;

    IF (SELECT pg_catalog.count(DISTINCT u.mac) FROM pg_catalog.unnest(p_macs) AS u(mac)) = pg_catalog.cardinality(p_macs) THEN
        -- Nothing to compare: every time is that of the one sighting.
        SELECT pg_catalog.array_agg(g.mac), pg_catalog.array_agg(g.at),
               pg_catalog.array_agg(CASE WHEN g.family = 4 THEN g.ip END),
               pg_catalog.array_agg(CASE WHEN g.family = 6 THEN g.ip END), pg_catalog.array_agg(g.family),
               pg_catalog.array_agg(g.hostname), pg_catalog.array_agg(g.vendor),
               pg_catalog.array_agg(g.device_type), pg_catalog.array_agg(g.source)
        INTO d_macs, d_lasts, d_ipv4s, d_ipv6s, d_families, d_hostnames, d_vendors, d_types, d_sources
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
            PERFORM merge_device_sightings(
                pg_catalog.array_agg(u.mac), pg_catalog.array_agg(u.ip), pg_catalog.array_agg(u.hostname),
                pg_catalog.array_agg(u.vendor), pg_catalog.array_agg(u.device_type), pg_catalog.array_agg(u.seen_at),
                pg_catalog.array_agg(u.source))
            FROM unnest(p_macs, p_ips, p_hostnames, p_vendors, p_device_types, p_seen_at, p_sources)
                AS u(mac, ip, hostname, vendor, device_type, seen_at, source)
            WHERE u.mac = ANY (l_macs);
            known_devices := pg_catalog.cardinality(d_macs);
            RETURN;
        END IF;
    ELSE
        WITH inserted AS (
            INSERT INTO devices AS t
                (mac_address, first_seen, last_seen, last_activity, ip_address, hostname, vendor, device_type)
            SELECT u.mac, coalesce(u.first_at, u.last_at), u.last_at, u.last_at, CASE u.family WHEN 4 THEN u.ipv4 WHEN 6 THEN u.ipv6 END,
                   u.hostname, u.vendor, u.device_type
            FROM unnest(d_macs, d_firsts, d_lasts, d_families, d_ipv4s, d_ipv6s, d_hostnames, d_vendors, d_types)
                AS u(mac, first_at, last_at, family, ipv4, ipv6, hostname, vendor, device_type)
            ORDER BY u.mac
            ON CONFLICT (mac_address) DO UPDATE SET last_seen = t.last_seen WHERE false
            RETURNING mac_address
        )
        SELECT pg_catalog.array_agg(i.mac_address) INTO n_macs FROM inserted AS i;
    END IF;

    WITH merged AS MATERIALIZED (
        SELECT u.mac, n.mac IS NOT NULL AS inserted, k.mac_address IS NOT NULL AS sighted,
               n.mac IS NULL AND (u.first_at < d.first_seen OR u.last_at > d.last_seen OR o.activity_at > d.last_activity
                   OR o.hostname_newer OR o.vendor_newer OR o.type_newer OR i.ip IS DISTINCT FROM d.ip_address)
                   AS device_changes,
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
            SELECT CASE
                       WHEN d.ip_address IS NULL THEN CASE u.family WHEN 4 THEN f.ipv4 WHEN 6 THEN f.ipv6 END
                       WHEN o.ipv4_newer AND family(d.ip_address) = 4 THEN f.ipv4
                       WHEN o.ipv6_newer AND family(d.ip_address) = 6 THEN f.ipv6
                       ELSE d.ip_address
                   END AS ip
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

    new_devices := coalesce(pg_catalog.cardinality(n_macs), 0);
    known_devices := pg_catalog.cardinality(d_macs) - new_devices;
END
$function$;

REVOKE ALL ON FUNCTION merge_device_sightings(macaddr[], inet[], text[], text[], text[], timestamptz[], text[]) FROM PUBLIC;

COMMENT ON FUNCTION merge_device_sightings(macaddr[], inet[], text[], text[], text[], timestamptz[], text[]) IS
    'Stores sightings, one per element of the arrays; a whole array may be NULL. Unseen devices are inserted as discovered. '
    'NULL and empty text erase nothing, of several values the one seen last holds, and an address replaces only one of '
    'its family. A time of NULL or in the future is now(). Returns how many devices were new and how many known.';

DO $unpin$
BEGIN
    PERFORM set_config('search_path', current_setting('cobaltgraph.search_path'), false);
END
$unpin$;

DROP FUNCTION merge_sightings_with_metadata;

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
BEGIN
    INSERT INTO device_events (device_mac, event_type, old_value, metadata)
    SELECT mac_address, 'removed', status, pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
        'ip_address', abbrev(ip_address), 'hostname', hostname, 'vendor', vendor))
    FROM devices
    ORDER BY mac_address;
    RETURN NULL;
END
$function$;

REVOKE ALL ON FUNCTION devices_log_truncate() FROM PUBLIC;

COMMENT ON FUNCTION devices_log_truncate() IS
    'Trigger on devices: writes a removed event for each device before a TRUNCATE.';

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
    v_details jsonb[];
BEGIN
    SELECT pg_catalog.array_agg(o.mac_address), pg_catalog.array_agg(o.status), pg_catalog.array_agg(o.detail)
    INTO v_macs, v_statuses, v_details
    FROM (
        SELECT mac_address, status, pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
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
    RETURN NULL;
END
$function$;

REVOKE ALL ON FUNCTION devices_log_delete() FROM PUBLIC;

COMMENT ON FUNCTION devices_log_delete() IS
    'Trigger on devices: writes a removed event for each deleted device, with what was known of it.';

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
CREATE OR REPLACE FUNCTION devices_log_update()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
SET enable_nestloop = off
AS $function$
DECLARE
    v_macs macaddr[];
    v_old_statuses text[];
    v_new_statuses text[];
    v_old_ips inet[];
    v_new_ips inet[];
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
    RETURN NULL;
END
$function$;

REVOKE ALL ON FUNCTION devices_log_update() FROM PUBLIC;

COMMENT ON FUNCTION devices_log_update() IS
    'Trigger on devices: writes active, idle, offline and ip_changed events, one for each real change.';

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
CREATE OR REPLACE FUNCTION devices_log_insert()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
AS $function$
DECLARE
    v_macs macaddr[];
    v_statuses text[];
BEGIN
    SELECT pg_catalog.array_agg(n.mac_address), pg_catalog.array_agg(n.status)
    INTO v_macs, v_statuses
    FROM (SELECT mac_address, status FROM new_rows ORDER BY mac_address) AS n;

    IF v_macs IS NULL THEN
        RETURN NULL;
    END IF;

    INSERT INTO device_events (device_mac, event_type, new_value)
    SELECT e.mac, 'discovered', e.status
    FROM unnest(v_macs, v_statuses) AS e(mac, status);
    RETURN NULL;
END
$function$;

REVOKE ALL ON FUNCTION devices_log_insert() FROM PUBLIC;

COMMENT ON FUNCTION devices_log_insert() IS
    'Trigger on devices: writes one discovered event for each new device.';

DO $unpin$
BEGIN
    PERFORM set_config('search_path', current_setting('cobaltgraph.search_path'), false);
END
$unpin$;

DROP FUNCTION address_claims;

DROP FUNCTION record_address_updates;

DROP FUNCTION record_addresses;

DROP FUNCTION address_lapse;

DO $pin$
BEGIN
    PERFORM set_config('cobaltgraph.search_path', current_setting('search_path'), false);
    PERFORM set_config('search_path', quote_ident(current_schema()) || ', pg_temp', false);
END
$pin$;
-- The only place where time alone changes a status.
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
    'Returns how many devices became each. Run it every minute or so; p_now is for tests.';

DO $unpin$
BEGIN
    PERFORM set_config('search_path', current_setting('cobaltgraph.search_path'), false);
END
$unpin$;

DROP FUNCTION drop_connection_partitions;

DO $pin$
BEGIN
    PERFORM set_config('cobaltgraph.search_path', current_setting('search_path'), false);
    PERFORM set_config('search_path', quote_ident(current_schema()) || ', pg_temp', false);
END
$pin$;
-- A writer that has routed a row to the default partition fails if a partition for that row appears before the row is
-- stored. So writers wait: connections is locked against them before anything is made. Who has devices or the default
-- partition may want connections next, in a transaction that upserts a device and then stores its connection: while
-- connections is held, the others are waited for only briefly, shorter than deadlock_timeout, then all is let go and
-- tried again. Making an empty partition takes milliseconds; moving rows out of the default partition takes as long as
-- it takes.
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
                        LOCK TABLE ONLY connections IN SHARE ROW EXCLUSIVE MODE;
                        v_alone := true;
                        SELECT NULLIF(partdefid, 0::oid)::regclass INTO v_default
                        FROM pg_catalog.pg_partitioned_table WHERE partrelid = 'connections'::regclass::oid;
                        PERFORM set_config('lock_timeout', '200ms', true);
                        LOCK TABLE devices IN SHARE ROW EXCLUSIVE MODE;
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
                    PERFORM pg_sleep(0.05 + random() * 0.1);
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

DROP FUNCTION ensure_text_search;

DROP FUNCTION distinct_estimate;

DROP FUNCTION threat_category_weight;

DROP TABLE destinations;

DROP TABLE device_activity_hourly;

DROP TABLE device_addresses;

DROP TABLE device_threat_counts;

DROP INDEX ix_connections_dst_port_timestamp;

DROP INDEX ix_connections_metadata;

DROP INDEX ix_connections_src_ip_timestamp;

DROP INDEX ix_connections_threat_category_timestamp;

DROP INDEX ix_connections_timestamp_threat_score;

DROP INDEX ix_device_events_event_type_timestamp;

DROP INDEX ix_device_destinations_first_seen;

ALTER TABLE devices SET (fillfactor=70);

COMMENT ON COLUMN ingest_batches.content_hash IS 'SHA-256 of the batch''s content: the same key with another hash is a conflict. NULL when its writer gave none.';

ALTER TABLE devices DROP COLUMN last_connection;

ALTER TABLE devices DROP COLUMN last_threat;

ALTER TABLE devices DROP COLUMN max_threat_score;

ALTER TABLE devices DROP COLUMN threat_score;

ALTER TABLE devices DROP COLUMN unique_destinations;

ALTER TABLE device_sightings DROP COLUMN confidence_seen_at;

ALTER TABLE device_sightings DROP COLUMN metadata_seen_at;

CREATE INDEX ix_connections_threat_score_timestamp ON connections (threat_score, timestamp) WHERE threat_score >= 2::real;

DELETE FROM "__EFMigrationsHistory"
WHERE migration_id = '20261124000002_ThreatScoring';

\endif
DO $proof$
BEGIN
    IF EXISTS (SELECT 1 FROM "__EFMigrationsHistory" WHERE migration_id::text = '20261124000002_ThreatScoring') THEN
        RAISE EXCEPTION '20261124000002_ThreatScoring is still in the history of schema "%": it was not reverted.',
            pg_catalog.current_schema();
    END IF;
END
$proof$;
SELECT pg_catalog.set_config('search_path', :'cobaltgraph_search_path', false) AS cobaltgraph_search_path \gset
COMMIT;
