-- Only rows that break the rule are worth a call: storing connections touches every device of a batch, and breaks none.
CREATE TRIGGER devices_keep_times_update
BEFORE UPDATE ON devices
FOR EACH ROW
WHEN ((NEW.mac_address = OLD.mac_address AND NEW.first_seen <= OLD.first_seen
    AND NEW.last_seen >= OLD.last_seen AND NEW.last_activity >= OLD.last_activity
    AND NEW.first_seen <= NEW.last_seen AND NEW.first_seen <= NEW.last_activity
    AND NEW.last_seen <= now() AND NEW.last_activity <= now()) IS NOT TRUE)
EXECUTE FUNCTION devices_keep_times();
