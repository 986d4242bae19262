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
