namespace CobaltGraph.Data.Schema.Catalog;

// Every function is called by its full name: the search path of the reading session begins with the schema that is looked
// at, so that the server leaves that schema's name out of its texts, and what lies there must not be called instead. Operands
// have types for which the server has the very operator: one of another's that fits better would be taken before one of its own
// that needs a cast.
// A column that only later servers have is taken from the row as JSON, which has no key for it before.
internal static class CatalogSql
{
    public const string Settings = """
        SELECT pg_catalog.set_config(s.name, s.value, true)
        FROM (VALUES ('search_path', $1), ('timezone', 'UTC'), ('datestyle', 'ISO, MDY'), ('intervalstyle', 'postgres'),
            ('bytea_output', 'hex'), ('extra_float_digits', '1'), ('quote_all_identifiers', 'off'), ('jit', 'off')) AS s(name, value)
        """;

    /// <summary>
    /// Kind, name, table, partition, partitioned table, properties as JSON and definition of each object of schema $1; the
    /// first row is the schema, whose definition is the role that owns its objects.
    /// </summary>
    public static string Objects { get; } = string.Join("\nUNION ALL\n",
    [
        $"""
        WITH site AS (
            SELECT n.oid, n.nspname::text AS name, n.nspowner, n.nspacl,
                   coalesce({Comment("n.oid", "pg_namespace")} LIKE '{RolesScript.CommentPrefix}%', false) AS has_roles
            FROM pg_catalog.pg_namespace AS n WHERE n.nspname = $1
        ),
        member AS (
            SELECT d.classid, d.objid FROM pg_catalog.pg_depend AS d WHERE d.deptype = 'e'
        ),
        inside AS (
            SELECT c.oid FROM pg_catalog.pg_class AS c WHERE c.relnamespace = (SELECT oid FROM site)
        ),
        relation AS (
            SELECT c.*,
                   CASE WHEN c.relnamespace = site.oid THEN c.relname::text
                        ELSE pg_catalog.quote_ident(c.relnamespace::regnamespace::text) || '.' || c.relname::text END AS name,
                   CASE WHEN pg_catalog.pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT' THEN c.relname::text END AS part,
                   CASE WHEN c.relispartition THEN p.relname::text END AS part_of
            FROM site
            CROSS JOIN pg_catalog.pg_class AS c
            LEFT JOIN pg_catalog.pg_inherits AS i ON c.relispartition AND i.inhrelid = c.oid
            LEFT JOIN pg_catalog.pg_class AS p ON p.oid = i.inhparent
            WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
              AND (c.oid IN (SELECT oid FROM inside) OR i.inhparent IN (SELECT oid FROM inside))
              AND NOT EXISTS (
                  SELECT 1 FROM member AS m WHERE m.classid = 'pg_catalog.pg_class'::regclass::oid AND m.objid = c.oid)
        ),
        -- Whoever owns most: the role that migrates, whichever single object was given away.
        keeper AS (
            SELECT coalesce(
                (SELECT o.owner FROM (
                    SELECT r.relowner AS owner FROM relation AS r WHERE NOT r.relispartition
                    UNION ALL
                    SELECT p.proowner FROM pg_catalog.pg_proc AS p JOIN site ON p.pronamespace = site.oid
                    WHERE {NoMember("pg_proc", "p")}) AS o
                 GROUP BY o.owner ORDER BY count(*) DESC, o.owner LIMIT 1),
                site.nspowner) AS oid
            FROM site
        )
        SELECT 'schema' AS kind, '{SchemaCatalog.ThisSchema}' AS name, NULL::text AS tbl, NULL::text AS part, NULL::text AS part_of,
            pg_catalog.jsonb_build_object('owner', (
                -- Where roles are in use, the triggers run as the owner, who needs the schema: nobody stands in for him.
                SELECT CASE WHEN r.oid = keeper.oid
                        OR NOT site.has_roles
                           AND (r.rolsuper OR r.rolname = 'pg_database_owner' OR r.oid = d.datdba)
                    THEN '{SchemaCatalog.Owner}' ELSE r.rolname::text END
                FROM pg_catalog.pg_roles AS r, pg_catalog.pg_database AS d
                WHERE r.oid = site.nspowner AND d.datname = pg_catalog.current_database()),
                -- What roles.sql takes away; it is said of a role, not of a schema, so that it would be the same of any other one.
                '{SchemaCatalog.NewFunctions}', CASE
                    WHEN site.has_roles AND EXISTS (
                        SELECT 1
                        FROM pg_catalog.aclexplode(coalesce(
                            (SELECT d.defaclacl FROM pg_catalog.pg_default_acl AS d
                             WHERE d.defaclrole = keeper.oid AND d.defaclnamespace = 0::oid AND d.defaclobjtype = 'f'),
                            pg_catalog.acldefault('f', keeper.oid))) AS e
                        WHERE e.grantee = 0::oid)
                    THEN 'everybody may call them' END)
            || coalesce((
                SELECT pg_catalog.jsonb_object_agg('grants to ' || g.grantee, g.privileges) FROM (
                    SELECT {Grantee("e.grantee")} AS grantee,
                        pg_catalog.string_agg(DISTINCT e.privilege_type
                            || CASE WHEN e.is_grantable THEN ' with grant option' ELSE '' END, ', ') AS privileges
                    FROM pg_catalog.aclexplode(site.nspacl) AS e
                    WHERE e.grantee NOT IN (site.nspowner, keeper.oid)
                      -- What initdb gave to all, as on public; roles.sql takes that away.
                      AND (site.has_roles OR NOT EXISTS (
                          SELECT 1 FROM pg_catalog.pg_init_privs AS i, pg_catalog.aclexplode(i.initprivs) AS o
                          WHERE i.classoid = 'pg_catalog.pg_namespace'::regclass::oid AND i.objoid = site.oid
                            AND o.grantee = e.grantee AND o.privilege_type = e.privilege_type))
                    GROUP BY 1) AS g), '{Empty}') AS properties,
            (SELECT r.rolname::text FROM pg_catalog.pg_roles AS r WHERE r.oid = keeper.oid) AS definition
        FROM site CROSS JOIN keeper
        """,
        $"""
        SELECT CASE r.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' ELSE 'table' END,
            r.name, NULL, r.part, r.part_of,
            pg_catalog.jsonb_build_object(
                'owner', {OwnerName("r.relowner")},
                'persistence', CASE r.relpersistence WHEN 'u' THEN 'unlogged' WHEN 't' THEN 'temporary' END,
                'partitioned by', pg_catalog.pg_get_partkeydef(r.oid),
                'partition of', r.part_of,
                'bounds', CASE
                    WHEN pg_catalog.pg_get_expr(r.relpartbound, r.oid) = pg_catalog.format('FOR VALUES FROM (%L) TO (%L)',
                            month.first || '-01 00:00:00+00', month.next || '-01 00:00:00+00')
                        AND r.relname::text = r.part_of || month.suffix
                    THEN 'the month that its name says, UTC' ELSE pg_catalog.pg_get_expr(r.relpartbound, r.oid) END,
                'inherits', (
                    SELECT pg_catalog.string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno)
                    FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid = r.oid AND NOT r.relispartition),
                'column order', (
                    SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attnum)
                    FROM pg_catalog.pg_attribute AS a
                    WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped AND NOT r.relispartition),
                'type', r.reloftype::regtype::text,
                'access method', (SELECT m.amname FROM pg_catalog.pg_am AS m WHERE m.oid = r.relam AND m.amname <> 'heap'),
                'row security', CASE WHEN r.relrowsecurity THEN CASE WHEN r.relforcerowsecurity THEN 'forced' ELSE 'enabled' END
                    WHEN r.relforcerowsecurity THEN 'disabled, would be forced' END,
                'replica identity', CASE r.relreplident WHEN 'n' THEN 'nothing' WHEN 'f' THEN 'full' WHEN 'i' THEN 'index' END,
                'options', (
                    SELECT pg_catalog.string_agg(o.option, ', ' ORDER BY o.option COLLATE "C") FROM (
                        SELECT pg_catalog.unnest(r.reloptions) AS option
                        UNION ALL
                        SELECT 'toast.' || pg_catalog.unnest(t.reloptions) FROM pg_catalog.pg_class AS t WHERE t.oid = r.reltoastrelid) AS o),
                'query', CASE WHEN r.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(r.oid, true) END,
                'comment', coalesce(
                    pg_catalog.replace({Comment("r.oid", "pg_class")}, month.first, 'a month'),
                    {Comment("r.oid", "pg_class")})
            ) || {Grants("r.relacl", 'r', "r.relowner")},
            CASE WHEN r.relkind IN ('v', 'm') THEN pg_catalog.concat(
                'CREATE ', CASE r.relkind WHEN 'v' THEN 'OR REPLACE ' ELSE 'MATERIALIZED ' END, 'VIEW ', pg_catalog.quote_ident(r.name),
                ' WITH (' || pg_catalog.array_to_string(r.reloptions, ', ') || ')', E' AS\n',
                pg_catalog.rtrim(pg_catalog.pg_get_viewdef(r.oid, true), ';')) END
        FROM relation AS r
        LEFT JOIN LATERAL (
            SELECT pg_catalog.substring(r.relname::text, '(_y[0-9]+m[0-9]+)$') AS suffix,
                pg_catalog.to_char(d.day, 'YYYY-MM') AS first, pg_catalog.to_char(d.day + interval '1 month', 'YYYY-MM') AS next
            FROM (SELECT pg_catalog.make_date(
                      nullif(pg_catalog.substring(r.relname::text, '_y([0-9][0-9][0-9][0-9])m(?:0[1-9]|1[0-2])$')::integer, 0),
                      pg_catalog.substring(r.relname::text, '_y[0-9][0-9][0-9][0-9]m(0[1-9]|1[0-2])$')::integer, 1) AS day) AS d
            WHERE r.part IS NOT NULL AND d.day IS NOT NULL
        ) AS month ON true
        WHERE r.relkind <> 'S'
        """,
        $"""
        SELECT 'sequence', r.name, NULL, NULL, NULL,
            pg_catalog.jsonb_build_object(
                'owner', {OwnerName("r.relowner")},
                'persistence', CASE r.relpersistence WHEN 'u' THEN 'unlogged' WHEN 't' THEN 'temporary' END,
                'type', pg_catalog.format_type(s.seqtypid, NULL),
                'start', s.seqstart::text, 'minimum', s.seqmin::text, 'maximum', s.seqmax::text,
                'increment', s.seqincrement::text, 'cache', s.seqcache::text, 'cycle', CASE WHEN s.seqcycle THEN 'cycles' END,
                'owned by', (
                    SELECT d.refobjid::regclass::text || '.' || pg_catalog.quote_ident(a.attname)
                    FROM pg_catalog.pg_depend AS d
                    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                    WHERE d.classid = 'pg_catalog.pg_class'::regclass::oid AND d.objid = r.oid
                      AND d.refclassid = 'pg_catalog.pg_class'::regclass::oid AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')),
                'comment', {Comment("r.oid", "pg_class")}
            ) || {Grants("r.relacl", 's', "r.relowner")},
            pg_catalog.format('CREATE SEQUENCE %I AS %s INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s CACHE %s %s', r.name,
                pg_catalog.format_type(s.seqtypid, NULL), s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcache,
                CASE WHEN s.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END)
        FROM relation AS r JOIN pg_catalog.pg_sequence AS s ON s.seqrelid = r.oid
        """,
        $"""
        SELECT 'column', r.name || '.' || a.attname::text, r.name, r.part, r.part_of,
            pg_catalog.jsonb_build_object(
                'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
                'collation', (
                    SELECT l.collname::text FROM pg_catalog.pg_type AS t
                    JOIN pg_catalog.pg_collation AS l ON l.oid = a.attcollation
                    WHERE t.oid = a.atttypid AND t.typcollation <> a.attcollation),
                'null', CASE WHEN a.attnotnull THEN 'NOT NULL' || coalesce((
                    SELECT ' NOT VALID' FROM pg_catalog.pg_constraint AS c
                    WHERE c.conrelid = r.oid AND c.contype = 'n' AND pg_catalog.cardinality(c.conkey) = 1 AND c.conkey[1] = a.attnum AND NOT c.convalidated), '') END,
                'default', CASE WHEN a.attgenerated = '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END,
                'generated', CASE WHEN a.attgenerated <> ''
                    THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) || CASE a.attgenerated WHEN 's' THEN ' STORED' ELSE ' VIRTUAL' END END,
                'identity', CASE a.attidentity WHEN 'a' THEN 'ALWAYS' WHEN 'd' THEN 'BY DEFAULT' END,
                'storage', (
                    SELECT CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'm' THEN 'MAIN' WHEN 'e' THEN 'EXTERNAL' ELSE 'EXTENDED' END
                    FROM pg_catalog.pg_type AS t WHERE t.oid = a.atttypid AND t.typstorage <> a.attstorage),
                'compression', nullif(pg_catalog.to_jsonb(a) ->> 'attcompression'::text, ''),
                'statistics target', nullif(a.attstattarget, -1)::text,
                'options', pg_catalog.array_to_string(a.attoptions, ', '),
                'comment', {Comment("r.oid", "pg_class", "a.attnum")}
            ) || {Grants("a.attacl", 'c', "r.relowner")},
            CASE WHEN r.relkind <> 'v' THEN pg_catalog.concat(
                pg_catalog.quote_ident(a.attname), ' ', pg_catalog.format_type(a.atttypid, a.atttypmod),
                CASE a.attgenerated WHEN '' THEN ' DEFAULT ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid)
                    ELSE ' GENERATED ALWAYS AS (' || pg_catalog.pg_get_expr(d.adbin, d.adrelid) || ') STORED' END,
                CASE WHEN a.attnotnull THEN ' NOT NULL' END) END
        FROM relation AS r
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = r.oid AND d.adnum = a.attnum
        WHERE r.relkind <> 'S'
        """,
        $"""
        SELECT 'constraint', r.name || '.' || coalesce(parent.conname, c.conname)::text, r.name, r.part, r.part_of,
            pg_catalog.jsonb_build_object(
                'definition', pg_catalog.pg_get_constraintdef(c.oid, true),
                'inherited', CASE WHEN c.connoinherit AND c.contype = 'c' THEN 'by no partition' END,
                'comment', {Comment("c.oid", "pg_constraint")}),
            pg_catalog.format('ALTER TABLE %I ADD CONSTRAINT %I %s', r.name, coalesce(parent.conname, c.conname),
                pg_catalog.pg_get_constraintdef(c.oid, true))
        FROM relation AS r
        JOIN pg_catalog.pg_constraint AS c ON c.conrelid = r.oid
        LEFT JOIN pg_catalog.pg_constraint AS parent ON parent.oid = c.conparentid AND r.relispartition
        -- NOT NULL is said of the column. The parts of a foreign key that refer to single partitions come and go with them.
        WHERE c.contype NOT IN ('n', 't') AND (c.conparentid = 0::oid OR r.relispartition)
        """,
        $"""
        SELECT 'index', r.name || '.' || coalesce(parent.relname, x.relname)::text, r.name, r.part, r.part_of,
            pg_catalog.jsonb_build_object(
                'definition', CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END
                    || pg_catalog.substr(text.def, pg_catalog.strpos(text.def, ' USING ') + 1),
                'index of', CASE WHEN i.indisprimary THEN 'the primary key' WHEN i.indisexclusion THEN 'an exclusion' END,
                'checked', CASE WHEN i.indisunique AND NOT i.indimmediate THEN 'deferred' END,
                'state', CASE WHEN NOT i.indislive THEN 'being dropped' WHEN NOT i.indisready THEN 'not ready'
                    WHEN NOT i.indisvalid THEN 'INVALID' ELSE 'valid' END,
                'replica identity', CASE WHEN i.indisreplident THEN 'yes' END,
                'part of', CASE WHEN r.relispartition THEN coalesce(parent.relname::text, 'no index of the whole table') END,
                'owner', CASE WHEN x.relowner <> r.relowner THEN {OwnerName("x.relowner")} END,
                'comment', {Comment("x.oid", "pg_class")}),
            text.def
        FROM relation AS r
        JOIN pg_catalog.pg_index AS i ON i.indrelid = r.oid
        JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
        LEFT JOIN pg_catalog.pg_inherits AS h ON h.inhrelid = x.oid
        LEFT JOIN pg_catalog.pg_class AS parent ON parent.oid = h.inhparent
        CROSS JOIN LATERAL (SELECT pg_catalog.pg_get_indexdef(x.oid, 0, true) AS def) AS text
        """,
        $"""
        SELECT CASE WHEN key.oid IS NULL THEN 'trigger' ELSE 'constraint trigger' END,
            r.name || '.' || CASE WHEN key.oid IS NULL THEN t.tgname::text
                ELSE coalesce(parent.conname, key.conname)::text || ' ' || t.tgfoid::regproc::text
                    || CASE WHEN holder.oid <> r.oid THEN ' of ' || holder.relname::text ELSE '' END END,
            r.name, coalesce(r.part, on_part.part), coalesce(r.part_of, on_part.part_of),
            pg_catalog.jsonb_build_object(
                'state', CASE t.tgenabled WHEN 'O' THEN 'enabled' WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'enabled on replicas only' ELSE 'enabled always' END,
                'definition', CASE WHEN key.oid IS NULL THEN pg_catalog.pg_get_triggerdef(t.oid, true) END,
                'comment', {Comment("t.oid", "pg_trigger")}),
            CASE WHEN key.oid IS NULL THEN pg_catalog.pg_get_triggerdef(t.oid, true) END
        FROM relation AS r
        JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = r.oid
        -- What enforces a foreign or a deferrable key; its own name has an object number in it.
        LEFT JOIN pg_catalog.pg_constraint AS key ON key.oid = t.tgconstraint AND key.contype <> 't'
        LEFT JOIN pg_catalog.pg_constraint AS parent ON parent.oid = key.conparentid
        LEFT JOIN pg_catalog.pg_class AS holder ON holder.oid = key.conrelid
        LEFT JOIN relation AS on_part ON on_part.oid = key.conrelid AND on_part.part IS NOT NULL
        """,
        $"""
        SELECT 'rule', r.name || '.' || w.rulename::text, r.name, r.part, r.part_of,
            pg_catalog.jsonb_build_object(
                'definition', pg_catalog.pg_get_ruledef(w.oid, true),
                'state', CASE w.ev_enabled WHEN 'O' THEN 'enabled' WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'enabled on replicas only' ELSE 'enabled always' END,
                'comment', {Comment("w.oid", "pg_rewrite")}),
            pg_catalog.rtrim(pg_catalog.pg_get_ruledef(w.oid, true), ';')
        FROM relation AS r JOIN pg_catalog.pg_rewrite AS w ON w.ev_class = r.oid
        WHERE w.rulename <> '_RETURN'
        """,
        """
        SELECT 'policy', r.name || '.' || p.polname::text, r.name, r.part, r.part_of,
            pg_catalog.jsonb_build_object(
                'kind', CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END,
                'for', p.polcmd::text,
                'to', (
                    SELECT pg_catalog.string_agg(coalesce(o.rolname::text, 'PUBLIC'), ', ' ORDER BY o.rolname)
                    FROM pg_catalog.unnest(p.polroles) AS id LEFT JOIN pg_catalog.pg_roles AS o ON o.oid = id),
                'using', pg_catalog.pg_get_expr(p.polqual, p.polrelid),
                'check', pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid)),
            NULL
        FROM relation AS r JOIN pg_catalog.pg_policy AS p ON p.polrelid = r.oid
        """,
        $"""
        SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END,
            p.proname::text || '(' || pg_catalog.oidvectortypes(p.proargtypes) || ')', NULL, NULL, NULL,
            pg_catalog.jsonb_build_object(
                'owner', {OwnerName("p.proowner")},
                'arguments', pg_catalog.pg_get_function_arguments(p.oid),
                'returns', pg_catalog.pg_get_function_result(p.oid),
                'language', (SELECT l.lanname FROM pg_catalog.pg_language AS l WHERE l.oid = p.prolang),
                'kind', CASE p.prokind WHEN 'w' THEN 'window' END,
                'volatility', CASE p.provolatile WHEN 'i' THEN 'IMMUTABLE' WHEN 's' THEN 'STABLE' ELSE 'VOLATILE' END,
                'security', CASE WHEN p.prosecdef THEN 'DEFINER' ELSE 'INVOKER' END,
                'leakproof', CASE WHEN p.proleakproof THEN 'LEAKPROOF' END,
                'on null', CASE WHEN p.proisstrict THEN 'STRICT' END,
                'parallel', CASE p.proparallel WHEN 's' THEN 'SAFE' WHEN 'r' THEN 'RESTRICTED' ELSE 'UNSAFE' END,
                'cost', p.procost::text,
                'rows', nullif(p.prorows, 0::real)::text,
                'settings', (
                    SELECT pg_catalog.string_agg(
                        CASE WHEN pg_catalog.starts_with(c.setting, 'search_path=' || pg_catalog.quote_ident(site.name))
                        THEN 'search_path={SchemaCatalog.ThisSchema}' || pg_catalog.substr(c.setting, pg_catalog.length('search_path=' || pg_catalog.quote_ident(site.name)) + 1)
                        ELSE c.setting END, '; ' ORDER BY c.setting COLLATE "C")
                    FROM pg_catalog.unnest(p.proconfig) AS c(setting)),
                'body', CASE WHEN p.prosrc <> '' OR p.prokind = 'a' THEN p.prosrc ELSE source.def END,
                'comment', {Comment("p.oid", "pg_proc")}
            ) || {Grants("p.proacl", 'f', "p.proowner")},
            source.def
        FROM site
        JOIN pg_catalog.pg_proc AS p ON p.pronamespace = site.oid
        CROSS JOIN LATERAL (SELECT pg_catalog.replace(pg_catalog.replace(
            CASE WHEN p.prokind <> 'a' THEN pg_catalog.rtrim(pg_catalog.pg_get_functiondef(p.oid), E'\n') END,
            ' ' || pg_catalog.quote_ident(site.name) || '.' || pg_catalog.quote_ident(p.proname) || '(',
            ' ' || pg_catalog.quote_ident(p.proname) || '('),
            E'\n SET search_path TO ' || pg_catalog.quote_literal(site.name) || ',',
            E'\n SET search_path TO {SchemaCatalog.ThisSchema},') AS def) AS source
        WHERE {NoMember("pg_proc", "p")}
        """,
        $"""
        SELECT 'type', t.typname::text, NULL, NULL, NULL,
            pg_catalog.jsonb_build_object(
                'owner', {OwnerName("t.typowner")},
                'kind', CASE t.typtype WHEN 'd' THEN 'domain' WHEN 'e' THEN 'enum' WHEN 'r' THEN 'range' WHEN 'c' THEN 'composite' ELSE t.typtype::text END,
                'comment', {Comment("t.oid", "pg_type")}),
            NULL
        FROM site
        JOIN pg_catalog.pg_type AS t ON t.typnamespace = site.oid
        LEFT JOIN pg_catalog.pg_class AS c ON c.oid = t.typrelid
        WHERE t.typtype <> 'p' AND (t.typtype <> 'c' OR c.relkind = 'c') AND t.typcategory <> 'A' AND t.typtype <> 'm'
          AND {NoMember("pg_type", "t")}
        """,
        $"""
        SELECT 'default privileges', pg_catalog.concat('of ', {OwnerName("d.defaclrole")}, ' for ', CASE d.defaclobjtype
                WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types' ELSE d.defaclobjtype::text END),
            NULL, NULL, NULL,
            (SELECT pg_catalog.jsonb_object_agg('grants to ' || g.grantee, g.privileges) FROM (
                SELECT {Grantee("e.grantee")} AS grantee,
                    pg_catalog.string_agg(DISTINCT e.privilege_type || CASE WHEN e.is_grantable THEN ' with grant option' ELSE '' END, ', ') AS privileges
                FROM pg_catalog.aclexplode(d.defaclacl) AS e GROUP BY 1) AS g),
            NULL
        FROM site JOIN pg_catalog.pg_default_acl AS d ON d.defaclnamespace = site.oid
        """,
        Other("operator", "pg_operator", "opr", "o.oid::regoperator::text"),
        Other("operator class", "pg_opclass", "opc", "o.opcname::text"),
        Other("operator family", "pg_opfamily", "opf", "o.opfname::text"),
        Other("collation", "pg_collation", "coll", "o.collname::text"),
        Other("conversion", "pg_conversion", "con", "o.conname::text"),
        Other("text search configuration", "pg_ts_config", "cfg", "o.cfgname::text"),
        Other("text search dictionary", "pg_ts_dict", "dict", "o.dictname::text"),
        Other("statistics", "pg_statistic_ext", "stx", "o.stxname::text"),
    ]);

    private const string Empty = "{}";

    // Whoever owns an object has all rights on it until they are taken away. MAINTAIN is new in 17, and not on what was
    // granted before and brought along.
    private static string Grants(string acl, char type, string owner)
        => $"""
            coalesce((
                SELECT pg_catalog.jsonb_object_agg('grants to ' || g.grantee, g.privileges) FROM (
                    SELECT CASE WHEN e.grantee = {owner} THEN 'its owner' ELSE {Grantee("e.grantee")} END AS grantee,
                        pg_catalog.string_agg(DISTINCT e.privilege_type
                            || CASE WHEN e.is_grantable AND e.grantee <> {owner} THEN ' with grant option' ELSE '' END, ', ') AS privileges
                    FROM pg_catalog.aclexplode(coalesce({acl}, pg_catalog.acldefault('{type}', {owner}))) AS e
                    WHERE e.grantee <> {owner} OR e.privilege_type <> 'MAINTAIN'
                    GROUP BY 1) AS g), '{Empty}')
            """;

    private static string Grantee(string role)
        => $"CASE {role} WHEN 0::oid THEN 'PUBLIC' ELSE {OwnerName(role)} END";

    private static string OwnerName(string role)
        => $"""
            CASE WHEN {role} = (SELECT keeper.oid FROM keeper) THEN '{SchemaCatalog.Owner}'
                ELSE coalesce((SELECT pg_catalog.quote_ident(named.rolname) FROM pg_catalog.pg_roles AS named WHERE named.oid = {role}), {role}::text) END
            """;

    // obj_description and its like look for operators on the path of the session, before 14.
    private static string Comment(string oid, string catalogue, string column = "0")
        => $"""
            (SELECT said.description FROM pg_catalog.pg_description AS said
             WHERE said.objoid = {oid} AND said.classoid = 'pg_catalog.{catalogue}'::regclass::oid AND said.objsubid = {column})
            """;

    private static string NoMember(string catalogue, string alias)
        => $"""
            NOT EXISTS (SELECT 1 FROM member AS m WHERE m.classid = 'pg_catalog.{catalogue}'::regclass::oid AND m.objid = {alias}.oid)
            """;

    private static string Other(string kind, string catalogue, string prefix, string name)
        => $"""
            SELECT '{kind}', {name}, NULL, NULL, NULL,
                pg_catalog.jsonb_build_object('owner', {OwnerName($"o.{prefix}owner")}),
                NULL
            FROM site JOIN pg_catalog.{catalogue} AS o ON o.{prefix}namespace = site.oid
            WHERE {NoMember(catalogue, "o")}
            """;
}
