-- Times of a device only move forward (first_seen: backward) and never pass the database's clock.
CREATE OR REPLACE FUNCTION devices_keep_times()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SET search_path FROM CURRENT
AS $function$
DECLARE
    v_now timestamptz := now();
    v_clock timestamptz := clock_timestamp();
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.mac_address <> OLD.mac_address THEN
            RAISE EXCEPTION 'the MAC address of device % cannot be changed', OLD.mac_address
                USING ERRCODE = 'restrict_violation',
                      HINT = 'Insert the other address as a device of its own; events and connections stay with the first.';
        END IF;
        NEW.first_seen := least(OLD.first_seen, NEW.first_seen);
        -- A transaction that began after this one may have stored a time past this one's now(): it stays. Only a time
        -- past the clock itself is brought back, which was stored while the clock ran ahead.
        NEW.last_seen := greatest(least(OLD.last_seen, v_clock), least(NEW.last_seen, v_now));
        NEW.last_activity := greatest(least(OLD.last_activity, v_clock), least(NEW.last_activity, v_now));
    ELSE
        NEW.last_seen := least(NEW.last_seen, v_now);
        NEW.last_activity := least(NEW.last_activity, v_now);
    END IF;

    NEW.first_seen := least(NEW.first_seen, NEW.last_seen, NEW.last_activity);
    RETURN NEW;
END
$function$;

REVOKE ALL ON FUNCTION devices_keep_times() FROM PUBLIC;

COMMENT ON FUNCTION devices_keep_times() IS
    'Trigger on devices: last_seen and last_activity only grow, first_seen only shrinks, none passes now().';
