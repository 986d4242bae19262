-- Times of a device only move forward (first_seen: backward) and never pass the database's clock.
CREATE OR REPLACE FUNCTION devices_keep_times()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SET search_path FROM CURRENT
AS $function$
DECLARE
    v_now timestamptz := now();
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.mac_address <> OLD.mac_address THEN
            RAISE EXCEPTION 'the MAC address of device % cannot be changed', OLD.mac_address
                USING ERRCODE = 'restrict_violation',
                      HINT = 'Insert the other address as a device of its own; events and connections stay with the first.';
        END IF;
        NEW.first_seen := least(OLD.first_seen, NEW.first_seen);
        NEW.last_seen := greatest(OLD.last_seen, NEW.last_seen);
        NEW.last_activity := greatest(OLD.last_activity, NEW.last_activity);
    END IF;

    -- Also brings back a time that was stored while the server's clock ran ahead.
    NEW.last_seen := least(NEW.last_seen, v_now);
    NEW.last_activity := least(NEW.last_activity, v_now);
    NEW.first_seen := least(NEW.first_seen, NEW.last_seen, NEW.last_activity);
    RETURN NEW;
END
$function$;

REVOKE ALL ON FUNCTION devices_keep_times() FROM PUBLIC;

COMMENT ON FUNCTION devices_keep_times() IS
    'Trigger on devices: last_seen and last_activity only grow, first_seen only shrinks, none passes now().';
