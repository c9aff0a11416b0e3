-- +goose Up
-- A deleted organization keeps its row, which its deleted projects and its audit log
-- refer to. Nobody is a member of it.
ALTER TABLE organizations ADD COLUMN deleted_at timestamptz;
