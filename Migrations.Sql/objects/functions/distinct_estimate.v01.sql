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
