-- +goose Up
-- +goose StatementBegin
-- Whether the caller's session has proved two factors, for restrictive policies: the
-- token says aal2, and the session goes on and is at aal2 itself. A factor that was
-- removed takes the level from the sessions that it raised, and so from policies at
-- once, before their tokens expire.
CREATE OR REPLACE FUNCTION auth.require_aal2() RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    claims jsonb := nullif(pg_catalog.current_setting('request.jwt.claims', true), '');
BEGIN
    IF claims ->> 'aal' IS DISTINCT FROM 'aal2' THEN
        RETURN false;
    END IF;
    RETURN auth.session_active() AND EXISTS (
        SELECT FROM auth.sessions s WHERE s.id = nullif(claims ->> 'session_id', '')::uuid AND s.aal::text = 'aal2');
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- What others than its owner may do in schema auth: ask who the caller is and what
-- their session has proved, and for the developer, work with the rows and refer to them.
CREATE OR REPLACE FUNCTION reeve.adopt_auth(auth_role name, owner_role name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    owner oid := quote_ident(owner_role)::regrole;
    target record;
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA auth TO anon, authenticated, service_role, %I', owner_role);
    REVOKE ALL ON ALL ROUTINES IN SCHEMA auth FROM PUBLIC;
    EXECUTE format('GRANT EXECUTE ON FUNCTION auth.uid(), auth.role(), auth.email(), auth.jwt(), auth.session_active(), auth.require_aal2()'
        ' TO anon, authenticated, service_role, %I', owner_role);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE, REFERENCES, TRIGGER ON ALL TABLES IN SCHEMA auth TO %I', owner_role);
    EXECUTE format('GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA auth TO %I', owner_role);

    FOR target IN
        SELECT c.oid::regclass AS relation, p.oid IS NULL AS missing
        FROM pg_class c
        LEFT JOIN pg_policy p ON p.polrelid = c.oid AND p.polname = 'reeve_owner'
        WHERE c.relnamespace = 'auth'::regnamespace AND c.relkind IN ('r', 'p') AND c.relrowsecurity
          AND (p.oid IS NULL OR p.polroles <> ARRAY[owner])
    LOOP
        IF target.missing THEN
            EXECUTE format('CREATE POLICY reeve_owner ON %s FOR ALL TO %I USING (true) WITH CHECK (true)',
                target.relation, owner_role);
        ELSE
            EXECUTE format('ALTER POLICY reeve_owner ON %s TO %I', target.relation, owner_role);
        END IF;
    END LOOP;
END
$$;
-- +goose StatementEnd

REVOKE ALL ON FUNCTION auth.require_aal2() FROM PUBLIC;
REVOKE ALL ON FUNCTION reeve.adopt_auth(name, name) FROM PUBLIC;
