using CobaltGraph.Data.Schema;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace CobaltGraph.Data.Migrations
{
    // Where connections is large, what it holds is read before the migration, in transactions of bounded length while writers
    // go on; the migration itself then reads only what was stored meanwhile. The index of metadata is built before, a partition at
    // a time, whose writers wait for it.
    //   - What is read is kept by hour in tables of its own, from the earliest hour to back_fill.done_until.
    //   - Triggers mark the hours of rows that are stored or changed in the meantime; a marked hour is read again. A mark is
    //     taken away before its hour is read: one that comes while it is being read stays.
    //   - A device that is removed meanwhile takes its connections' MAC along; what is kept of it is read again at the end.
    //   - While an hour is read no partition may appear: what moves into one is not written, and would be seen in neither place.
    //   - The triggers are what makes the tables good: tables without them are of another life of the schema, and go.
    public partial class ThreatScoring : IPreparedMigration
    {
        private const string IsPrepared = """
            EXISTS (
                    SELECT 1 FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
                    WHERE t.tgname IN ('back_fill_insert', 'back_fill_update') AND t.tgenabled = 'O'
                      AND c.relname = 'connections' AND c.relnamespace = quote_ident(current_schema())::regnamespace
                    HAVING count(*) = 2)
            """;

        private const string CreateTables = """
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
            """;

        private const string CreateStage = """
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
            """;

        /// <inheritdoc />
        string IPreparedMigration.PreparationEffect =>
            "where connections is large, reads it while writers go on, so that the migration locks them out only for what is stored "
            + "meanwhile; where it is small, nothing; creates an index of the metadata of each partition, whose writers wait for it, "
            + "tables back_fill, back_fill_..., and until the migration is applied triggers back_fill_insert, back_fill_update on "
            + "connections";

        /// <inheritdoc />
        string IPreparedMigration.Preparation => $"""
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
                IF NOT {IsPrepared} THEN
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
            {CreateTables}

                    PERFORM set_config('cobaltgraph.search_path', current_setting('search_path'), true);
                    PERFORM set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);
            {CreateStage}

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

            """;

        // With nothing prepared everything is left to read.
        private static void FinishPreparation(MigrationBuilder migrationBuilder)
            => migrationBuilder.Sql($"""
                DO $finish$
                DECLARE
                    v_macs macaddr[];
                    v_hour timestamptz;
                BEGIN
                    IF NOT {IsPrepared} THEN
                {CreateTables}
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

                """);

        private static void DropPreparation(MigrationBuilder migrationBuilder)
            => migrationBuilder.Sql($"""
                DO $drop$
                BEGIN
                    IF {IsPrepared} THEN
                        DROP TRIGGER back_fill_insert ON connections;
                        DROP TRIGGER back_fill_update ON connections;
                        DROP FUNCTION back_fill_mark();
                        DROP FUNCTION back_fill_stage(timestamptz, timestamptz, macaddr[]);
                    END IF;
                    DROP TABLE back_fill, back_fill_marks, back_fill_hours, back_fill_categories, back_fill_addresses, back_fill_destinations;
                END
                $drop$;

                """);
    }
}
