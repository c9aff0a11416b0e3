-- +goose Up
-- A notice that cannot be handed over is tried again later, and holds no other.
ALTER TABLE leak_notices ADD COLUMN attempts integer NOT NULL DEFAULT 0;
ALTER TABLE leak_notices ADD COLUMN retry_at timestamptz;
