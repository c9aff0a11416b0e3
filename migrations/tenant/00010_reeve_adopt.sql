-- +goose Up
-- Taking a database over for a project. Each step is a function of its own,
-- for the admin only, which reads nothing but the catalogs: what the developer
-- or the auth role put into the database is never evaluated with the admin's
-- rights. A second run changes nothing and makes no query on auth tables wait.

-- +goose StatementBegin
-- An admin that is no superuser may give objects only to roles it belongs to.
CREATE FUNCTION reeve.adopt_join(member_of name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT pg_has_role(current_user, member_of, 'USAGE') THEN
        EXECUTE format('GRANT %I TO %I', member_of, current_user);
    END IF;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Gives schema auth and all in it to the auth role.
CREATE FUNCTION reeve.adopt_owner(auth_role name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    owner oid := quote_ident(auth_role)::regrole;
    target text;
BEGIN
    FOR target IN
        SELECT 'SCHEMA auth' FROM pg_namespace n WHERE n.nspname = 'auth' AND n.nspowner <> owner
        UNION ALL
        -- ALTER TABLE takes views and sequences too; a sequence that belongs to
        -- a column follows its table.
        SELECT format('TABLE %s', c.oid::regclass)
        FROM pg_class c
        WHERE c.relnamespace = 'auth'::regnamespace AND c.relowner <> owner
          AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
          AND NOT EXISTS (
            SELECT FROM pg_depend d
            WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
              AND c.relkind = 'S' AND d.deptype IN ('a', 'i'))
        UNION ALL
        SELECT format('TYPE %s', t.oid::regtype)
        FROM pg_type t
        WHERE t.typnamespace = 'auth'::regnamespace AND t.typowner <> owner
          AND (t.typtype IN ('e', 'd', 'r')
            OR t.typtype = 'c' AND EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
        UNION ALL
        SELECT format('ROUTINE %s', p.oid::regprocedure)
        FROM pg_proc p
        WHERE p.pronamespace = 'auth'::regnamespace AND p.proowner <> owner AND p.prokind <> 'a'
    LOOP
        EXECUTE format('ALTER %s OWNER TO %I', target, auth_role);
    END LOOP;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- What others than its owner may do in schema auth: ask who the caller is, and
-- for the developer, work with the rows and refer to them.
CREATE FUNCTION reeve.adopt_auth(auth_role name, owner_role name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    owner oid := quote_ident(owner_role)::regrole;
    target record;
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA auth TO anon, authenticated, service_role, %I', owner_role);
    REVOKE ALL ON ALL ROUTINES IN SCHEMA auth FROM PUBLIC;
    EXECUTE format('GRANT EXECUTE ON FUNCTION auth.uid(), auth.role(), auth.email(), auth.jwt()'
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

-- +goose StatementBegin
-- Hands the developer schema public, once. Later runs leave it alone: what the
-- developer has revoked there since must stay revoked.
CREATE FUNCTION reeve.adopt_public(api_role name, owner_role name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    kind text;
BEGIN
    IF EXISTS (SELECT FROM pg_namespace WHERE nspname = 'public' AND nspowner = quote_ident(owner_role)::regrole) THEN
        RETURN;
    END IF;
    EXECUTE format('ALTER SCHEMA public OWNER TO %I', owner_role);
    GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role;
    FOREACH kind IN ARRAY ARRAY['TABLES', 'SEQUENCES', 'FUNCTIONS'] LOOP
        EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA public GRANT ALL ON %s'
            ' TO anon, authenticated, service_role', owner_role, kind);
    END LOOP;
    EXECUTE format('ALTER ROLE %I IN DATABASE %I SET search_path = public, extensions', owner_role, current_database());
    EXECUTE format('ALTER ROLE %I IN DATABASE %I SET search_path = public, extensions', api_role, current_database());
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Closes the database to all but the project's roles. Everybody else, the admin
-- above all, gets a search_path in which the developer can plant nothing.
CREATE FUNCTION reeve.adopt_database(auth_role name, api_role name, owner_role name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    db name := current_database();
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', db);
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I, %I, %I', db, auth_role, api_role, owner_role);
    EXECUTE format('GRANT CREATE, TEMPORARY ON DATABASE %I TO %I', db, owner_role);
    EXECUTE format('ALTER DATABASE %I SET search_path = pg_catalog, pg_temp', db);
    EXECUTE format('ALTER DATABASE %I SET timezone = ''UTC''', db);
    EXECUTE format('ALTER ROLE %I IN DATABASE %I SET search_path = auth, pg_temp', auth_role, db);

    EXECUTE format('GRANT USAGE ON SCHEMA public TO %I, %I', auth_role, api_role);
    EXECUTE format('GRANT USAGE ON SCHEMA extensions TO anon, authenticated, service_role, %I, %I', auth_role, api_role);
    EXECUTE format('GRANT USAGE, CREATE ON SCHEMA extensions TO %I', owner_role);
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Lets the auth role, and nobody else, call the functions that ask for the
-- capability.
CREATE FUNCTION reeve.adopt_reeve(auth_role name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    REVOKE ALL ON ALL TABLES IN SCHEMA reeve FROM PUBLIC;
    REVOKE ALL ON ALL ROUTINES IN SCHEMA reeve FROM PUBLIC;
    EXECUTE format('GRANT USAGE ON SCHEMA reeve TO %I', auth_role);
    EXECUTE format('GRANT EXECUTE ON FUNCTION reeve.outbox_add, reeve.outbox_claim, reeve.outbox_done,'
        ' reeve.outbox_retry, reeve.outbox_release, reeve.outbox_dead, reeve.outbox_pending, reeve.outbox_tidy TO %I', auth_role);
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Makes this database the project's: run by the admin after cloning the
-- template and after each migration.
CREATE FUNCTION reeve.adopt(auth_role name, api_role name, owner_role name) RETURNS void
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
END
$$;
-- +goose StatementEnd

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA reeve FROM PUBLIC;
