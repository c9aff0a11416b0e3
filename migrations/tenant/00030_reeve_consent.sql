-- +goose Up
-- Which connection agreed that another has its domain too: its agreement ends when it
-- loses the domain.
ALTER TABLE reeve.sso_claim ADD COLUMN IF NOT EXISTS consented_by uuid;
