CREATE TRIGGER connections_refuse_rewrite
AFTER UPDATE ON connections
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION connections_refuse_rewrite();
