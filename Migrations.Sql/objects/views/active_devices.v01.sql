CREATE OR REPLACE VIEW active_devices AS
SELECT mac_address, ip_address, vendor, device_type, hostname, last_seen, connection_count, threat_count, status
FROM devices
WHERE last_seen > now() - interval '30 minutes';

COMMENT ON VIEW active_devices IS 'Devices seen in the last 30 minutes.';
