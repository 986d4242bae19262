-- Sightings that say nothing of metadata and confidence: merge_sightings_with_metadata() does all of it.
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
AS $function$
BEGIN
    SELECT m.new_devices, m.known_devices
    INTO new_devices, known_devices
    FROM merge_sightings_with_metadata(p_macs, p_ips, p_hostnames, p_vendors, p_device_types, p_seen_at, p_sources, NULL, NULL) AS m;
END
$function$;

REVOKE ALL ON FUNCTION merge_device_sightings(macaddr[], inet[], text[], text[], text[], timestamptz[], text[]) FROM PUBLIC;

COMMENT ON FUNCTION merge_device_sightings(macaddr[], inet[], text[], text[], text[], timestamptz[], text[]) IS
    'merge_sightings_with_metadata() for sightings that say nothing of metadata and confidence.';
