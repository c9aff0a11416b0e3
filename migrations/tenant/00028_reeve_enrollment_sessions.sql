-- +goose Up
-- Several sessions can have part in a factor: one adds it, another verifies it first, and
-- recovery codes are made anew in any.
ALTER TABLE reeve.enrollment DROP CONSTRAINT IF EXISTS enrollment_pkey;
ALTER TABLE reeve.enrollment ADD CONSTRAINT enrollment_pkey PRIMARY KEY (id, session_id);
