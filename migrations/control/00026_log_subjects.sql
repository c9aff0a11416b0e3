-- +goose Up
-- A refused request names an address rather than a user. subject is a digest of it
-- under a key of the project; '' for none.
ALTER TABLE project_logs ADD COLUMN subject text NOT NULL DEFAULT '';
