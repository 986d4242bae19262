-- Every total stands with its device: nothing else is read, whatever the number of destinations and connections.
CREATE OR REPLACE VIEW device_summary AS
SELECT mac_address, ip_address, vendor, device_type, status, first_seen, last_seen, connection_count, threat_count,
       unique_destinations, last_connection
FROM devices;

COMMENT ON VIEW device_summary IS 'Every device with its totals; reads devices only.';
