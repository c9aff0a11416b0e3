-- +goose Up
-- Why a version of a project's configuration was made, in its author's words.
ALTER TABLE auth_configs ADD COLUMN reason text NOT NULL DEFAULT ''
    CONSTRAINT auth_configs_reason_check CHECK (char_length(reason) <= 500);
