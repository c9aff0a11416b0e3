-- +goose Up
-- When the counter of a passkey last went back: somebody may have copied it. The
-- reference has no such column. A dump of a hosted project names its columns, so
-- it can be restored.
ALTER TABLE auth.webauthn_credentials ADD COLUMN IF NOT EXISTS clone_warning_at timestamptz;
