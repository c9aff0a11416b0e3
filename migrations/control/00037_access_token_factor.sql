-- +goose Up
-- Whether a session that had proved a second factor made the token: one that somebody made
-- with a password alone must not gain by a factor that its person adds later.
ALTER TABLE access_tokens ADD COLUMN second_factor boolean NOT NULL DEFAULT false;
