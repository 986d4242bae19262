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
