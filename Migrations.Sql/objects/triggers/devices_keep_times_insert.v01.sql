-- Only rows that break the rule are worth a call: storing connections touches every device of a batch, and breaks none.
CREATE TRIGGER devices_keep_times_insert
BEFORE INSERT ON devices
FOR EACH ROW
WHEN ((NEW.first_seen <= NEW.last_seen AND NEW.first_seen <= NEW.last_activity
    AND NEW.last_seen <= now() AND NEW.last_activity <= now()) IS NOT TRUE)
EXECUTE FUNCTION devices_keep_times();
