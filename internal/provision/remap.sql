-- Runs in a database that was copied from another project's, as the admin.
DO $remap$
DECLARE
    prior text[] := ARRAY(SELECT 'reeve_' || current_setting('reeve.from') || s FROM unnest(ARRAY['_auth', '_api', '_owner', '_query']) s);
    own   text[] := ARRAY(SELECT 'reeve_' || current_setting('reeve.to') || s FROM unnest(ARRAY['_auth', '_api', '_owner', '_query']) s);
    grants text[] := '{}';
    target record;
    statement text;
    i int;
BEGIN
    -- A change of the owner would change the owner's grants too, and adding them
    -- again does no harm, so grants are collected first.
    FOR target IN
        WITH involved AS (
            SELECT DISTINCT s.classid, s.objid, s.objsubid
            FROM pg_shdepend s
            JOIN pg_roles r ON s.refclassid = 'pg_authid'::regclass AND s.refobjid = r.oid
            WHERE s.dbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
              AND r.rolname = ANY (prior) AND s.deptype IN ('a', 'o')
        ), listed(target, columns, acl) AS (
            SELECT 'TABLE ' || c.oid::regclass, '', c.relacl FROM involved s JOIN pg_class c
                ON s.classid = 'pg_class'::regclass AND c.oid = s.objid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
            UNION
            SELECT 'SEQUENCE ' || c.oid::regclass, '', c.relacl FROM involved s JOIN pg_class c
                ON s.classid = 'pg_class'::regclass AND c.oid = s.objid AND c.relkind = 'S'
            UNION
            SELECT 'TABLE ' || a.attrelid::regclass, format(' (%I)', a.attname), a.attacl FROM involved s JOIN pg_attribute a
                ON s.classid = 'pg_class'::regclass AND a.attrelid = s.objid AND a.attacl IS NOT NULL AND NOT a.attisdropped
            UNION
            SELECT 'ROUTINE ' || p.oid::regprocedure, '', p.proacl FROM involved s JOIN pg_proc p
                ON s.classid = 'pg_proc'::regclass AND p.oid = s.objid
            UNION
            SELECT 'TYPE ' || t.oid::regtype, '', t.typacl FROM involved s JOIN pg_type t
                ON s.classid = 'pg_type'::regclass AND t.oid = s.objid
            UNION
            SELECT 'SCHEMA ' || n.oid::regnamespace, '', n.nspacl FROM involved s JOIN pg_namespace n
                ON s.classid = 'pg_namespace'::regclass AND n.oid = s.objid
            UNION
            SELECT 'LARGE OBJECT ' || l.oid, '', l.lomacl FROM involved s JOIN pg_largeobject_metadata l
                ON s.classid = 'pg_largeobject'::regclass AND l.oid = s.objid
        )
        SELECT l.target, l.columns, a.privilege_type, a.is_grantable,
            CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(coalesce(own[array_position(prior, g.rolname::text)], g.rolname::text)) END AS grantee
        FROM listed l
        CROSS JOIN LATERAL aclexplode(l.acl) a
        LEFT JOIN pg_roles g ON g.oid = a.grantee
        LEFT JOIN pg_roles b ON b.oid = a.grantor
        WHERE (g.rolname = ANY (prior) OR b.rolname = ANY (prior)) AND (a.grantee = 0 OR g.oid IS NOT NULL)
    LOOP
        grants := grants || format('GRANT %s%s ON %s TO %s%s', target.privilege_type, target.columns, target.target, target.grantee,
            CASE WHEN target.is_grantable AND target.grantee <> 'PUBLIC' THEN ' WITH GRANT OPTION' ELSE '' END);
    END LOOP;

    -- Schemas first: an owner must be allowed to create in the schema of an object.
    FOR target IN
        SELECT n.nspname, own[array_position(prior, r.rolname::text)] AS new_owner
        FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner WHERE r.rolname = ANY (prior)
    LOOP
        EXECUTE format('ALTER SCHEMA %I OWNER TO %I', target.nspname, target.new_owner);
    END LOOP;
    FOREACH statement IN ARRAY grants LOOP
        IF statement ~ '^GRANT [A-Z]+ ON SCHEMA ' THEN
            EXECUTE statement;
        END IF;
    END LOOP;
    FOR i IN 1..4 LOOP
        CONTINUE WHEN NOT EXISTS (SELECT FROM pg_roles WHERE rolname = prior[i]); -- the query role of an older project
        EXECUTE format('REASSIGN OWNED BY %I TO %I', prior[i], own[i]);
    END LOOP;

    PERFORM set_config('reeve.grants', grants::text, true); -- for grantSQL

    -- Policies name roles apart from grants.
    FOR target IN
        SELECT p.polname, p.polrelid::regclass AS relation, string_agg(CASE WHEN r.oid IS NULL THEN 'PUBLIC'
            ELSE quote_ident(coalesce(own[array_position(prior, r.rolname::text)], r.rolname::text)) END, ', ') AS roles
        FROM pg_policy p CROSS JOIN LATERAL unnest(p.polroles) o(oid) LEFT JOIN pg_roles r ON r.oid = o.oid
        GROUP BY p.oid, p.polname, p.polrelid
        HAVING bool_or(r.rolname = ANY (prior))
    LOOP
        EXECUTE format('ALTER POLICY %I ON %s TO %s', target.polname, target.relation, target.roles);
    END LOOP;

    -- Privileges of objects to come.
    FOR target IN
        SELECT own[array_position(prior, c.rolname::text)] AS creator,
            CASE WHEN n.oid IS NULL THEN '' ELSE format(' IN SCHEMA %I', n.nspname) END AS place,
            CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' END AS kind,
            a.privilege_type,
            CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(coalesce(own[array_position(prior, g.rolname::text)], g.rolname::text)) END AS grantee,
            CASE WHEN a.is_grantable AND a.grantee <> 0 THEN ' WITH GRANT OPTION' ELSE '' END AS option
        FROM pg_default_acl d
        JOIN pg_roles c ON c.oid = d.defaclrole
        LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
        CROSS JOIN LATERAL aclexplode(d.defaclacl) a
        LEFT JOIN pg_roles g ON g.oid = a.grantee
        WHERE c.rolname = ANY (prior) AND d.defaclobjtype IN ('r', 'S', 'f', 'T', 'n') AND (a.grantee = 0 OR g.oid IS NOT NULL)
    LOOP
        EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I%s GRANT %s ON %s TO %s%s',
            target.creator, target.place, target.privilege_type, target.kind, target.grantee, target.option);
    END LOOP;
    -- A project may have taken from PUBLIC what every role can do at first.
    FOR target IN
        SELECT own[array_position(prior, c.rolname::text)] AS creator, CASE d.defaclobjtype WHEN 'f' THEN 'FUNCTIONS' ELSE 'TYPES' END AS kind
        FROM pg_default_acl d JOIN pg_roles c ON c.oid = d.defaclrole
        WHERE c.rolname = ANY (prior) AND d.defaclnamespace = 0 AND d.defaclobjtype IN ('f', 'T')
          AND NOT EXISTS (SELECT FROM aclexplode(d.defaclacl) a WHERE a.grantee = 0)
    LOOP
        EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I REVOKE ALL ON %s FROM PUBLIC', target.creator, target.kind);
    END LOOP;

    -- The former roles' own go: an entry that equals what holds without one is removed.
    FOR target IN
        SELECT DISTINCT c.rolname AS creator, CASE WHEN n.oid IS NULL THEN '' ELSE format(' IN SCHEMA %I', n.nspname) END AS place,
            CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' END AS kind,
            CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(g.rolname) END AS grantee
        FROM pg_default_acl d
        JOIN pg_roles c ON c.oid = d.defaclrole
        LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
        LEFT JOIN LATERAL aclexplode(d.defaclacl) a ON true
        LEFT JOIN pg_roles g ON g.oid = a.grantee
        WHERE c.rolname = ANY (prior) AND d.defaclobjtype IN ('r', 'S', 'f', 'T', 'n') AND (a.grantee = 0 OR g.oid IS NOT NULL)
    LOOP
        EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I%s REVOKE ALL ON %s FROM %s',
            target.creator, target.place, target.kind, target.grantee);
    END LOOP;
    FOR target IN
        SELECT c.rolname AS creator,
            CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' END AS kind,
            CASE WHEN d.defaclobjtype IN ('f', 'T') THEN ', PUBLIC' ELSE '' END AS everybody
        FROM pg_default_acl d JOIN pg_roles c ON c.oid = d.defaclrole
        WHERE c.rolname = ANY (prior) AND d.defaclnamespace = 0 AND d.defaclobjtype IN ('r', 'S', 'f', 'T', 'n')
    LOOP
        EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %1$I GRANT ALL ON %2$s TO %1$I%3$s', target.creator, target.kind, target.everybody);
    END LOOP;

    -- reeve.adopt sets these only where schema public has another owner.
    EXECUTE format('ALTER ROLE %I IN DATABASE %I SET search_path = public, extensions', own[3], current_database());
    EXECUTE format('ALTER ROLE %I IN DATABASE %I SET search_path = public, extensions', own[2], current_database());

    -- Keys are sealed for the source; a copy makes its own.
    TRUNCATE reeve.outbox, reeve.signup, reeve.activity, reeve.saml_key, reeve.saml_assertion, reeve.sso_attempt, reeve.sso_session, reeve.sso_logout;
END
$remap$
