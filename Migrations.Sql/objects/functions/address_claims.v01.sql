-- By key alone, whatever the caller's settings and however much is stored: an outer join cannot be turned round.
CREATE OR REPLACE FUNCTION address_claims(p_macs macaddr[], p_families integer[], p_live_after timestamptz[])
RETURNS device_addresses[]
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_material = off
SET jit = off
AS $function$
DECLARE
    v_claims device_addresses[];
BEGIN
    SELECT pg_catalog.array_agg(t) FILTER (WHERE t.mac_address IS NOT NULL) INTO v_claims
    FROM unnest(p_macs, p_families, p_live_after) AS u(mac, family, live_after)
    LEFT JOIN device_addresses AS t
        ON t.mac_address = u.mac AND t.source::text <> 'traffic' AND family(t.ip_address) = u.family
      AND (t.last_seen = 'infinity' OR t.source::text = 'sighting' AND (u.live_after IS NULL OR t.last_seen >= u.live_after));
    RETURN v_claims;
END
$function$;

REVOKE ALL ON FUNCTION address_claims(macaddr[], integer[], timestamptz[]) FROM PUBLIC;

COMMENT ON FUNCTION address_claims(macaddr[], integer[], timestamptz[]) IS
    'Addresses of the given families that sightings say the devices held, last seen at the given time or later (NULL: at any), '
    'and those that a client set and that still stand.';
