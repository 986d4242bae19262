-- From devices and device_threat_counts, which has a row per device and category: connections is not read.
CREATE OR REPLACE VIEW device_threats AS
SELECT s.mac_address, s.malware_count, s.c2_count, s.suspicious_geo_count, s.proxy_count, s.other_count, s.threat_score,
       CASE WHEN s.threat_score < 5 THEN 'low' WHEN s.threat_score < 20 THEN 'medium' ELSE 'high' END AS threat_level,
       s.max_threat_score, s.threat_count, s.last_threat
FROM (
    SELECT d.mac_address,
           coalesce(c.malware, 0) AS malware_count,
           coalesce(c.c2, 0) AS c2_count,
           coalesce(c.suspicious_geo, 0) AS suspicious_geo_count,
           coalesce(c.proxy, 0) AS proxy_count,
           coalesce(c.other, 0) AS other_count,
           d.threat_score, d.max_threat_score, d.threat_count, d.last_threat
    FROM devices AS d
    LEFT JOIN (
        SELECT k.src_mac,
               sum(k.connection_count) FILTER (WHERE k.threat_category::text = 'malware')::bigint AS malware,
               sum(k.connection_count) FILTER (WHERE k.threat_category::text = 'c2')::bigint AS c2,
               sum(k.connection_count) FILTER (WHERE k.threat_category::text = 'suspicious_geo')::bigint AS suspicious_geo,
               sum(k.connection_count) FILTER (WHERE k.threat_category::text = 'proxy')::bigint AS proxy,
               sum(k.connection_count) FILTER (
                   WHERE k.threat_category::text NOT IN ('malware', 'c2', 'suspicious_geo', 'proxy'))::bigint AS other
        FROM device_threat_counts AS k
        GROUP BY k.src_mac
    ) AS c ON c.src_mac = d.mac_address
) AS s;

COMMENT ON VIEW device_threats IS
    'Every device with its connections by threat category, threat score and level, highest single score and last threat; '
    'reads devices and device_threat_counts only.';
