-- The roles of one site, which is one schema, and no more rights than each needs:
--   owner       owns the schema and all in it; migrations run as it; nobody logs in as it
--   writer      stores connections and sightings, enriches them, and reads
--   reader      reads
--   maintainer  sweeps the status of devices, makes partitions and drops old ones; reads no data
--
--   psql -v schema=site_a -f roles.sql "dbname=… user=…"
--
-- Run it before the first migration and after each one, as a role with CREATEROLE that owns the database, or may at least
-- create schemas in it and owns what is in the schema already. A superuser is not needed. It is one transaction and may be
-- repeated: what was granted otherwise meanwhile is taken back.
-- Variables: schema, else the first of the search path; owner, writer, reader, maintainer, else the names of the last run, else
-- the schema's name followed by _owner and so on. Roles belong to the server, not to the database: another site has others.
-- The roles have no passwords and no logins. A login is a member:
--   CREATE ROLE edge1 LOGIN IN ROLE site_a_writer;    then \password edge1
\set ON_ERROR_STOP on
\if :{?schema}
\else
  \set schema ''
\endif
\if :{?owner}
\else
  \set owner ''
\endif
\if :{?writer}
\else
  \set writer ''
\endif
\if :{?reader}
\else
  \set reader ''
\endif
\if :{?maintainer}
\else
  \set maintainer ''
\endif

BEGIN;
SELECT pg_catalog.set_config('cobaltgraph.schema', coalesce(nullif(:'schema'::text, ''::text), pg_catalog.current_schema()::text, ''::text), true) AS schema,
       pg_catalog.set_config('cobaltgraph.owner', :'owner'::text, true) AS owner,
       pg_catalog.set_config('cobaltgraph.writer', :'writer'::text, true) AS writer,
       pg_catalog.set_config('cobaltgraph.reader', :'reader'::text, true) AS reader,
       pg_catalog.set_config('cobaltgraph.maintainer', :'maintainer'::text, true) AS maintainer
\gset cobaltgraph_
-- Whatever others have put into schemas of this database is not called by us.
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL lock_timeout = '5s';
SET LOCAL client_min_messages = warning;

-- Which roles.
DO $names$
DECLARE
    v_schema text := current_setting('cobaltgraph.schema');
    v_longest integer := current_setting('max_identifier_length')::integer;
    v_known jsonb;
    v_part text;
    v_name text;
    v_names text[] := '{}';
    v_members text;
BEGIN
    IF v_schema = '' THEN
        RAISE EXCEPTION 'roles: no schema is named, and the search path names none that exists'
            USING ERRCODE = 'invalid_schema_name', HINT = 'Name the site''s schema: psql -v schema=NAME, or --schema NAME.';
    END IF;
    IF v_schema LIKE 'pg\_%' OR v_schema = 'information_schema' THEN
        RAISE EXCEPTION 'roles: schema "%" is the server''s own', v_schema
            USING ERRCODE = 'invalid_schema_name', HINT = 'Name the site''s schema: psql -v schema=NAME, or --schema NAME.';
    END IF;
    IF octet_length(v_schema) > v_longest THEN
        RAISE EXCEPTION 'roles: the name of the schema has % bytes, the server takes %: "%"', octet_length(v_schema), v_longest, left(v_schema, 80)
            USING ERRCODE = 'name_too_long';
    END IF;
    -- "CBLR": two runs for one site take turns.
    PERFORM pg_advisory_xact_lock(x'43424C52'::integer, hashtext(v_schema));

    SELECT substring(obj_description(oid, 'pg_namespace') FROM '^CobaltGraph site, roles (\{.*\})$')::jsonb
    INTO v_known
    FROM pg_namespace
    WHERE nspname = v_schema;

    FOREACH v_part IN ARRAY ARRAY['owner', 'writer', 'reader', 'maintainer'] LOOP
        v_name := coalesce(nullif(current_setting('cobaltgraph.' || v_part), ''), v_known->>v_part, v_schema || '_' || v_part);
        IF octet_length(v_name) > v_longest THEN
            RAISE EXCEPTION 'roles: the name of the % has % bytes, the server takes %: "%"', v_part, octet_length(v_name), v_longest, left(v_name, 80)
                USING ERRCODE = 'name_too_long', HINT = format('Give it another: psql -v %s=NAME, or --%s NAME.', v_part, v_part);
        END IF;
        IF v_name = ANY (v_names) THEN
            RAISE EXCEPTION 'roles: "%" is named twice; owner, writer, reader and maintainer are four roles', v_name
                USING ERRCODE = 'invalid_parameter_value';
        END IF;
        v_names := v_names || v_name;
        -- Sites of other databases with a schema of this name have roles of these names.
        IF current_setting('cobaltgraph.' || v_part) = '' AND v_known->>v_part IS NULL THEN
            SELECT string_agg(quote_ident(m.rolname), ', ' ORDER BY m.rolname) INTO v_members
            FROM pg_roles AS r
            JOIN pg_auth_members AS a ON a.roleid = r.oid
            JOIN pg_roles AS m ON m.oid = a.member
            WHERE r.rolname = v_name AND m.rolname <> current_user AND NOT m.rolsuper;
            IF v_members <> '' THEN
                RAISE WARNING 'roles: role "%" existed already; its members get the rights of this site too: %', v_name, v_members
                    USING HINT = format('If it belongs to a site of another database, name another: psql -v %s=NAME, or --%s NAME.', v_part, v_part);
            END IF;
        END IF;
        PERFORM set_config('cobaltgraph.' || v_part, v_name, true);
    END LOOP;
END
$names$;

-- They exist, can do nothing by themselves, and none of the others is the owner by membership.
DO $roles$
DECLARE
    v_owner text := current_setting('cobaltgraph.owner');
    v_writer text := current_setting('cobaltgraph.writer');
    v_reader text := current_setting('cobaltgraph.reader');
    v_maintainer text := current_setting('cobaltgraph.maintainer');
    v_part text;
    v_name text;
    v_role pg_roles;
    v_powers text;
BEGIN
    FOREACH v_part IN ARRAY ARRAY['owner', 'writer', 'reader', 'maintainer'] LOOP
        v_name := current_setting('cobaltgraph.' || v_part);
        SELECT * INTO v_role FROM pg_roles WHERE rolname = v_name;
        IF NOT FOUND THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', v_name);
            CONTINUE;
        END IF;

        v_powers := concat_ws(', ',
            CASE WHEN v_role.rolsuper THEN 'SUPERUSER' END, CASE WHEN v_role.rolcreaterole THEN 'CREATEROLE' END,
            CASE WHEN v_role.rolcreatedb THEN 'CREATEDB' END, CASE WHEN v_role.rolreplication THEN 'REPLICATION' END,
            CASE WHEN v_role.rolbypassrls THEN 'BYPASSRLS' END,
            CASE WHEN v_part = 'owner' AND v_role.rolcanlogin THEN 'LOGIN' END);
        IF v_powers <> '' THEN
            RAISE EXCEPTION 'roles: role "%" has %, which the % of a site must not have', v_name, v_powers, v_part
                USING ERRCODE = 'invalid_parameter_value',
                      HINT = format('Name another role (psql -v %s=NAME, or --%s NAME), or take that from it with ALTER ROLE.', v_part, v_part);
        END IF;
    END LOOP;

    -- A writer may be a reader. The server's own roles reach beyond the site.
    FOREACH v_part IN ARRAY ARRAY['owner', 'writer', 'reader', 'maintainer'] LOOP
        v_name := current_setting('cobaltgraph.' || v_part);
        SELECT string_agg(quote_ident(r.rolname), ', ' ORDER BY r.rolname) INTO v_powers
        FROM pg_roles AS r
        WHERE r.rolname <> v_name AND pg_has_role(v_name, r.oid, 'MEMBER')
          AND (r.rolname IN ('pg_read_all_data', 'pg_write_all_data', 'pg_read_server_files', 'pg_write_server_files',
                             'pg_execute_server_program')
               OR (v_part <> 'owner' AND r.rolname IN (v_owner, v_writer, v_maintainer))
               OR (v_part = 'maintainer' AND r.rolname = v_reader));
        IF v_powers <> '' THEN
            RAISE EXCEPTION 'roles: "%", the % of the site, is a member of a role that may do more: %', v_name, v_part, v_powers
                USING ERRCODE = 'invalid_grant_operation', HINT = 'Take the membership from it with REVOKE.';
        END IF;
    END LOOP;

    -- Whoever runs this acts as the owner until the end of it.
    IF NOT pg_has_role(v_owner, CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN 'SET' ELSE 'MEMBER' END) THEN
        EXECUTE format('GRANT %I TO %I', v_owner, current_user);
        PERFORM set_config('cobaltgraph.borrowed', current_user, true);
    ELSE
        PERFORM set_config('cobaltgraph.borrowed', '', true);
    END IF;
END
$roles$;

-- The schema and all that is in it belong to the owner, whoever migrated before.
DO $ownership$
DECLARE
    v_schema text := current_setting('cobaltgraph.schema');
    v_owner text := current_setting('cobaltgraph.owner');
    v_before text := current_setting('role');
    v_namespace oid;
    v_holder oid;
    v_statement text;
    v_strangers text;
BEGIN
    SELECT oid, nspowner INTO v_namespace, v_holder FROM pg_namespace WHERE nspname = v_schema;
    IF NOT FOUND THEN
        IF NOT has_database_privilege(current_database(), 'CREATE') THEN
            RAISE EXCEPTION 'roles: there is no schema "%", and "%" may not create it in this database', v_schema, current_user
                USING ERRCODE = 'insufficient_privilege',
                      HINT = format('Run this as the owner of the database, or have it run GRANT CREATE ON DATABASE %I TO %I.', current_database(), current_user);
        END IF;
        EXECUTE format('CREATE SCHEMA %I AUTHORIZATION %I', v_schema, v_owner);
        v_namespace := (SELECT oid FROM pg_namespace WHERE nspname = v_schema);
    ELSIF pg_get_userbyid(v_holder) <> v_owner THEN
        IF NOT (pg_has_role(v_holder, 'USAGE') AND has_database_privilege(current_database(), 'CREATE')) THEN
            RAISE EXCEPTION 'roles: schema "%" belongs to "%", and "%" may not give it to "%"', v_schema, pg_get_userbyid(v_holder), current_user, v_owner
                USING ERRCODE = 'insufficient_privilege',
                      HINT = 'Run this as the owner of schema and database, or name a schema of its own: psql -v schema=NAME, or --schema NAME.';
        END IF;
        EXECUTE format('ALTER SCHEMA %I OWNER TO %I', v_schema, v_owner);
    END IF;

    -- What somebody else has made here would run with the owner's rights afterwards, for whoever has rights on it.
    SELECT string_agg(format('%s of "%s"', o.name, r.rolname), ', ' ORDER BY o.name) INTO v_strangers
    FROM (
        SELECT oid::regclass::text AS name, relowner AS owner FROM pg_class
        WHERE relnamespace = v_namespace AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
        UNION ALL
        SELECT oid::regprocedure::text, proowner FROM pg_proc WHERE pronamespace = v_namespace
        UNION ALL
        SELECT oid::regoperator::text, oprowner FROM pg_operator WHERE oprnamespace = v_namespace
        UNION ALL
        SELECT t.oid::regtype::text, t.typowner
        FROM pg_type AS t
        LEFT JOIN pg_class AS c ON c.oid = t.typrelid
        WHERE t.typnamespace = v_namespace AND (t.typtype <> 'c' OR c.relkind = 'c')
          AND NOT EXISTS (SELECT 1 FROM pg_type AS e WHERE e.typarray = t.oid)
        UNION ALL
        SELECT 'collation ' || quote_ident(collname), collowner FROM pg_collation WHERE collnamespace = v_namespace
        UNION ALL
        SELECT 'conversion ' || quote_ident(conname), conowner FROM pg_conversion WHERE connamespace = v_namespace
        UNION ALL
        SELECT 'operator class ' || quote_ident(opcname), opcowner FROM pg_opclass WHERE opcnamespace = v_namespace
        UNION ALL
        SELECT 'operator family ' || quote_ident(opfname), opfowner FROM pg_opfamily WHERE opfnamespace = v_namespace
        UNION ALL
        SELECT 'text search configuration ' || quote_ident(cfgname), cfgowner FROM pg_ts_config WHERE cfgnamespace = v_namespace
        UNION ALL
        SELECT 'text search dictionary ' || quote_ident(dictname), dictowner FROM pg_ts_dict WHERE dictnamespace = v_namespace
        UNION ALL
        SELECT 'statistics ' || quote_ident(stxname), stxowner FROM pg_statistic_ext WHERE stxnamespace = v_namespace
    ) AS o
    JOIN pg_roles AS r ON r.oid = o.owner
    WHERE NOT r.rolsuper AND o.owner <> coalesce(v_holder, o.owner) AND r.rolname <> current_user
      AND NOT pg_has_role(o.owner, v_owner, 'MEMBER')
      AND o.owner <> (SELECT datdba FROM pg_database WHERE datname = current_database());
    IF v_strangers <> '' THEN
        RAISE EXCEPTION 'roles: in schema "%" are objects that others have made: %', v_schema, v_strangers
            USING ERRCODE = 'insufficient_privilege',
                  HINT = 'Read them. Drop what does not belong to the site, and give the rest to the one who runs this by ALTER … OWNER TO.';
    END IF;

    FOR v_statement IN
        SELECT format('ALTER %s %s OWNER TO %I',
            CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
            c.oid::regclass, v_owner)
        FROM pg_class AS c
        WHERE c.relnamespace = v_namespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S') AND pg_get_userbyid(c.relowner) <> v_owner
          -- those of an extension are the extension's, a sequence of a column goes with its table
          AND NOT EXISTS (
              SELECT 1 FROM pg_depend AS d
              WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                AND (d.deptype = 'e' OR (d.deptype IN ('a', 'i') AND d.refobjsubid > 0 AND c.relkind = 'S')))
        UNION ALL
        SELECT format('ALTER ROUTINE %s OWNER TO %I', p.oid::regprocedure, v_owner)
        FROM pg_proc AS p
        WHERE p.pronamespace = v_namespace AND pg_get_userbyid(p.proowner) <> v_owner
          AND NOT EXISTS (
              SELECT 1 FROM pg_depend AS d
              WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
    LOOP
        EXECUTE v_statement;
    END LOOP;

    PERFORM set_config('role', v_owner, true);
    EXECUTE format('COMMENT ON SCHEMA %I IS %L', v_schema, 'CobaltGraph site, roles ' || jsonb_build_object(
        'owner', v_owner, 'writer', current_setting('cobaltgraph.writer'), 'reader', current_setting('cobaltgraph.reader'),
        'maintainer', current_setting('cobaltgraph.maintainer'))::text);
    -- Everybody may call a new function unless that is said here; it cannot be said for one schema.
    EXECUTE 'ALTER DEFAULT PRIVILEGES REVOKE ALL ON FUNCTIONS FROM PUBLIC';
    PERFORM set_config('role', v_before, true);
END
$ownership$;

-- The database: nothing for everybody, not even temporary tables; who belongs to the site may connect.
DO $database$
DECLARE
    v_database text := current_database();
    v_members text := format('%I, %I, %I, %I', current_setting('cobaltgraph.owner'), current_setting('cobaltgraph.writer'),
        current_setting('cobaltgraph.reader'), current_setting('cobaltgraph.maintainer'));
    v_schema text;
BEGIN
    IF pg_has_role((SELECT datdba FROM pg_database WHERE datname = v_database), 'USAGE') THEN
        EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', v_database);
        EXECUTE format('REVOKE ALL ON DATABASE %I FROM %s', v_database, v_members);
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %s', v_database, v_members);
    ELSIF has_database_privilege('public', v_database, 'CONNECT, CREATE, TEMPORARY')
          OR NOT has_database_privilege(current_setting('cobaltgraph.writer'), v_database, 'CONNECT') THEN
        RAISE WARNING 'roles: the rights of PUBLIC on database "%" stay as they are, for it belongs to another', v_database
            USING HINT = format('Have its owner run: REVOKE ALL ON DATABASE %1$I FROM PUBLIC; GRANT CONNECT ON DATABASE %1$I TO %2$s;', v_database, v_members);
    END IF;

    FOR v_schema IN SELECT nspname FROM pg_namespace WHERE has_schema_privilege('public', oid, 'CREATE') ORDER BY 1 LOOP
        RAISE WARNING 'roles: everybody may create objects in schema "%"', v_schema
            USING HINT = format('Unless an application needs that: REVOKE CREATE ON SCHEMA %I FROM PUBLIC;', v_schema);
    END LOOP;
END
$database$;

-- Rights on the schema and all in it, given by whoever owns it.
DO $grants$
DECLARE
    v_schema text := current_setting('cobaltgraph.schema');
    v_writer text := current_setting('cobaltgraph.writer');
    v_reader text := current_setting('cobaltgraph.reader');
    v_maintainer text := current_setting('cobaltgraph.maintainer');
    v_before text := current_setting('role');
    v_everybody text := format('PUBLIC, %I, %I, %I', v_writer, v_reader, v_maintainer);
    v_namespace oid;
    v_owner oid;
    v_creators text;
    v_kind text;
    v_policy text;
    v_wanted text;
    v_mark_of text := $mark$SELECT md5(concat($2, (
        SELECT string_agg(concat(polname, polcmd, polpermissive, polroles::text, pg_get_expr(polqual, polrelid),
            pg_get_expr(polwithcheck, polrelid)), ';' ORDER BY polname)
        FROM pg_policy WHERE polrelid = $1)))$mark$;
    v_mark text;
    v_object record;
    v_own_source text := $source$EXISTS (
        SELECT 1 FROM pg_catalog.pg_roles AS r
        WHERE r.rolname::text = pg_catalog.split_part(source, '/'::text, 1)
          AND pg_catalog.pg_has_role(SESSION_USER, r.oid, 'MEMBER'::text))$source$;
BEGIN
    SELECT oid, nspowner INTO v_namespace, v_owner FROM pg_namespace WHERE nspname = v_schema;
    PERFORM set_config('role', pg_get_userbyid(v_owner), true);

    EXECUTE format('REVOKE ALL ON SCHEMA %I FROM %s', v_schema, v_everybody);
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I, %I, %I', v_schema, v_writer, v_reader, v_maintainer);
    -- What they make there, the owner's functions could call.
    SELECT string_agg(quote_ident(r.rolname), ', ' ORDER BY r.rolname) INTO v_creators
    FROM pg_namespace AS n, aclexplode(n.nspacl) AS a, pg_roles AS r
    WHERE n.oid = v_namespace AND a.privilege_type = 'CREATE' AND r.oid = a.grantee AND a.grantee <> v_owner;
    IF v_creators <> '' THEN
        RAISE WARNING 'roles: others than the owner may create objects in schema "%": %', v_schema, v_creators
            USING HINT = format('Unless that is wanted: REVOKE CREATE ON SCHEMA %I FROM %s;', v_schema, v_creators);
    END IF;

    -- Partitions and tables to come can be read; what may be written is always said below.
    FOREACH v_kind IN ARRAY ARRAY['TABLES', 'SEQUENCES', 'FUNCTIONS'] LOOP
        EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I REVOKE ALL ON %s FROM %s', v_schema, v_kind, v_everybody);
    END LOOP;
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT SELECT ON TABLES TO %I, %I', v_schema, v_writer, v_reader);

    FOR v_object IN
        SELECT c.oid::regclass AS name, c.relkind AS kind
        FROM pg_class AS c
        WHERE c.relnamespace = v_namespace AND c.relowner = v_owner AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
        ORDER BY c.relname
    LOOP
        EXECUTE format('REVOKE ALL ON %s %s FROM %s', CASE v_object.kind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, v_object.name, v_everybody);
        IF v_object.kind <> 'S' THEN
            EXECUTE format('GRANT SELECT ON TABLE %s TO %I, %I', v_object.name, v_writer, v_reader);
        END IF;
    END LOOP;

    -- Views call functions by the rights of who reads them; those that are immutable hold numbers and see no table.
    FOR v_object IN
        SELECT p.oid::regprocedure AS name, p.proname AS bare_name, p.provolatile = 'i' AND NOT p.prosecdef AS is_number
        FROM pg_proc AS p
        WHERE p.pronamespace = v_namespace AND p.proowner = v_owner
        ORDER BY p.proname
    LOOP
        EXECUTE format('REVOKE ALL ON ROUTINE %s FROM %s', v_object.name, v_everybody);
        IF v_object.is_number THEN
            EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO %I, %I', v_object.name, v_writer, v_reader);
        ELSIF v_object.bare_name IN ('merge_device_sightings', 'merge_sightings_with_metadata') THEN
            EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO %I', v_object.name, v_writer);
        ELSIF v_object.bare_name IN ('sweep_device_status', 'ensure_connection_partitions', 'drop_connection_partitions',
                                     'ensure_text_search') THEN
            EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO %I', v_object.name, v_maintainer);
        END IF;
    END LOOP;

    -- Columns that a writer fills or changes. Not among them: ids and times of recording, which say when and in which order;
    -- counters, times and status of devices, which follow from what is stored; and of connections what was observed, and the
    -- threat, which a device's score and counts follow.
    FOR v_object IN
        SELECT w.verb, c.oid::regclass AS name, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) AS columns
        FROM (VALUES
            ('INSERT', 'connections', ARRAY['timestamp', 'src_mac', 'src_ip', 'src_port', 'dst_ip', 'dst_port', 'protocol', 'dst_country',
                'dst_lat', 'dst_lon', 'dst_org', 'dst_hostname', 'threat_score', 'threat_category', 'bytes_sent', 'bytes_received',
                'duration', 'metadata']),
            ('UPDATE', 'connections', ARRAY['dst_country', 'dst_lat', 'dst_lon', 'dst_org', 'dst_hostname', 'metadata']),
            ('UPDATE', 'devices', ARRAY['vendor', 'device_type', 'hostname', 'confidence_score', 'metadata']),
            ('INSERT', 'device_events', ARRAY['device_mac', 'event_type', 'old_value', 'new_value', 'metadata']),
            ('INSERT', 'ingest_batches', ARRAY['source', 'batch_key', 'content_hash', 'rows_read', 'rows_stored', 'rows_duplicate',
                'rows_rejected', 'first_event_at', 'last_event_at']),
            ('UPDATE', 'ingest_batches', ARRAY['rows_stored', 'rows_rejected'])
        ) AS w(verb, relation, columns)
        JOIN pg_class AS c ON c.relnamespace = v_namespace AND c.relname = w.relation
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = ANY (w.columns)
        GROUP BY w.verb, c.oid
        ORDER BY 2, 1
    LOOP
        EXECUTE format('GRANT %s (%s) ON TABLE %s TO %I', v_object.verb, v_object.columns, v_object.name, v_writer);
    END LOOP;

    FOR v_object IN
        SELECT d.objid::regclass AS name
        FROM pg_depend AS d
        JOIN pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
        JOIN pg_class AS c ON c.oid = d.refobjid
        WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
          AND c.relnamespace = v_namespace AND c.relname IN ('connections', 'device_events')
        ORDER BY s.relname
    LOOP
        EXECUTE format('GRANT USAGE ON SEQUENCE %s TO %I', v_object.name, v_writer);
    END LOOP;

    FOR v_object IN
        SELECT oid::regclass AS name FROM pg_class WHERE relnamespace = v_namespace AND relname = '__EFMigrationsHistory'
    LOOP
        EXECUTE format('GRANT SELECT ON TABLE %s TO %I', v_object.name, v_maintainer);
    END LOOP;

    -- Whoever claims the key of another's batch makes that batch look stored already. So a source belongs to a role: the one
    -- that the source names, up to a slash, is the login itself or one that it is a member of. Counts are corrected by the
    -- transaction that made the entry, and by no later one.
    -- Made anew only where they are not as this left them: it locks everybody out, who then waits for a backup or a long batch too.
    FOR v_object IN
        SELECT oid, oid::regclass AS name, relrowsecurity AS is_on, relforcerowsecurity AS is_forced
        FROM pg_class WHERE relnamespace = v_namespace AND relname = 'ingest_batches'
    LOOP
        IF v_object.is_forced THEN
            EXECUTE format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', v_object.name);
        END IF;
        IF NOT v_object.is_on THEN
            EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', v_object.name);
        END IF;
        v_wanted := format('%s %I %I', v_own_source, v_writer, v_reader);
        EXECUTE v_mark_of INTO v_mark USING v_object.oid, v_wanted;
        CONTINUE WHEN (SELECT obj_description(oid, 'pg_policy') = 'Made by roles.sql, ' || v_mark
                       FROM pg_policy WHERE polrelid = v_object.oid AND polname = 'ingest_batches_read');
        FOR v_policy IN SELECT polname FROM pg_policy WHERE polrelid = v_object.oid ORDER BY polname LOOP
            EXECUTE format('DROP POLICY %I ON %s', v_policy, v_object.name);
        END LOOP;
        EXECUTE format('CREATE POLICY ingest_batches_read ON %s FOR SELECT TO %I, %I USING (true)', v_object.name, v_writer, v_reader);
        EXECUTE format('CREATE POLICY ingest_batches_claim ON %s FOR INSERT TO %I WITH CHECK (%s)', v_object.name, v_writer, v_own_source);
        EXECUTE format('CREATE POLICY ingest_batches_correct ON %s FOR UPDATE TO %I USING (committed_at = pg_catalog.now() AND %s)',
            v_object.name, v_writer, v_own_source);
        EXECUTE v_mark_of INTO v_mark USING v_object.oid, v_wanted;
        EXECUTE format('COMMENT ON POLICY ingest_batches_read ON %s IS %L', v_object.name, 'Made by roles.sql, ' || v_mark);
    END LOOP;

    PERFORM set_config('role', v_before, true);
END
$grants$;

-- Nobody stays the owner who was not before.
DO $leave$
BEGIN
    IF current_setting('cobaltgraph.borrowed') <> '' THEN
        EXECUTE format('REVOKE %I FROM %I', current_setting('cobaltgraph.owner'), current_user);
    END IF;
END
$leave$;

COMMIT;
