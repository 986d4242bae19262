-- Totals come from devices and their edges; connections is not read, so the cost does not grow with history.
CREATE OR REPLACE VIEW device_summary AS
SELECT d.mac_address, d.ip_address, d.vendor, d.device_type, d.status, d.first_seen, d.last_seen,
       d.connection_count, d.threat_count,
       coalesce(e.unique_destinations, 0) AS unique_destinations,
       e.last_connection
FROM devices AS d
LEFT JOIN (
    SELECT src_mac, count(*) AS unique_destinations, max(last_seen) AS last_connection
    FROM device_destinations
    GROUP BY src_mac
) AS e ON e.src_mac = d.mac_address;

COMMENT ON VIEW device_summary IS 'Every device with its totals; reads devices and device_destinations only.';
