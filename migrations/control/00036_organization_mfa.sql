-- +goose Up
-- Whether an organization admits only members who proved a second factor.
ALTER TABLE organizations ADD COLUMN mfa_required boolean NOT NULL DEFAULT false;
