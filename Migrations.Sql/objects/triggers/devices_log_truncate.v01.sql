CREATE TRIGGER devices_log_truncate
BEFORE TRUNCATE ON devices
FOR EACH STATEMENT EXECUTE FUNCTION devices_log_truncate();
