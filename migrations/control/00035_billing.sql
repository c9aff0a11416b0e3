-- +goose Up
-- The day of the month on which an organization's billing periods begin: that of its
-- creation. It never changes, so that periods neither overlap nor leave gaps.
ALTER TABLE organizations ADD COLUMN billing_anchor smallint NOT NULL DEFAULT extract(day FROM now() AT TIME ZONE 'UTC')
    CONSTRAINT organizations_billing_anchor_check CHECK (billing_anchor BETWEEN 1 AND 31);
UPDATE organizations SET billing_anchor = extract(day FROM created_at AT TIME ZONE 'UTC');

-- How many users of a project became active in a billing period, by the day (UTC) on
-- which they did: the ledgers of the projects' databases, counted. What is read again
-- replaces what was there, so it can be read as often as wanted.
CREATE TABLE billing_days (
    ref      text NOT NULL REFERENCES projects (ref),
    period   date NOT NULL, -- its first day
    day      date NOT NULL,
    kind     text NOT NULL,
    method   text NOT NULL,
    users    bigint NOT NULL CHECK (users >= 0),
    returned bigint NOT NULL CHECK (returned >= 0), -- who came back, a day or more after they came first
    PRIMARY KEY (ref, period, day, kind, method)
);

-- Until when a project's ledger was counted: all of it before this day. A turn is a
-- count that replaced days; one that began before another ended changes nothing.
CREATE TABLE billing_rollups (
    ref     text PRIMARY KEY REFERENCES projects (ref),
    through date,
    turn    bigint NOT NULL DEFAULT 0,
    at      timestamptz NOT NULL DEFAULT now()
);

-- What happened to a bill and needs an explanation.
CREATE TABLE billing_log (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at              timestamptz NOT NULL DEFAULT now(),
    organization_id uuid REFERENCES organizations (id),
    ref             text,
    code            text NOT NULL CHECK (char_length(code) BETWEEN 1 AND 60),
    detail          jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX billing_log_organization_idx ON billing_log (organization_id, id);
