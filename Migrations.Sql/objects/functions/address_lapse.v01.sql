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
