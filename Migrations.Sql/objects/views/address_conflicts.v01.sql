-- Traffic is no claim: a router forwards it from addresses that it does not hold. A device may claim an address by sightings
-- and by an update at once: what overlaps is one conflict. Filters on the address reach the index.
CREATE OR REPLACE VIEW address_conflicts AS
SELECT r.ip_address, r.mac_address_a, r.mac_address_b, min(r.from_at) AS "from", max(r.until_at) AS until
FROM (
    SELECT s.ip_address, s.mac_address_a, s.mac_address_b, s.from_at, s.until_at,
           count(*) FILTER (WHERE s.starts) OVER (
               PARTITION BY s.ip_address, s.mac_address_a, s.mac_address_b ORDER BY s.from_at ROWS UNBOUNDED PRECEDING) AS run
    FROM (
        SELECT o.ip_address, o.mac_address_a, o.mac_address_b, o.from_at, o.until_at,
               o.from_at > max(o.until_at) OVER (
                   PARTITION BY o.ip_address, o.mac_address_a, o.mac_address_b ORDER BY o.from_at
                   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS starts
        FROM (
            SELECT a.ip_address, a.mac_address AS mac_address_a, b.mac_address AS mac_address_b,
                   greatest(a.first_seen, b.first_seen) AS from_at, least(a.last_seen, b.last_seen) AS until_at
            FROM device_addresses AS a
            JOIN device_addresses AS b
                ON b.ip_address = a.ip_address AND b.mac_address > a.mac_address
                AND b.first_seen <= a.last_seen AND b.last_seen >= a.first_seen
            WHERE a.source::text IN ('sighting', 'update') AND b.source::text IN ('sighting', 'update')
        ) AS o
    ) AS s
) AS r
GROUP BY r.ip_address, r.mac_address_a, r.mac_address_b, r.run;

COMMENT ON VIEW address_conflicts IS
    'Two devices that claimed one address at a time, by sightings or updates, and from when to when both did; until is infinity '
    'while both updates stand.';
