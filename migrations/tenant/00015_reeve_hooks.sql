-- +goose Up
-- Hooks run as the auth role. Supabase's recipes grant what a hook needs to
-- supabase_auth_admin: here that is a role without any rights or login, shared by all
-- projects of the server as anon is, whose grants in this database the project's
-- auth role inherits.

-- +goose StatementBegin
-- Lets the auth role inherit what is granted to supabase_auth_admin. On a server where
-- another program uses a role of that name for more, nothing is granted: then hooks
-- need grants to the auth role itself. From Postgres 16 on the auth role cannot become
-- the shared role, only inherit.
CREATE OR REPLACE FUNCTION reeve.adopt_hooks(auth_role name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_roles r
        WHERE r.rolname = 'supabase_auth_admin' AND NOT (r.rolcanlogin OR r.rolsuper OR r.rolcreaterole OR r.rolcreatedb
            OR r.rolreplication OR r.rolbypassrls)
          AND NOT EXISTS (SELECT FROM pg_auth_members m WHERE m.member = r.oid)
    ) THEN
        RAISE NOTICE 'supabase_auth_admin is not a role without rights, and is left alone';
        RETURN;
    END IF;
    IF EXISTS (
        SELECT FROM pg_auth_members m
        WHERE m.roleid = 'supabase_auth_admin'::regrole AND m.member = quote_ident(auth_role)::regrole
    ) THEN
        RETURN;
    END IF;
    BEGIN
        EXECUTE format('GRANT supabase_auth_admin TO %I %s', auth_role,
            CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'WITH INHERIT TRUE, SET FALSE' END);
    EXCEPTION WHEN insufficient_privilege THEN
        RAISE NOTICE 'supabase_auth_admin was made by another role than %, and is left alone', current_user;
    END;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Makes this database the project's: run by the admin after cloning the
-- template and after each migration.
CREATE OR REPLACE FUNCTION reeve.adopt(auth_role name, api_role name, owner_role name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- One at a time. An advisory lock would do, were it not for everybody's taking.
    LOCK TABLE reeve.capability IN SHARE ROW EXCLUSIVE MODE;
    PERFORM reeve.adopt_join(auth_role);
    PERFORM reeve.adopt_join(owner_role);
    PERFORM reeve.adopt_owner(auth_role);
    PERFORM reeve.adopt_auth(auth_role, owner_role);
    PERFORM reeve.adopt_public(api_role, owner_role);
    PERFORM reeve.adopt_database(auth_role, api_role, owner_role);
    PERFORM reeve.adopt_reeve(auth_role);
    PERFORM reeve.adopt_activity(auth_role);
    PERFORM reeve.adopt_signup(auth_role);
    PERFORM reeve.adopt_hooks(auth_role);
END
$$;
-- +goose StatementEnd

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA reeve FROM PUBLIC;
