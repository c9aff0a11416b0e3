-- +goose Up
-- A branch is a project whose database was copied from another one's. Its parent's
-- row stays when the parent is deleted.
ALTER TABLE projects ADD COLUMN branch_of text REFERENCES projects (ref);
ALTER TABLE projects ADD CONSTRAINT projects_platform_no_branch_check CHECK (NOT platform OR branch_of IS NULL);
CREATE INDEX projects_branch_of_idx ON projects (branch_of) WHERE branch_of IS NOT NULL AND deleted_at IS NULL;
