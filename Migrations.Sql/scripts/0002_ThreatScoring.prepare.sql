-- CobaltGraph: 20261124000002_ThreatScoring, before up.
-- Written by: cobaltgraph script --output-folder Migrations.Sql/scripts. Edit the migration instead.
--
-- Does   where connections is large, reads it while writers go on, so that the migration locks them out only for what
--        is stored meanwhile; where it is small, nothing; creates an index of the metadata of each partition, whose
--        writers wait for it, tables back_fill, back_fill_..., and until the migration is applied triggers
--        back_fill_insert, back_fill_update on connections.
-- Needs  PostgreSQL 12 or later, psql 11 or later, a database in UTF8. The role that owns the site's tables; no
--        superuser. 20261124000001_DeviceInventory and no later migration.
-- Run    psql -X -v schema=SITE -f 0002_ThreatScoring.prepare.sql "host=... dbname=... user=..."
--        Without schema=, the first schema of the search path is the site. -v lock_timeout= and -v statement_timeout=
--        replace 5s and 0; 0 is none.
-- Ends   Many transactions, none of which is long but those that build an index; whatever stops it, the same script
--        goes on where it was, and 0002_ThreatScoring.up.sql can be run at any time.

\set ON_ERROR_STOP on
\if :{?lock_timeout}
\else
\set lock_timeout 5s
\endif
\if :{?statement_timeout}
\else
\set statement_timeout 0
\endif

SELECT pg_catalog.current_setting('search_path') AS cobaltgraph_search_path,
       pg_catalog.current_setting('client_encoding') AS cobaltgraph_client_encoding,
       pg_catalog.current_setting('lock_timeout') AS cobaltgraph_lock_timeout,
       pg_catalog.current_setting('statement_timeout') AS cobaltgraph_statement_timeout \gset
\if :{?schema}
SET search_path = :"schema";
\endif
SET client_encoding = 'UTF8';
SET lock_timeout = :'lock_timeout';
SET statement_timeout = :'statement_timeout';

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
    IF NOT pg_try_advisory_lock(1128418381, hashtext(v_site)) THEN
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

DO $prepare$
DECLARE
    -- Connections smaller than this are read by the migration itself.
    v_least bigint := pg_size_bytes(coalesce(nullif(current_setting('cobaltgraph.prepare_from', true), ''), '256 MB'));
    -- About so many are read in one transaction, and always a whole hour.
    v_rows bigint := coalesce(nullif(current_setting('cobaltgraph.prepare_rows', true), ''), '250000')::bigint;
    v_from timestamptz;
    v_until timestamptz;
    v_end timestamptz := date_trunc('hour', now(), 'UTC');
    v_hour timestamptz;
    v_hours timestamptz[];
    v_partition regclass;
    v_invalid regclass;
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
        WHERE t.tgname IN ('back_fill_insert', 'back_fill_update') AND t.tgenabled = 'O'
          AND c.relname = 'connections' AND c.relnamespace = quote_ident(current_schema())::regnamespace
        HAVING count(*) = 2) THEN
        IF (SELECT coalesce(sum(pg_table_size(i.inhrelid)), 0) FROM pg_inherits AS i
            WHERE i.inhparent = (quote_ident(current_schema()) || '.connections')::regclass) < v_least THEN
            RETURN;
        END IF;
        IF NOT EXISTS (
            SELECT 1 FROM pg_class AS c
            WHERE c.oid = (quote_ident(current_schema()) || '.connections')::regclass
              AND c.relowner = quote_ident(current_user)::regrole) THEN
            RAISE NOTICE 'Not prepared: role % does not own connections.', current_user USING ERRCODE = 'CG002';
            RETURN;
        END IF;

        LOCK TABLE ONLY connections IN SHARE ROW EXCLUSIVE MODE;
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

        PERFORM set_config('cobaltgraph.search_path', current_setting('search_path'), true);
        PERFORM set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);
        CREATE FUNCTION back_fill_stage(p_from timestamptz, p_until timestamptz, p_macs macaddr[] DEFAULT NULL)
        RETURNS void
        LANGUAGE plpgsql
        VOLATILE
        SET search_path FROM CURRENT
        SET plan_cache_mode = force_custom_plan
        AS $stage$
        BEGIN
            IF p_macs IS NULL THEN
                DELETE FROM back_fill_marks WHERE hour >= p_from AND hour < p_until;
                INSERT INTO back_fill_destinations (dst_ip, dst_port, protocol, dst_country, dst_org, dst_hostname)
                SELECT DISTINCT dst_ip, dst_port, coalesce(protocol, ''), coalesce(dst_country, ''), coalesce(dst_org, ''),
                       coalesce(dst_hostname, '')
                FROM connections
                WHERE "timestamp" >= p_from AND "timestamp" < p_until
                ON CONFLICT DO NOTHING;
            END IF;

            DELETE FROM back_fill_hours
            WHERE hour >= p_from AND hour < p_until AND (p_macs IS NULL OR src_mac = ANY (p_macs));
            INSERT INTO back_fill_hours
                (src_mac, hour, connection_count, threat_count, max_threat_score, bytes_sent, bytes_received,
                 destination_sketch, last_threat)
            SELECT src_mac, date_trunc('hour', "timestamp", 'UTC'), count(*),
                   count(*) FILTER (WHERE threat_score >= threat_threshold()), max(threat_score),
                   coalesce(sum(bytes_sent), 0), coalesce(sum(bytes_received), 0),
                   bit_or(set_bit(repeat('0', 256)::bit(256), hashinet(dst_ip) & 255, 1)),
                   max("timestamp") FILTER (WHERE threat_score >= threat_threshold())
            FROM connections
            WHERE "timestamp" >= p_from AND "timestamp" < p_until AND src_mac IS NOT NULL
              AND (p_macs IS NULL OR src_mac = ANY (p_macs))
            GROUP BY 1, 2;

            DELETE FROM back_fill_categories
            WHERE hour >= p_from AND hour < p_until AND (p_macs IS NULL OR src_mac = ANY (p_macs));
            INSERT INTO back_fill_categories (src_mac, hour, threat_category, connection_count)
            SELECT src_mac, date_trunc('hour', "timestamp", 'UTC'), threat_category, count(*)
            FROM connections
            WHERE "timestamp" >= p_from AND "timestamp" < p_until AND src_mac IS NOT NULL AND threat_category IS NOT NULL
              AND (p_macs IS NULL OR src_mac = ANY (p_macs))
            GROUP BY 1, 2, 3;

            DELETE FROM back_fill_addresses
            WHERE hour >= p_from AND hour < p_until AND (p_macs IS NULL OR src_mac = ANY (p_macs));
            INSERT INTO back_fill_addresses (src_mac, hour, src_ip, first_at, last_at)
            SELECT src_mac, date_trunc('hour', "timestamp", 'UTC'),
                   set_masklen(src_ip, CASE family(src_ip) WHEN 4 THEN 32 ELSE 128 END), min("timestamp"), max("timestamp")
            FROM connections
            WHERE "timestamp" >= p_from AND "timestamp" < p_until AND src_mac IS NOT NULL AND src_ip IS NOT NULL
              AND (p_macs IS NULL OR src_mac = ANY (p_macs))
            GROUP BY 1, 2, 3;
        END
        $stage$;
        REVOKE ALL ON FUNCTION back_fill_stage(timestamptz, timestamptz, macaddr[]) FROM PUBLIC;
        COMMENT ON FUNCTION back_fill_stage(timestamptz, timestamptz, macaddr[]) IS
            'Reads whole hours of connections, of all devices or of these, into the tables beside back_fill.';

        CREATE FUNCTION back_fill_mark()
        RETURNS trigger
        LANGUAGE plpgsql
        VOLATILE
        SECURITY DEFINER
        SET search_path FROM CURRENT
        AS $mark$
        DECLARE
            v_hours timestamptz[];
        BEGIN
            SELECT pg_catalog.array_agg(DISTINCT date_trunc('hour', "timestamp", 'UTC')) INTO v_hours FROM new_rows;
            INSERT INTO back_fill_marks (hour) SELECT h.hour FROM pg_catalog.unnest(v_hours) AS h(hour);
            RETURN NULL;
        END
        $mark$;
        REVOKE ALL ON FUNCTION back_fill_mark() FROM PUBLIC;
        COMMENT ON FUNCTION back_fill_mark() IS 'Trigger on connections: marks hours that are written, beside back_fill.';
        CREATE TRIGGER back_fill_insert
        AFTER INSERT ON connections
        REFERENCING NEW TABLE AS new_rows
        FOR EACH STATEMENT EXECUTE FUNCTION back_fill_mark();
        CREATE TRIGGER back_fill_update
        AFTER UPDATE ON connections
        REFERENCING NEW TABLE AS new_rows
        FOR EACH STATEMENT EXECUTE FUNCTION back_fill_mark();
        PERFORM set_config('search_path', current_setting('cobaltgraph.search_path'), true);
        COMMIT;
    END IF;

    -- The index that takes longest; its writers wait only for the month in which they write. The migration takes over
    -- what is like its own and belongs to no other index, be it valid or not.
    LOOP
        SELECT i.inhrelid, x.indexrelid INTO v_partition, v_invalid
        FROM pg_inherits AS i
        LEFT JOIN LATERAL (
            SELECT x.indexrelid, x.indisvalid
            FROM pg_index AS x
            JOIN pg_opclass AS o ON o.oid = x.indclass[0]
            JOIN pg_attribute AS a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0]
            WHERE x.indrelid = i.inhrelid AND x.indnatts = 1 AND x.indpred IS NULL
              AND a.attname = 'metadata' AND o.opcname = 'jsonb_path_ops'
              AND NOT EXISTS (SELECT 1 FROM pg_inherits AS p WHERE p.inhrelid = x.indexrelid)
            ORDER BY x.indisvalid
            LIMIT 1) AS x ON true
        WHERE i.inhparent = (quote_ident(current_schema()) || '.connections')::regclass AND x.indisvalid IS NOT TRUE
        ORDER BY i.inhrelid
        LIMIT 1;
        EXIT WHEN v_partition IS NULL;
        IF v_invalid IS NOT NULL THEN
            RAISE EXCEPTION 'Index % of % is not valid, and the migration would take it over.', v_invalid, v_partition
                USING ERRCODE = 'object_not_in_prerequisite_state',
                    DETAIL = 'CREATE INDEX CONCURRENTLY makes it still, or was stopped.',
                    HINT = format('Wait for it, or DROP INDEX %s, then prepare again.', v_invalid);
        END IF;
        EXECUTE format('CREATE INDEX ON %s USING gin (metadata jsonb_path_ops) WITH (fastupdate = false)', v_partition);
        COMMIT;
        RAISE NOTICE 'Indexed the metadata of %.', v_partition USING ERRCODE = 'CG002';
    END LOOP;

    SELECT done_until INTO v_from FROM back_fill;
    LOOP
        LOCK TABLE ONLY connections IN SHARE UPDATE EXCLUSIVE MODE;
        -- Empty hours are passed over.
        SELECT date_trunc('hour', min("timestamp"), 'UTC') INTO v_from FROM connections WHERE "timestamp" >= v_from;
        EXIT WHEN v_from IS NULL OR v_from >= v_end;
        SELECT date_trunc('hour', "timestamp", 'UTC') INTO v_until
        FROM connections
        WHERE "timestamp" >= v_from
        ORDER BY "timestamp"
        OFFSET v_rows
        LIMIT 1;
        v_until := least(greatest(coalesce(v_until, v_end), v_from + interval '1 hour'), v_end);
        PERFORM back_fill_stage(v_from, v_until);
        UPDATE back_fill SET done_until = v_until;
        COMMIT;
        RAISE NOTICE 'Read connections until %.', v_until USING ERRCODE = 'CG002';
        v_from := v_until;
    END LOOP;

    -- What changes from now on is left to the migration.
    SELECT pg_catalog.array_agg(DISTINCT m.hour) INTO v_hours
    FROM back_fill_marks AS m
    JOIN back_fill AS b ON m.hour < b.done_until;
    FOREACH v_hour IN ARRAY coalesce(v_hours, ARRAY[]::timestamptz[]) LOOP
        LOCK TABLE ONLY connections IN SHARE UPDATE EXCLUSIVE MODE;
        PERFORM back_fill_stage(v_hour, v_hour + interval '1 hour');
        COMMIT;
    END LOOP;
    RAISE NOTICE 'The migration is prepared; until it is done, each statement that stores connections marks their hours.'
        USING ERRCODE = 'CG002';
END
$prepare$;

\endif
SELECT pg_catalog.pg_advisory_unlock(1128418381, pg_catalog.hashtext(pg_catalog.current_schema()::text)) AS cobaltgraph_unlocked \gset
SELECT pg_catalog.set_config('search_path', :'cobaltgraph_search_path', false) AS cobaltgraph_search_path,
       pg_catalog.set_config('lock_timeout', :'cobaltgraph_lock_timeout', false) AS cobaltgraph_lock_timeout,
       pg_catalog.set_config('statement_timeout', :'cobaltgraph_statement_timeout', false) AS cobaltgraph_statement_timeout,
       pg_catalog.set_config('client_encoding', :'cobaltgraph_client_encoding', false) AS cobaltgraph_client_encoding \gset
