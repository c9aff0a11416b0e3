-- +goose Up
-- The keys of the project's SAML service provider, sealed, and the assertions that were
-- used, until they have expired. Both are behind the capability: SQL of the project's
-- can neither read a key nor have an assertion accepted twice.
CREATE TABLE IF NOT EXISTS reeve.saml_key (
    id         uuid PRIMARY KEY,
    sealed     bytea NOT NULL CHECK (octet_length(sealed) BETWEEN 1 AND 16384),
    created_at timestamptz NOT NULL
);

CREATE TABLE IF NOT EXISTS reeve.saml_assertion (
    digest     bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    expires_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS saml_assertion_expires_at_idx ON reeve.saml_assertion (expires_at);

-- +goose StatementBegin
-- All keys, the oldest first.
CREATE OR REPLACE FUNCTION reeve.saml_keys_all(cap text) RETURNS TABLE (id uuid, sealed bytea, created_at timestamptz)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    PERFORM reeve.require_capability(cap);
    RETURN QUERY SELECT k.id, k.sealed, k.created_at FROM reeve.saml_key k ORDER BY k.created_at, k.id LIMIT 10;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Stores a key if there is none.
CREATE OR REPLACE FUNCTION reeve.saml_key_first(cap text, id uuid, sealed bytea, created_at timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM reeve.require_capability(cap);
    LOCK TABLE reeve.saml_key IN SHARE ROW EXCLUSIVE MODE;
    INSERT INTO reeve.saml_key (id, sealed, created_at)
    SELECT saml_key_first.id, saml_key_first.sealed, saml_key_first.created_at WHERE NOT EXISTS (SELECT FROM reeve.saml_key);
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Remembers an assertion, and reports whether it was not remembered before.
CREATE OR REPLACE FUNCTION reeve.saml_assertion_use(cap text, digest bytea, expires_at timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM reeve.require_capability(cap);
    INSERT INTO reeve.saml_assertion (digest, expires_at) VALUES (saml_assertion_use.digest, saml_assertion_use.expires_at)
    ON CONFLICT ON CONSTRAINT saml_assertion_pkey DO NOTHING;
    RETURN FOUND;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Removes up to max assertions that have expired, and returns how many.
CREATE OR REPLACE FUNCTION reeve.saml_tidy(cap text, before timestamptz, max integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    removed bigint;
BEGIN
    PERFORM reeve.require_capability(cap);
    DELETE FROM reeve.saml_assertion a
    WHERE a.digest = ANY (ARRAY(
        SELECT o.digest FROM reeve.saml_assertion o WHERE o.expires_at < saml_tidy.before
        ORDER BY o.expires_at LIMIT saml_tidy.max FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION reeve.adopt_sso(auth_role name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('GRANT EXECUTE ON FUNCTION reeve.saml_keys_all, reeve.saml_key_first, reeve.saml_assertion_use, reeve.saml_tidy TO %I', auth_role);
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
    PERFORM reeve.adopt_sso(auth_role);
END
$$;
-- +goose StatementEnd

REVOKE ALL ON ALL TABLES IN SCHEMA reeve FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA reeve FROM PUBLIC;
