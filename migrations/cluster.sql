-- Roles that every project of this cluster shares, and the two databases that
-- every cluster has, closed to all but the admin. Idempotent, and safe to run by
-- several processes at once, from whatever database they are in.
DO $cluster$
DECLARE
    wanted text;
    target text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['anon', 'authenticated', 'service_role', 'supabase_auth_admin'] LOOP
        IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted) THEN
            CONTINUE;
        END IF;
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', wanted);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- another process was faster
        END;
    END LOOP;

    IF NOT (SELECT rolbypassrls FROM pg_catalog.pg_roles WHERE rolname = 'service_role') THEN
        BEGIN
            ALTER ROLE service_role BYPASSRLS;
        EXCEPTION
            WHEN insufficient_privilege THEN
                RAISE NOTICE 'service_role stays subject to row level security: % may not grant BYPASSRLS', current_user;
            WHEN internal_error THEN
                NULL; -- "tuple concurrently updated": another process is setting the same
        END;
    END IF;

    -- A role that can connect to one project's database must reach no other.
    -- Only a database that is still open is touched, so that a second run
    -- writes nothing.
    FOR target IN
        SELECT d.datname
        FROM pg_catalog.pg_database d
        WHERE d.datname IN ('postgres', 'template1')
          AND EXISTS (
            SELECT FROM pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) a
            WHERE a.grantee = 0 AND a.privilege_type = 'CONNECT')
    LOOP
        BEGIN
            EXECUTE format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC', target);
        EXCEPTION
            WHEN insufficient_privilege THEN
                RAISE NOTICE 'database % stays open to every role: % does not own it', target, current_user;
            WHEN internal_error THEN
                NULL; -- as above
        END;
    END LOOP;
END
$cluster$;
