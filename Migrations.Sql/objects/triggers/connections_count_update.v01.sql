CREATE TRIGGER connections_count_update
AFTER UPDATE ON connections
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION connections_count_update();
