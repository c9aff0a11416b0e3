-- +goose Up
-- Links by which a company's administrator sets up its connection. The auth role reads
-- and writes them; the project's owner does not. The connection may not exist yet: its id
-- is decided when the link is made.
CREATE TABLE IF NOT EXISTS reeve.sso_setup_link (
    id          uuid PRIMARY KEY,
    digest      bytea NOT NULL CHECK (octet_length(digest) = 32), -- of the token, by a key that is not in this database
    provider_id uuid NOT NULL,
    creates     boolean NOT NULL, -- the link makes the connection
    name        text NOT NULL CHECK (char_length(name) <= 200),
    intents     text[] NOT NULL CHECK (intents <@ ARRAY['sso', 'domain', 'scim', 'certificate'] AND cardinality(intents) BETWEEN 1 AND 4),
    done        text[] NOT NULL DEFAULT '{}' CHECK (done <@ intents),
    domains     text[] NOT NULL DEFAULT '{}' CHECK (cardinality(domains) <= 100), -- that a new connection has from the start
    idp         text NOT NULL DEFAULT '' CHECK (char_length(idp) <= 40),
    dry_run     uuid, -- the last one's attempt
    saved_at    timestamptz, -- when metadata was last saved by the link
    created_by  text NOT NULL CHECK (char_length(created_by) <= 320),
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    revoked_at  timestamptz,
    opened_at   timestamptz -- first
);
CREATE INDEX IF NOT EXISTS sso_setup_link_provider_id_idx ON reeve.sso_setup_link (provider_id);
CREATE INDEX IF NOT EXISTS sso_setup_link_expires_at_idx ON reeve.sso_setup_link (expires_at);

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION reeve.adopt_sso(auth_role name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('GRANT EXECUTE ON FUNCTION reeve.saml_keys_all, reeve.saml_key_first, reeve.saml_key_add, reeve.saml_key_remove,'
        ' reeve.saml_assertion_use, reeve.saml_tidy TO %I', auth_role);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON reeve.sso_connection, reeve.sso_claim, reeve.sso_attempt, reeve.sso_session,'
        ' reeve.sso_logout, reeve.sso_setup_link TO %I', auth_role);
END
$$;
-- +goose StatementEnd

REVOKE ALL ON ALL TABLES IN SCHEMA reeve FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA reeve FROM PUBLIC;
