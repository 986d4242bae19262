CREATE OR REPLACE FUNCTION device_events_refuse_change()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SET search_path FROM CURRENT
AS $function$
BEGIN
    RAISE EXCEPTION 'device_events is immutable: % is refused', TG_OP
        USING ERRCODE = 'restrict_violation',
              HINT = 'The trail only grows. Add an event that corrects an earlier one instead.';
END
$function$;

REVOKE ALL ON FUNCTION device_events_refuse_change() FROM PUBLIC;

COMMENT ON FUNCTION device_events_refuse_change() IS
    'Trigger on device_events: refuses UPDATE, DELETE and TRUNCATE for every role.';
