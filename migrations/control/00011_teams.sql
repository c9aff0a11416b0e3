-- +goose Up
-- Who may do what: roles of organizations and projects, invitations.

ALTER TABLE members DROP CONSTRAINT members_role_check;
-- A built-in role, or one of the organization's own (roles).
ALTER TABLE members ADD CONSTRAINT members_role_check CHECK (role ~ '^[a-z][a-z0-9_]{0,62}$');

-- Roles that an organization defined. permissions are internal/authz's actions;
-- unknown ones allow nothing.
CREATE TABLE roles (
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    name            text NOT NULL CONSTRAINT roles_name_check CHECK (
        name ~ '^[a-z][a-z0-9_]{0,62}$' AND name NOT IN ('owner', 'administrator', 'developer', 'read_only', 'billing')),
    description     text NOT NULL DEFAULT '',
    permissions     jsonb NOT NULL, -- array of text
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, name)
);

-- Roles in single projects, which add to the role in the organization.
CREATE TABLE project_members (
    ref        text NOT NULL REFERENCES projects (ref) ON DELETE CASCADE,
    user_id    uuid NOT NULL,
    role       text NOT NULL CONSTRAINT project_members_role_check CHECK (role ~ '^[a-z][a-z0-9_]{0,62}$'),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (ref, user_id)
);
CREATE INDEX project_members_user_idx ON project_members (user_id);

-- Invitations to an organization, or to one project of it. A row is open until
-- it is accepted, revoked or expired. sent_at is when its mail was handed over to
-- the platform project's outbox.
CREATE TABLE invitations (
    id              uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    ref             text REFERENCES projects (ref) ON DELETE CASCADE,
    email           text NOT NULL CHECK (char_length(email) BETWEEN 3 AND 255 AND email = lower(email)),
    role            text NOT NULL,
    token_hash      bytea NOT NULL CONSTRAINT invitations_token_hash_key UNIQUE, -- HMAC-SHA256 under the pepper
    sealed          bytea, -- the token under the master key, until the mail was sent
    invited_by      uuid NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz NOT NULL,
    sent_at         timestamptz,
    accepted_at     timestamptz,
    revoked_at      timestamptz
);
CREATE UNIQUE INDEX invitations_open_idx ON invitations (organization_id, coalesce(ref, ''), email)
    WHERE accepted_at IS NULL AND revoked_at IS NULL;
CREATE INDEX invitations_unsent_idx ON invitations (created_at) WHERE sent_at IS NULL AND revoked_at IS NULL;

-- The version of all roles. A process reads it with each decision, and reads
-- roles again when it changed.
CREATE TABLE policy_version (one boolean PRIMARY KEY DEFAULT true CHECK (one), version bigint NOT NULL DEFAULT 1);
INSERT INTO policy_version DEFAULT VALUES;

-- +goose StatementBegin
CREATE FUNCTION roles_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE policy_version SET version = version + 1;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER roles_changed AFTER INSERT OR UPDATE OR DELETE ON roles
    FOR EACH STATEMENT EXECUTE FUNCTION roles_changed();

-- What an access token may at most do; NULL for no limit.
ALTER TABLE access_tokens
    ADD COLUMN organizations jsonb, -- arrays of text
    ADD COLUMN projects jsonb,
    ADD COLUMN permissions jsonb;
