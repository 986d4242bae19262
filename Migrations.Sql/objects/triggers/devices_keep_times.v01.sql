CREATE TRIGGER devices_keep_times
BEFORE INSERT OR UPDATE ON devices
FOR EACH ROW EXECUTE FUNCTION devices_keep_times();
