-- +goose Up
-- Service tokens: access tokens of an organization, and of nobody in it. They are
-- apart from access_tokens, so that a release that does not know them refuses
-- them. permissions are internal/authz's actions, fixed when the token is made;
-- unknown ones allow nothing.
CREATE TABLE service_tokens (
    id              uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    name            text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 256),
    hash            bytea NOT NULL CONSTRAINT service_tokens_hash_key UNIQUE, -- HMAC-SHA256 under the pepper
    projects        jsonb, -- array of refs; NULL for all of the organization
    permissions     jsonb NOT NULL, -- array of text
    created_by      uuid NOT NULL, -- a user of the platform project, who may be gone
    created_at      timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz NOT NULL,
    last_used_at    timestamptz,
    CONSTRAINT service_tokens_name_key UNIQUE (organization_id, name)
);
