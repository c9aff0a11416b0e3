-- +goose Up
-- How many mails an invitation was, and when the last was asked for: what strangers
-- get is bounded by address, whoever invites, revokes and invites again.
ALTER TABLE invitations ADD COLUMN mails integer NOT NULL DEFAULT 1;
ALTER TABLE invitations ADD COLUMN asked_at timestamptz NOT NULL DEFAULT now(); -- for processes that do not know it
UPDATE invitations SET asked_at = created_at;
CREATE INDEX invitations_email_idx ON invitations (email, asked_at);
