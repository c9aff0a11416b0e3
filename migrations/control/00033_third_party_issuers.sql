-- +goose Up
-- Issuers whose access tokens a project trusts for its policies.
CREATE TABLE third_party_issuers (
    id          uuid PRIMARY KEY,
    ref         text NOT NULL REFERENCES projects (ref) ON DELETE CASCADE,
    issuer      text NOT NULL, -- '' for any that the keys verify
    jwks_url    text NOT NULL, -- '' for that of the issuer's discovery document, or custom_jwks
    keys_url    text NOT NULL, -- where the keys are fetched; '' for custom_jwks
    custom_jwks jsonb,
    audiences   jsonb NOT NULL DEFAULT '[]', -- empty for any
    resolved    jsonb, -- the public keys as they were last shown
    resolved_at timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX third_party_issuers_issuer_idx ON third_party_issuers (ref, issuer) WHERE issuer <> '';
CREATE INDEX third_party_issuers_ref_idx ON third_party_issuers (ref);
