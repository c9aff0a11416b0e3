-- +goose Up
-- What an enterprise connection has beside its rows in schema auth. The auth role reads
-- and writes these tables; the project's owner does not. No foreign key refers to schema
-- auth, as elsewhere in schema reeve: rows of connections that are gone are tidied.

-- A connection without a row has the rules that are the default.
CREATE TABLE IF NOT EXISTS reeve.sso_connection (
    provider_id uuid PRIMARY KEY,
    kind        text NOT NULL CHECK (kind IN ('saml', 'oidc')),
    name        text NOT NULL CHECK (char_length(name) <= 200),
    rules       jsonb NOT NULL CHECK (octet_length(rules::text) <= 65536),
    oidc        jsonb CHECK (octet_length(oidc::text) <= 65536), -- the client's secret in it is sealed
    -- When metadata was last asked for at its address, and what was wrong then.
    checked_at  timestamptz,
    check_error text CHECK (char_length(check_error) <= 1000),
    updated_at  timestamptz NOT NULL
);

-- Domains that somebody says are a company's. Those that route are in auth.sso_domains.
CREATE TABLE IF NOT EXISTS reeve.sso_claim (
    provider_id   uuid NOT NULL,
    domain        text NOT NULL CHECK (char_length(domain) BETWEEN 1 AND 253),
    token         text NOT NULL CHECK (char_length(token) <= 100), -- that a DNS record must have
    created_at    timestamptz NOT NULL,
    proof         text CHECK (proof IN ('dns', 'mail', 'developer')), -- NULL until it is proved
    proved_at     timestamptz,
    checked_at    timestamptz,
    failing_since timestamptz,
    consented_at  timestamptz, -- when the connection that routes the domain agreed
    PRIMARY KEY (provider_id, domain)
);
CREATE INDEX IF NOT EXISTS sso_claim_domain_idx ON reeve.sso_claim (domain);

-- Attempts to sign in or out by a connection, step by step.
CREATE TABLE IF NOT EXISTS reeve.sso_attempt (
    id          uuid PRIMARY KEY,
    provider_id uuid, -- NULL while it is not known
    at          timestamptz NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('login', 'portal', 'dry_run', 'logout')),
    outcome     text NOT NULL CHECK (outcome IN ('begun', 'accepted', 'refused')),
    reason      text CHECK (char_length(reason) <= 2000),
    user_id     uuid,
    ip          inet,
    detail      jsonb NOT NULL CHECK (octet_length(detail::text) <= 65536)
);
CREATE INDEX IF NOT EXISTS sso_attempt_provider_id_idx ON reeve.sso_attempt (provider_id, at DESC);
CREATE INDEX IF NOT EXISTS sso_attempt_at_idx ON reeve.sso_attempt (at);

-- By which name and session of the identity provider a session began.
CREATE TABLE IF NOT EXISTS reeve.sso_session (
    session_id    uuid PRIMARY KEY,
    provider_id   uuid NOT NULL,
    subject       bytea NOT NULL CHECK (octet_length(subject) = 32), -- digest of the name
    name          jsonb NOT NULL CHECK (octet_length(name::text) <= 16384),
    session_index text NOT NULL CHECK (char_length(session_index) <= 2048),
    created_at    timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS sso_session_subject_idx ON reeve.sso_session (provider_id, subject);
CREATE INDEX IF NOT EXISTS sso_session_created_at_idx ON reeve.sso_session (created_at);

-- Requests to sign out that await the identity provider's answer.
CREATE TABLE IF NOT EXISTS reeve.sso_logout (
    id          uuid PRIMARY KEY,
    provider_id uuid NOT NULL,
    request_id  text NOT NULL CHECK (char_length(request_id) <= 200),
    redirect_to text NOT NULL CHECK (char_length(redirect_to) <= 4096),
    form        jsonb CHECK (octet_length(form::text) <= 65536), -- to post, for a provider that takes no redirect
    created_at  timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS sso_logout_created_at_idx ON reeve.sso_logout (created_at);

-- +goose StatementBegin
-- Adds a key after those that are there, up to two in all, and reports whether it did.
CREATE OR REPLACE FUNCTION reeve.saml_key_add(cap text, id uuid, sealed bytea, created_at timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM reeve.require_capability(cap);
    LOCK TABLE reeve.saml_key IN SHARE ROW EXCLUSIVE MODE;
    INSERT INTO reeve.saml_key (id, sealed, created_at)
    SELECT saml_key_add.id, saml_key_add.sealed, saml_key_add.created_at WHERE (SELECT count(*) FROM reeve.saml_key) < 2;
    RETURN FOUND;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Removes a key, unless it is the last, and reports whether it did.
CREATE OR REPLACE FUNCTION reeve.saml_key_remove(cap text, id uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM reeve.require_capability(cap);
    LOCK TABLE reeve.saml_key IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM reeve.saml_key k WHERE k.id = saml_key_remove.id AND (SELECT count(*) FROM reeve.saml_key) > 1;
    RETURN FOUND;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION reeve.adopt_sso(auth_role name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('GRANT EXECUTE ON FUNCTION reeve.saml_keys_all, reeve.saml_key_first, reeve.saml_key_add, reeve.saml_key_remove,'
        ' reeve.saml_assertion_use, reeve.saml_tidy TO %I', auth_role);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON reeve.sso_connection, reeve.sso_claim, reeve.sso_attempt, reeve.sso_session,'
        ' reeve.sso_logout TO %I', auth_role);
END
$$;
-- +goose StatementEnd

REVOKE ALL ON ALL TABLES IN SCHEMA reeve FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA reeve FROM PUBLIC;
