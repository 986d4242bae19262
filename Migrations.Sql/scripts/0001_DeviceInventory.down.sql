-- CobaltGraph: 20261124000001_DeviceInventory, down.
-- Written by: cobaltgraph script --output-folder Migrations.Sql/scripts. Edit the migration instead.
--
-- Does   drops views device_summary, active_devices; drops with all rows tables connections, device_destinations,
--        device_events, device_sightings, ingest_batches, devices; drops functions ensure_connection_partitions,
--        merge_device_sightings, sweep_device_status, device_events_refuse_change, connections_refuse_rewrite,
--        connections_count, devices_log_truncate, devices_log_delete, devices_log_update, devices_log_insert,
--        devices_keep_times, threat_threshold.
-- Needs  PostgreSQL 12 or later, psql 11 or later, a database in UTF8. The role that owns the site's tables; no
--        superuser. 20261124000001_DeviceInventory as the newest migration.
-- Run    psql -X -v schema=SITE -f 0001_DeviceInventory.down.sql "host=... dbname=... user=..."
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

    IF v_applied[cardinality(v_applied)] IS DISTINCT FROM '20261124000001_DeviceInventory' THEN
        RAISE EXCEPTION '20261124000001_DeviceInventory is not the newest migration; schema "%" has %.',
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

DROP VIEW device_summary;

DROP VIEW active_devices;

DROP TABLE connections;

DROP TABLE device_destinations;

DROP TABLE device_events;

DROP TABLE device_sightings;

DROP TABLE ingest_batches;

DROP TABLE devices;

DROP FUNCTION ensure_connection_partitions;

DROP FUNCTION merge_device_sightings;

DROP FUNCTION sweep_device_status;

DROP FUNCTION device_events_refuse_change;

DROP FUNCTION connections_refuse_rewrite;

DROP FUNCTION connections_count;

DROP FUNCTION devices_log_truncate;

DROP FUNCTION devices_log_delete;

DROP FUNCTION devices_log_update;

DROP FUNCTION devices_log_insert;

DROP FUNCTION devices_keep_times;

DROP FUNCTION threat_threshold;

DELETE FROM "__EFMigrationsHistory"
WHERE migration_id = '20261124000001_DeviceInventory';

\endif
DO $proof$
BEGIN
    IF EXISTS (SELECT 1 FROM "__EFMigrationsHistory" WHERE migration_id::text = '20261124000001_DeviceInventory') THEN
        RAISE EXCEPTION '20261124000001_DeviceInventory is still in the history of schema "%": it was not reverted.',
            pg_catalog.current_schema();
    END IF;
END
$proof$;
SELECT pg_catalog.set_config('search_path', :'cobaltgraph_search_path', false) AS cobaltgraph_search_path \gset
COMMIT;
