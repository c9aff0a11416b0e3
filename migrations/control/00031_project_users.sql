-- +goose Up
-- How many users projects have, as last counted; ref has no foreign key, as in
-- usage_counts.
CREATE TABLE project_users (
    ref        text PRIMARY KEY,
    users      bigint NOT NULL,
    counted_at timestamptz NOT NULL
);

-- The projects of an organization by name, page by page.
CREATE INDEX projects_name_idx ON projects (organization_id, lower(name), ref) WHERE deleted_at IS NULL;
