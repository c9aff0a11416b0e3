-- +goose Up
-- Projects that delete themselves, and how many of them an organization may have
-- at a time. They do not count as its other projects do.
ALTER TABLE projects ADD COLUMN expires_at timestamptz;
ALTER TABLE projects ADD CONSTRAINT projects_platform_stays_check CHECK (NOT platform OR expires_at IS NULL);
CREATE INDEX projects_expires_idx ON projects (expires_at) WHERE expires_at IS NOT NULL AND deleted_at IS NULL;

ALTER TABLE organizations ADD COLUMN max_ephemeral_projects integer NOT NULL DEFAULT 100
    CONSTRAINT organizations_max_ephemeral_projects_check CHECK (max_ephemeral_projects >= 0);
