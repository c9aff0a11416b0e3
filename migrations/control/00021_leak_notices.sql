-- +goose Up
-- Keys and tokens that somebody reported as leaked: what the mails say, until they
-- are handed over, and when the same one was reported last.
CREATE TABLE leak_notices (
    id              uuid PRIMARY KEY,
    at              timestamptz NOT NULL,
    subject         text NOT NULL, -- names the key or token
    organization_id uuid, -- whose owners and administrators are told
    user_id         uuid, -- or this user
    kind            text NOT NULL,
    name            text NOT NULL,
    project         text NOT NULL, -- its name; '' for none
    revoked         boolean NOT NULL,
    sent_at         timestamptz
);
CREATE INDEX leak_notices_subject_idx ON leak_notices (subject, at);
CREATE INDEX leak_notices_unsent_idx ON leak_notices (at) WHERE sent_at IS NULL;
