-- What sensors saw of devices becomes what is known of them, as if the sightings had been stored one by one in the order
-- of their times: the result depends neither on their real order nor on batches or the number of writers. Two things
-- do: the primary address stays in the family that it has, and a device without one gets that of its earliest address
-- in the call; and an address that a client set holds until sightings claim another one from later on, and not again after.
-- Within its family the primary address is, of those that are held, the one that was taken last: an address is held until
-- address_lapse() after it was last seen, counted back from when any of the device was. So a device that shows now one, now
-- another of the addresses that it holds moves nothing.
--   1. One SELECT makes one entry per device: of each attribute the newest value, of equally new ones the greatest.
--   2. One statement locks the devices, in MAC order as writers of connections and the sweep do, so that nobody
--      deadlocks. Where some are unseen it inserts them on the way; it updates nothing, and so returns the inserted only.
--   3. Observations of addresses are stored in rounds. Only the first of a round can move the primary address, so that it
--      moves, with an event each, as often as if they had been stored one by one; for nearly every call that is one round.
--   4. In the first round one statement compares with what is known and writes down what changes; others move addresses.
--   5. Where sightings say something of metadata or confidence, two statements do the same for these, key by key. A JSON
--      null is a value only where none is known. The texts of values decide, for 1.0 and 1.00 are one to jsonb.
-- Only traffic and the sweep change a status: a sighting does not.
-- It is a function of a name of its own: with two more arguments merge_device_sightings would be two functions where one schema
-- has the former, and another one, later in the same search_path, the latter.
CREATE OR REPLACE FUNCTION merge_sightings_with_metadata(
    p_macs macaddr[],
    p_ips inet[],
    p_hostnames text[],
    p_vendors text[],
    p_device_types text[],
    p_seen_at timestamptz[],
    p_sources text[],
    p_metadata jsonb[],
    p_confidence_scores real[],
    OUT new_devices bigint,
    OUT known_devices bigint)
RETURNS record
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
SET plan_cache_mode = force_custom_plan
SET jit = off
AS $function$
DECLARE
    v_now timestamptz := now();
    v_lapse interval := address_lapse();
    v_lapse_seconds double precision := extract(epoch FROM v_lapse);
    v_several boolean;
    v_problem text;
    -- one entry per device: what its sightings say; a time that is missing is the last one
    d_macs macaddr[];
    d_firsts timestamptz[];
    d_lasts timestamptz[];
    d_ipv4s inet[];
    d_ipv4_ats timestamptz[];
    d_ipv6s inet[];
    d_ipv6_ats timestamptz[];
    d_families integer[];
    d_hostnames text[];
    d_hostname_ats timestamptz[];
    d_vendors text[];
    d_vendor_ats timestamptz[];
    d_types text[];
    d_type_ats timestamptz[];
    d_sources text[];
    d_source_ats timestamptz[];
    -- those of them that are new, and those that are locked
    n_macs macaddr[];
    l_macs macaddr[];
    -- observations of addresses: in the order of their times where a device has several
    o_macs macaddr[];
    o_families integer[];
    o_ips inet[];
    o_ats timestamptz[];
    o_rounds integer[];
    -- devices with an observation in the family of their primary address, and when one of it was last seen before
    f_macs macaddr[];
    f_families integer[];
    f_lasts timestamptz[];
    -- of a round: devices, and where they are reached from it on
    r_macs macaddr[];
    r_families integer[];
    r_lives timestamptz[];
    i_macs macaddr[];
    i_ips inet[];
    v_claims device_addresses[];
    -- what changes of metadata and confidence, and of when they were seen; NULL where nothing does
    s_macs macaddr[];
    s_changes jsonb[];
    s_times jsonb[];
    s_scores real[];
    s_score_ats timestamptz[];
BEGIN
    SELECT a.name || ' has ' || a.length::text || ' elements, p_macs has ' || coalesce(pg_catalog.cardinality(p_macs), 0)::text
    INTO v_problem
    FROM (VALUES
        ('p_ips', pg_catalog.cardinality(p_ips)),
        ('p_hostnames', pg_catalog.cardinality(p_hostnames)),
        ('p_vendors', pg_catalog.cardinality(p_vendors)),
        ('p_device_types', pg_catalog.cardinality(p_device_types)),
        ('p_seen_at', pg_catalog.cardinality(p_seen_at)),
        ('p_sources', pg_catalog.cardinality(p_sources)),
        ('p_metadata', pg_catalog.cardinality(p_metadata)),
        ('p_confidence_scores', pg_catalog.cardinality(p_confidence_scores))) AS a(name, length)
    WHERE a.length <> coalesce(pg_catalog.cardinality(p_macs), 0)
    LIMIT 1;

    IF v_problem IS NOT NULL THEN
        RAISE EXCEPTION 'merging sightings: %', v_problem
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Every array has one element for each sighting, or is NULL as a whole.';
    END IF;

    SELECT CASE
            WHEN u.mac IS NULL THEN 'p_macs[' || u.position::text || '] is NULL, expected a MAC address'
            ELSE 'p_seen_at[' || u.position::text || '] is ' || u.seen_at::text || ', expected a finite time, or NULL for now'
        END
    INTO v_problem
    FROM unnest(p_macs, p_seen_at) WITH ORDINALITY AS u(mac, seen_at, position)
    WHERE u.mac IS NULL OR NOT isfinite(u.seen_at)
    ORDER BY u.position
    LIMIT 1;

    IF v_problem IS NOT NULL THEN
        RAISE EXCEPTION 'merging sightings: %', v_problem
            USING ERRCODE = 'invalid_parameter_value';
    END IF;

    IF p_metadata IS NOT NULL OR p_confidence_scores IS NOT NULL THEN
        SELECT CASE
                WHEN jsonb_typeof(u.metadata) <> 'object'
                THEN 'p_metadata[' || u.position::text || '] is of type ' || jsonb_typeof(u.metadata) || ', expected a JSON object, or NULL'
                ELSE 'p_confidence_scores[' || u.position::text || '] is ' || u.score::text || ', expected a number from 0 to 1, or NULL'
            END
        INTO v_problem
        FROM unnest(p_metadata, p_confidence_scores) WITH ORDINALITY AS u(metadata, score, position)
        WHERE jsonb_typeof(u.metadata) <> 'object' OR u.score NOT BETWEEN 0::real AND 1::real
        ORDER BY u.position
        LIMIT 1;

        IF v_problem IS NOT NULL THEN
            RAISE EXCEPTION 'merging sightings: %', v_problem
                USING ERRCODE = 'invalid_parameter_value';
        END IF;
    END IF;

    v_several := (SELECT pg_catalog.count(DISTINCT u.mac) FROM pg_catalog.unnest(p_macs) AS u(mac)) <> pg_catalog.cardinality(p_macs);
    IF NOT v_several THEN
        -- Nothing to compare: every time is that of the one sighting.
        SELECT pg_catalog.array_agg(g.mac), pg_catalog.array_agg(g.at),
               pg_catalog.array_agg(CASE WHEN g.family = 4 THEN g.ip END),
               pg_catalog.array_agg(CASE WHEN g.family = 6 THEN g.ip END), pg_catalog.array_agg(g.family),
               pg_catalog.array_agg(g.hostname), pg_catalog.array_agg(g.vendor),
               pg_catalog.array_agg(g.device_type), pg_catalog.array_agg(g.source),
               pg_catalog.array_agg(g.mac) FILTER (WHERE g.family IS NOT NULL),
               pg_catalog.array_agg(g.family) FILTER (WHERE g.family IS NOT NULL),
               pg_catalog.array_agg(g.ip) FILTER (WHERE g.family IS NOT NULL),
               pg_catalog.array_agg(g.at) FILTER (WHERE g.family IS NOT NULL)
        INTO d_macs, d_lasts, d_ipv4s, d_ipv6s, d_families, d_hostnames, d_vendors, d_types, d_sources,
             o_macs, o_families, o_ips, o_ats
        FROM (
            -- A device that has no address yet says 0.0.0.0 or ::.
            SELECT u.mac, least(u.seen_at, v_now) AS at, u.ip,
                   CASE WHEN u.ip <> '0.0.0.0' AND u.ip <> '::' THEN family(u.ip) END AS family,
                   nullif(u.hostname, '') AS hostname, nullif(u.vendor, '') AS vendor,
                   nullif(u.device_type, '') AS device_type, nullif(u.source, '') AS source
            FROM unnest(p_macs, p_ips, p_hostnames, p_vendors, p_device_types, p_seen_at, p_sources)
                AS u(mac, ip, hostname, vendor, device_type, seen_at, source)
        ) AS g;
    ELSE
        SELECT pg_catalog.array_agg(a.mac), pg_catalog.array_agg(a.first_at), pg_catalog.array_agg(a.last_at),
               pg_catalog.array_agg(a.ipv4), pg_catalog.array_agg(a.ipv4_at),
               pg_catalog.array_agg(a.ipv6), pg_catalog.array_agg(a.ipv6_at),
               pg_catalog.array_agg(CASE WHEN a.ipv6_first_at < a.ipv4_first_at THEN 6 ELSE a.lowest_family END),
               pg_catalog.array_agg(a.hostname), pg_catalog.array_agg(a.hostname_at),
               pg_catalog.array_agg(a.vendor), pg_catalog.array_agg(a.vendor_at),
               pg_catalog.array_agg(a.device_type), pg_catalog.array_agg(a.type_at),
               pg_catalog.array_agg(a.source), pg_catalog.array_agg(a.source_at)
        INTO d_macs, d_firsts, d_lasts, d_ipv4s, d_ipv4_ats, d_ipv6s, d_ipv6_ats, d_families,
             d_hostnames, d_hostname_ats, d_vendors, d_vendor_ats, d_types, d_type_ats, d_sources, d_source_ats
        FROM (
            SELECT n.mac, min(n.at) AS first_at, max(n.at) AS last_at, min(n.family) AS lowest_family,
                   min(n.at) FILTER (WHERE n.family = 4) AS ipv4_first_at,
                   min(n.at) FILTER (WHERE n.family = 6) AS ipv6_first_at,
                   max(n.ipv4_at) AS ipv4_at, max(n.ip) FILTER (WHERE n.family = 4 AND n.at = n.ipv4_at) AS ipv4,
                   max(n.ipv6_at) AS ipv6_at, max(n.ip) FILTER (WHERE n.family = 6 AND n.at = n.ipv6_at) AS ipv6,
                   max(n.hostname_at) AS hostname_at, max(n.hostname COLLATE "C") FILTER (WHERE n.at = n.hostname_at) AS hostname,
                   max(n.vendor_at) AS vendor_at, max(n.vendor COLLATE "C") FILTER (WHERE n.at = n.vendor_at) AS vendor,
                   max(n.type_at) AS type_at, max(n.device_type COLLATE "C") FILTER (WHERE n.at = n.type_at) AS device_type,
                   max(n.source_at) AS source_at, max(n.source COLLATE "C") FILTER (WHERE n.at = n.source_at) AS source
            FROM (
                SELECT g.mac, g.at, g.ip, g.family, g.hostname, g.vendor, g.device_type, g.source,
                       max(g.at) FILTER (WHERE g.family = 4) OVER device AS ipv4_at,
                       max(g.at) FILTER (WHERE g.family = 6) OVER device AS ipv6_at,
                       max(g.at) FILTER (WHERE g.hostname IS NOT NULL) OVER device AS hostname_at,
                       max(g.at) FILTER (WHERE g.vendor IS NOT NULL) OVER device AS vendor_at,
                       max(g.at) FILTER (WHERE g.device_type IS NOT NULL) OVER device AS type_at,
                       max(g.at) FILTER (WHERE g.source IS NOT NULL) OVER device AS source_at
                FROM (
                    -- A device that has no address yet says 0.0.0.0 or ::.
                    SELECT u.mac, least(u.seen_at, v_now) AS at, u.ip,
                           CASE WHEN u.ip <> '0.0.0.0' AND u.ip <> '::' THEN family(u.ip) END AS family,
                           nullif(u.hostname, '') AS hostname, nullif(u.vendor, '') AS vendor,
                           nullif(u.device_type, '') AS device_type, nullif(u.source, '') AS source
                    FROM unnest(p_macs, p_ips, p_hostnames, p_vendors, p_device_types, p_seen_at, p_sources)
                        AS u(mac, ip, hostname, vendor, device_type, seen_at, source)
                ) AS g
                WINDOW device AS (PARTITION BY g.mac)
            ) AS n
            GROUP BY n.mac
        ) AS a;

        SELECT pg_catalog.array_agg(o.mac), pg_catalog.array_agg(o.family), pg_catalog.array_agg(o.ip), pg_catalog.array_agg(o.at)
        INTO o_macs, o_families, o_ips, o_ats
        FROM (
            SELECT u.mac, family(u.ip) AS family, set_masklen(u.ip, CASE family(u.ip) WHEN 4 THEN 32 ELSE 128 END) AS ip,
                   least(u.seen_at, v_now) AS at
            FROM unnest(p_macs, p_ips, p_seen_at) WITH ORDINALITY AS u(mac, ip, seen_at, position)
            WHERE u.ip <> '0.0.0.0' AND u.ip <> '::'
            GROUP BY 1, 2, 3, 4
            ORDER BY 1, 2, 4, min(u.position)
        ) AS o;
    END IF;

    new_devices := 0;
    known_devices := 0;
    IF d_macs IS NULL THEN
        RETURN;
    END IF;

    SELECT pg_catalog.array_agg(u.mac) INTO n_macs
    FROM pg_catalog.unnest(d_macs) AS u(mac)
    LEFT JOIN devices AS d ON d.mac_address = u.mac
    WHERE d.mac_address IS NULL;

    IF n_macs IS NULL THEN
        SELECT pg_catalog.array_agg(k.mac_address) INTO l_macs
        FROM (
            SELECT mac_address FROM devices
            WHERE mac_address = ANY (d_macs)
            ORDER BY mac_address
            FOR NO KEY UPDATE
        ) AS k;

        -- A device that was deleted meanwhile takes its sightings along, as if it had been deleted after them. Inserting
        -- it here would lock out of order.
        IF coalesce(pg_catalog.cardinality(l_macs), 0) < pg_catalog.cardinality(d_macs) THEN
            PERFORM merge_sightings_with_metadata(
                pg_catalog.array_agg(u.mac), pg_catalog.array_agg(u.ip), pg_catalog.array_agg(u.hostname),
                pg_catalog.array_agg(u.vendor), pg_catalog.array_agg(u.device_type), pg_catalog.array_agg(u.seen_at),
                pg_catalog.array_agg(u.source), pg_catalog.array_agg(u.metadata), pg_catalog.array_agg(u.score))
            FROM unnest(p_macs, p_ips, p_hostnames, p_vendors, p_device_types, p_seen_at, p_sources, p_metadata, p_confidence_scores)
                AS u(mac, ip, hostname, vendor, device_type, seen_at, source, metadata, score)
            WHERE u.mac = ANY (l_macs);
            known_devices := pg_catalog.cardinality(d_macs);
            RETURN;
        END IF;
    ELSE
        PERFORM set_config('cobaltgraph.merging', 'on', true);
        WITH inserted AS (
            INSERT INTO devices AS t
                (mac_address, first_seen, last_seen, last_activity, ip_address, hostname, vendor, device_type)
            SELECT u.mac, coalesce(u.first_at, u.last_at), u.last_at, u.last_at, o.ip, u.hostname, u.vendor, u.device_type
            FROM unnest(d_macs, d_firsts, d_lasts, d_families, d_hostnames, d_vendors, d_types)
                AS u(mac, first_at, last_at, family, hostname, vendor, device_type)
            LEFT JOIN (
                SELECT DISTINCT ON (a.mac, a.family) a.mac, a.family, a.ip
                FROM unnest(o_macs, o_families, o_ips) WITH ORDINALITY AS a(mac, family, ip, position)
                ORDER BY a.mac, a.family, a.position
            ) AS o ON o.mac = u.mac AND o.family = u.family
            ORDER BY u.mac
            ON CONFLICT (mac_address) DO UPDATE SET last_seen = t.last_seen WHERE false
            RETURNING mac_address
        )
        SELECT pg_catalog.array_agg(i.mac_address) INTO n_macs FROM inserted AS i;
    END IF;

    IF o_macs IS NOT NULL THEN
        SELECT pg_catalog.array_agg(f.mac), pg_catalog.array_agg(f.family), pg_catalog.array_agg(f.last_at)
        INTO f_macs, f_families, f_lasts
        FROM (
            SELECT u.mac, coalesce(family(d.ip_address), u.family) AS family,
                   CASE coalesce(family(d.ip_address), u.family) WHEN 4 THEN k.ipv4_seen_at ELSE k.ipv6_seen_at END AS last_at,
                   CASE coalesce(family(d.ip_address), u.family) WHEN 4 THEN u.ipv4 ELSE u.ipv6 END AS ip
            FROM unnest(d_macs, d_families, d_ipv4s, d_ipv6s) AS u(mac, family, ipv4, ipv6)
            JOIN devices AS d ON d.mac_address = u.mac
            LEFT JOIN device_sightings AS k ON k.mac_address = u.mac
        ) AS f
        WHERE f.ip IS NOT NULL;

        -- Devices with several observations in the family: when does a new round begin?
        IF v_several THEN
            SELECT pg_catalog.array_agg(m.mac), pg_catalog.array_agg(m.family), pg_catalog.array_agg(m.last_at)
            INTO r_macs, r_families, r_lives
            FROM (
                SELECT f.mac, f.family, f.last_at
                FROM unnest(f_macs, f_families, f_lasts) AS f(mac, family, last_at)
                JOIN unnest(o_macs, o_families) AS o(mac, family) ON o.mac = f.mac AND o.family = f.family
                GROUP BY f.mac, f.family, f.last_at
                HAVING count(*) > 1
            ) AS m;

            IF r_macs IS NOT NULL THEN
                v_claims := address_claims(r_macs, r_families, NULL);

                -- With an observation the primary address can move in four cases only: it begins a claim; it joins one that is
                -- stored from later on; it brings one back that had lapsed; another claim lapses, whichever address is seen.
                -- Kinds: 0 a time from which an observation of the address is such a case, 1 and 3 begin and end of a stored
                -- claim, 2 an observation.
                WITH observed AS (
                    SELECT o.position, o.mac, o.ip, o.at, r.last_at
                    FROM unnest(o_macs, o_families, o_ips, o_ats) WITH ORDINALITY AS o(mac, family, ip, at, position)
                    JOIN unnest(r_macs, r_families, r_lives) AS r(mac, family, last_at) ON r.mac = o.mac AND r.family = o.family
                ),
                stored AS (
                    SELECT c.mac_address AS mac, c.ip_address AS ip, c.first_seen AS first_at, c.last_seen AS last_at
                    FROM pg_catalog.unnest(v_claims) AS c
                    WHERE c.source::text = 'sighting'
                ),
                by_address AS (
                    SELECT e.mac, e.ip, e.at, e.kind, e.position,
                           count(*) FILTER (WHERE e.kind = 1) OVER before - count(*) FILTER (WHERE e.kind = 3) OVER before AS inside,
                           max(e.at) FILTER (WHERE e.kind > 0) OVER before AS previous,
                           max(e.at) FILTER (WHERE e.kind = 0) OVER before AS case_from,
                           min(e.at) FILTER (WHERE e.kind > 0) OVER (
                               PARTITION BY e.mac, e.ip ORDER BY e.at DESC, e.kind DESC, e.position DESC
                               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS next
                    FROM (
                        SELECT o.mac, o.ip, o.at, 2 AS kind, o.position FROM observed AS o
                        UNION ALL
                        SELECT s.mac, s.ip, s.first_at, 1, 0 FROM stored AS s
                        UNION ALL
                        SELECT s.mac, s.ip, s.last_at, 3, 0 FROM stored AS s
                        UNION ALL
                        SELECT s.mac, s.ip, s.first_at - v_lapse, 0, 0 FROM stored AS s
                        UNION ALL
                        SELECT DISTINCT o.mac, o.ip, o.last_at - v_lapse, 0, 0 FROM observed AS o WHERE o.last_at IS NOT NULL
                    ) AS e
                    WINDOW before AS (
                        PARTITION BY e.mac, e.ip ORDER BY e.at, e.kind, e.position
                        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
                ),
                by_device AS (
                    SELECT e.mac, e.position, e.is_case,
                           count(*) FILTER (WHERE e.position IS NULL) OVER (
                               PARTITION BY e.mac ORDER BY e.at, e.position NULLS LAST ROWS UNBOUNDED PRECEDING) AS lapsed
                    FROM (
                        SELECT a.mac, a.at, a.position,
                               a.inside = 0 AND (a.previous IS NULL OR a.at > a.previous + v_lapse) OR a.case_from > a.previous AS is_case
                        FROM by_address AS a
                        WHERE a.kind = 2
                        UNION ALL
                        SELECT a.mac, a.at + v_lapse, NULL, NULL
                        FROM by_address AS a
                        WHERE (a.kind = 2 AND a.inside = 0 OR a.kind = 3) AND (a.next IS NULL OR a.next > a.at + v_lapse)
                    ) AS e
                ),
                rounds AS (
                    SELECT c.position, 1 + count(*) FILTER (WHERE c.is_case AND c.number > 1) OVER (
                        PARTITION BY c.mac ORDER BY c.position ROWS UNBOUNDED PRECEDING) AS round
                    FROM (
                        SELECT d.mac, d.position, row_number() OVER device AS number,
                               d.is_case OR d.lapsed > pg_catalog.lag(d.lapsed) OVER device AS is_case
                        FROM by_device AS d
                        WHERE d.position IS NOT NULL
                        WINDOW device AS (PARTITION BY d.mac ORDER BY d.position)
                    ) AS c
                )
                SELECT pg_catalog.array_agg(coalesce(r.round, 1)::integer ORDER BY o.position)
                INTO o_rounds
                FROM pg_catalog.unnest(o_macs) WITH ORDINALITY AS o(mac, position)
                LEFT JOIN rounds AS r ON r.position = o.position;
            END IF;
        END IF;
    END IF;

    FOR v_round IN 1 .. coalesce((SELECT max(u.round) FROM pg_catalog.unnest(o_rounds) AS u(round)), 1) LOOP
        i_macs := NULL;
        i_ips := NULL;
        IF o_macs IS NOT NULL THEN
            -- What is seen within one lapse of time is one claim anyway.
            PERFORM record_addresses(
                pg_catalog.array_agg(a.mac), pg_catalog.array_agg(a.ip), 'sighting',
                pg_catalog.array_agg(a.first_at), pg_catalog.array_agg(a.last_at))
            FROM (
                SELECT o.mac, o.ip, min(o.at) AS first_at, max(o.at) AS last_at
                FROM unnest(o_macs, o_ips, o_ats, o_rounds) AS o(mac, ip, at, round)
                WHERE coalesce(o.round, 1) = v_round
                GROUP BY o.mac, o.ip, floor(extract(epoch FROM o.at) / v_lapse_seconds)
            ) AS a;

            SELECT pg_catalog.array_agg(r.mac), pg_catalog.array_agg(r.family), pg_catalog.array_agg(r.last_at - v_lapse)
            INTO r_macs, r_families, r_lives
            FROM (
                SELECT f.mac, f.family, greatest(max(f.last_at), max(o.at)) AS last_at
                FROM unnest(f_macs, f_families, f_lasts) AS f(mac, family, last_at)
                JOIN unnest(o_macs, o_families, o_ats, o_rounds) AS o(mac, family, at, round)
                    ON o.mac = f.mac AND o.family = f.family AND coalesce(o.round, 1) = v_round
                GROUP BY f.mac, f.family
            ) AS r;

            v_claims := address_claims(r_macs, r_families, r_lives);
            SELECT pg_catalog.array_agg(p.mac), pg_catalog.array_agg(p.ip)
            INTO i_macs, i_ips
            FROM (
                SELECT DISTINCT ON (c.mac_address) c.mac_address AS mac, c.ip_address AS ip
                FROM pg_catalog.unnest(v_claims) AS c
                ORDER BY c.mac_address, c.first_seen DESC, c.source::text = 'update' DESC, c.ip_address DESC
            ) AS p;
        END IF;

        PERFORM set_config('cobaltgraph.merging', 'on', true);
        IF v_round > 1 THEN
            UPDATE devices AS t
            SET ip_address = u.ip
            FROM unnest(i_macs, i_ips) AS u(mac, ip)
            WHERE t.mac_address = u.mac AND host(t.ip_address) IS DISTINCT FROM host(u.ip);
            CONTINUE;
        END IF;

        WITH merged AS MATERIALIZED (
            SELECT u.mac, n.mac IS NOT NULL AS inserted, k.mac_address IS NOT NULL AS sighted,
                   i.ip IS DISTINCT FROM d.ip_address OR n.mac IS NULL
                       AND (u.first_at < d.first_seen OR u.last_at > d.last_seen OR o.activity_at > d.last_activity
                           OR o.hostname_newer OR o.vendor_newer OR o.type_newer) AS device_changes,
                   o.ipv4_newer OR o.ipv6_newer OR o.hostname_newer OR o.vendor_newer OR o.type_newer OR o.source_newer
                       AS sighting_changes,
                   u.first_at, u.last_at, o.activity_at, i.ip,
                   CASE WHEN o.hostname_newer THEN u.hostname ELSE d.hostname::text END AS hostname,
                   CASE WHEN o.vendor_newer THEN u.vendor ELSE d.vendor::text END AS vendor,
                   CASE WHEN o.type_newer THEN u.device_type ELSE d.device_type::text END AS device_type,
                   f.ipv4, CASE WHEN o.ipv4_newer THEN u.ipv4_at ELSE k.ipv4_seen_at END AS ipv4_at,
                   f.ipv6, CASE WHEN o.ipv6_newer THEN u.ipv6_at ELSE k.ipv6_seen_at END AS ipv6_at,
                   CASE WHEN o.hostname_newer THEN u.hostname_at ELSE k.hostname_seen_at END AS hostname_at,
                   CASE WHEN o.vendor_newer THEN u.vendor_at ELSE k.vendor_seen_at END AS vendor_at,
                   CASE WHEN o.type_newer THEN u.type_at ELSE k.device_type_seen_at END AS type_at,
                   CASE WHEN o.source_newer THEN u.source ELSE k.source::text END AS source,
                   CASE WHEN o.source_newer THEN u.source_at ELSE k.source_seen_at END AS source_at
            FROM (
                SELECT a.mac, a.last_at, coalesce(a.first_at, a.last_at) AS first_at,
                       a.ipv4, coalesce(a.ipv4_at, a.last_at) AS ipv4_at, a.ipv6, coalesce(a.ipv6_at, a.last_at) AS ipv6_at,
                       a.family, a.hostname, coalesce(a.hostname_at, a.last_at) AS hostname_at,
                       a.vendor, coalesce(a.vendor_at, a.last_at) AS vendor_at,
                       a.device_type, coalesce(a.type_at, a.last_at) AS type_at,
                       a.source, coalesce(a.source_at, a.last_at) AS source_at
                FROM unnest(
                        d_macs, d_firsts, d_lasts, d_ipv4s, d_ipv4_ats, d_ipv6s, d_ipv6_ats, d_families,
                        d_hostnames, d_hostname_ats, d_vendors, d_vendor_ats, d_types, d_type_ats, d_sources, d_source_ats)
                    AS a(mac, first_at, last_at, ipv4, ipv4_at, ipv6, ipv6_at, family,
                         hostname, hostname_at, vendor, vendor_at, device_type, type_at, source, source_at)
            ) AS u
            JOIN devices AS d ON d.mac_address = u.mac
            LEFT JOIN device_sightings AS k ON k.mac_address = u.mac
            LEFT JOIN pg_catalog.unnest(n_macs) AS n(mac) ON n.mac = u.mac
            LEFT JOIN unnest(i_macs, i_ips) AS p(mac, ip) ON p.mac = u.mac
            CROSS JOIN LATERAL (
                SELECT CASE WHEN k.created_by_sighting AND d.connection_count = 0 THEN u.last_at END AS activity_at,
                       u.ipv4 IS NOT NULL AND (k.ipv4 IS NULL OR (u.ipv4_at, u.ipv4) > (k.ipv4_seen_at, k.ipv4)) AS ipv4_newer,
                       u.ipv6 IS NOT NULL AND (k.ipv6 IS NULL OR (u.ipv6_at, u.ipv6) > (k.ipv6_seen_at, k.ipv6)) AS ipv6_newer,
                       u.hostname IS NOT NULL AND (k.hostname_seen_at IS NULL OR (u.hostname_at, u.hostname COLLATE "C")
                           > (k.hostname_seen_at, coalesce(d.hostname::text, ''))) AS hostname_newer,
                       u.vendor IS NOT NULL AND (k.vendor_seen_at IS NULL OR (u.vendor_at, u.vendor COLLATE "C")
                           > (k.vendor_seen_at, coalesce(d.vendor::text, ''))) AS vendor_newer,
                       u.device_type IS NOT NULL AND (k.device_type_seen_at IS NULL OR (u.type_at, u.device_type COLLATE "C")
                           > (k.device_type_seen_at, coalesce(d.device_type::text, ''))) AS type_newer,
                       u.source IS NOT NULL AND (k.source IS NULL OR (u.source_at, u.source COLLATE "C")
                           > (k.source_seen_at, k.source::text)) AS source_newer
            ) AS o
            CROSS JOIN LATERAL (
                SELECT CASE WHEN o.ipv4_newer THEN u.ipv4 ELSE k.ipv4 END AS ipv4,
                       CASE WHEN o.ipv6_newer THEN u.ipv6 ELSE k.ipv6 END AS ipv6
            ) AS f
            CROSS JOIN LATERAL (
                SELECT CASE WHEN host(p.ip) <> host(d.ip_address) OR d.ip_address IS NULL THEN p.ip ELSE d.ip_address END AS ip
            ) AS i
        ),
        updated_devices AS (
            UPDATE devices AS t
            SET first_seen = least(t.first_seen, m.first_at),
                last_seen = greatest(t.last_seen, m.last_at),
                last_activity = greatest(t.last_activity, m.activity_at),
                ip_address = m.ip,
                hostname = m.hostname,
                vendor = m.vendor,
                device_type = m.device_type
            FROM merged AS m
            WHERE t.mac_address = m.mac AND m.device_changes
        ),
        updated_sightings AS (
            UPDATE device_sightings AS t
            SET ipv4 = m.ipv4,
                ipv4_seen_at = m.ipv4_at,
                ipv6 = m.ipv6,
                ipv6_seen_at = m.ipv6_at,
                hostname_seen_at = m.hostname_at,
                vendor_seen_at = m.vendor_at,
                device_type_seen_at = m.type_at,
                source = m.source,
                source_seen_at = m.source_at
            FROM merged AS m
            WHERE t.mac_address = m.mac AND m.sighted AND m.sighting_changes
        )
        INSERT INTO device_sightings
            (mac_address, ipv4, ipv4_seen_at, ipv6, ipv6_seen_at, hostname_seen_at,
             vendor_seen_at, device_type_seen_at, source, source_seen_at, created_by_sighting)
        SELECT m.mac, m.ipv4, m.ipv4_at, m.ipv6, m.ipv6_at, m.hostname_at,
               m.vendor_at, m.type_at, m.source, m.source_at, m.inserted
        FROM merged AS m
        WHERE NOT m.sighted;
    END LOOP;
    PERFORM set_config('cobaltgraph.merging', 'off', true);

    IF p_metadata IS NOT NULL OR p_confidence_scores IS NOT NULL THEN
        -- Grouped and not joined: a document has any number of keys, none of which the planner knows.
        WITH said AS (
            SELECT DISTINCT ON (u.mac, e.key COLLATE "C") u.mac, e.key, e.value, least(u.seen_at, v_now) AS at
            FROM unnest(p_macs, p_seen_at, p_metadata) AS u(mac, seen_at, metadata)
            CROSS JOIN LATERAL jsonb_each(u.metadata) AS e(key, value)
            ORDER BY u.mac, e.key COLLATE "C", jsonb_typeof(e.value) <> 'null' DESC, at DESC, e.value::text COLLATE "C" DESC
        ),
        told AS (
            SELECT t.mac, pg_catalog.jsonb_object_agg(t.key, t.value) FILTER (WHERE t.value::text IS DISTINCT FROM t.known::text) AS changes,
                   pg_catalog.jsonb_object_agg(t.key, pg_catalog.to_jsonb(t.at AT TIME ZONE 'UTC'))
                       FILTER (WHERE t.at IS DISTINCT FROM t.known_at) AS times
            FROM (
                SELECT e.mac, e.key,
                       (pg_catalog.array_agg(e.value) FILTER (WHERE e.kind = 'said'))[1] AS value,
                       max(e.at) FILTER (WHERE e.kind = 'said') AS at,
                       (pg_catalog.array_agg(e.value) FILTER (WHERE e.kind = 'known'))[1] AS known,
                       max(e.at) FILTER (WHERE e.kind = 'seen') AS known_at
                FROM (
                    SELECT n.mac, n.key, n.value, n.at, 'said' AS kind
                    FROM said AS n
                    UNION ALL
                    SELECT d.mac_address, k.key, k.value, NULL, 'known'
                    FROM (SELECT DISTINCT n.mac FROM said AS n) AS n
                    JOIN devices AS d ON d.mac_address = n.mac
                    CROSS JOIN LATERAL jsonb_each(d.metadata) AS k(key, value)
                    UNION ALL
                    SELECT s.mac_address, k.key, NULL, k.value::timestamp AT TIME ZONE 'UTC', 'seen'
                    FROM (SELECT DISTINCT n.mac FROM said AS n) AS n
                    JOIN device_sightings AS s ON s.mac_address = n.mac
                    CROSS JOIN LATERAL jsonb_each_text(s.metadata_seen_at) AS k(key, value)
                ) AS e
                GROUP BY e.mac, e.key
            ) AS t
            WHERE (jsonb_typeof(t.value) <> 'null', t.at, t.value::text COLLATE "C")
                > (coalesce(jsonb_typeof(t.known) <> 'null', t.known_at IS NOT NULL), coalesce(t.known_at, '-infinity'::timestamptz),
                   coalesce(t.known::text, ''))
            GROUP BY t.mac
        ),
        rated AS (
            SELECT n.mac, CASE WHEN n.score <> d.confidence_score THEN n.score END AS score,
                   CASE WHEN n.at IS DISTINCT FROM k.confidence_seen_at THEN n.at END AS at
            FROM (
                -- Without the sign of a zero, which would be that of the one stored first.
                SELECT DISTINCT ON (u.mac) u.mac, u.score + 0::real AS score, least(u.seen_at, v_now) AS at
                FROM unnest(p_macs, p_seen_at, p_confidence_scores) AS u(mac, seen_at, score)
                WHERE u.score IS NOT NULL
                ORDER BY u.mac, at DESC, u.score DESC
            ) AS n
            JOIN devices AS d ON d.mac_address = n.mac
            JOIN device_sightings AS k ON k.mac_address = n.mac
            WHERE k.confidence_seen_at IS NULL OR (n.at, n.score) > (k.confidence_seen_at, d.confidence_score)
        )
        SELECT pg_catalog.array_agg(coalesce(t.mac, r.mac)), pg_catalog.array_agg(t.changes), pg_catalog.array_agg(t.times),
               pg_catalog.array_agg(r.score), pg_catalog.array_agg(r.at)
        INTO s_macs, s_changes, s_times, s_scores, s_score_ats
        FROM told AS t
        FULL JOIN rated AS r ON r.mac = t.mac;

        UPDATE devices AS t
        SET metadata = coalesce(t.metadata || u.changes, t.metadata),
            confidence_score = coalesce(u.score, t.confidence_score)
        FROM unnest(s_macs, s_changes, s_scores) AS u(mac, changes, score)
        WHERE t.mac_address = u.mac AND (u.changes IS NOT NULL OR u.score IS NOT NULL);

        UPDATE device_sightings AS t
        SET metadata_seen_at = coalesce(t.metadata_seen_at || u.times, u.times, t.metadata_seen_at),
            confidence_seen_at = coalesce(u.at, t.confidence_seen_at)
        FROM unnest(s_macs, s_times, s_score_ats) AS u(mac, times, at)
        WHERE t.mac_address = u.mac AND (u.times IS NOT NULL OR u.at IS NOT NULL);
    END IF;

    new_devices := coalesce(pg_catalog.cardinality(n_macs), 0);
    known_devices := pg_catalog.cardinality(d_macs) - new_devices;
END
$function$;

REVOKE ALL ON FUNCTION merge_sightings_with_metadata(macaddr[], inet[], text[], text[], text[], timestamptz[], text[], jsonb[], real[]) FROM PUBLIC;

COMMENT ON FUNCTION merge_sightings_with_metadata(macaddr[], inet[], text[], text[], text[], timestamptz[], text[], jsonb[], real[]) IS
    'Stores sightings, one per element of the arrays; a whole array may be NULL. Unseen devices are inserted as discovered. '
    'NULL and empty text erase nothing, of several values the one seen last holds, of metadata key by key, and the primary address '
    'is, of those in its family that are still held, the one taken last. A time of NULL or in the future is now(). Returns how many devices were new and how many known.';
