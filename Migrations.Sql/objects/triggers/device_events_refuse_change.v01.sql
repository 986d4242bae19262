CREATE TRIGGER device_events_refuse_change
BEFORE UPDATE OR DELETE OR TRUNCATE ON device_events
FOR EACH STATEMENT EXECUTE FUNCTION device_events_refuse_change();
