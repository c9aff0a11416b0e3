-- +goose Up
-- What people and their tools did to organizations and projects. Each
-- organization has a chain: hash is an HMAC under the pepper over the entry and
-- the hash before it, so that a changed, removed or inserted entry shows, also to
-- somebody who can write to this table.
CREATE TABLE audit_log (
    organization_id uuid NOT NULL, -- all zero: no organization. No foreign key: the log outlives it
    seq             bigint NOT NULL,
    id              uuid NOT NULL UNIQUE,
    at              timestamptz NOT NULL,
    entry           text NOT NULL, -- JSON, as it was hashed
    hash            bytea NOT NULL,
    PRIMARY KEY (organization_id, seq)
);
CREATE INDEX audit_log_at_idx ON audit_log (organization_id, at);

-- The last entry of each chain, so that a removed end shows too.
CREATE TABLE audit_heads (
    organization_id uuid PRIMARY KEY,
    seq             bigint NOT NULL,
    hash            bytea NOT NULL,
    seal            bytea NOT NULL -- HMAC over organization, seq and hash
);

-- Changes that have begun. A row that stays was left by a killed process: it is
-- then unknown whether the change took place, and the log says so.
CREATE TABLE audit_begun (
    id              uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    at              timestamptz NOT NULL,
    entry           text NOT NULL
);
CREATE INDEX audit_begun_at_idx ON audit_begun (at);
