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
