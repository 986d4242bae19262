-- The lowest threat_score that counts as a threat. The only place in SQL that holds the number.
CREATE OR REPLACE FUNCTION threat_threshold()
RETURNS real
LANGUAGE sql
IMMUTABLE
PARALLEL SAFE
SET search_path FROM CURRENT
AS $function$
    SELECT 7.0::real
$function$;

COMMENT ON FUNCTION threat_threshold() IS
    'Lowest connections.threat_score that counts as a threat.';
