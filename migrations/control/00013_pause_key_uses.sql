-- +goose Up
-- A project on its way to and from 'paused'. To a process of an older release it does
-- not exist meanwhile.
ALTER TABLE projects DROP CONSTRAINT projects_status_check;
ALTER TABLE projects ADD CONSTRAINT projects_status_check
    CHECK (status IN ('creating', 'active', 'pausing', 'paused', 'restoring', 'failed', 'deleting', 'deleted'));
CREATE INDEX projects_paused_idx ON projects (ref) WHERE status IN ('pausing', 'paused', 'restoring') AND deleted_at IS NULL;

-- Who used an API key last, and how often it was used on a day (UTC). key is the id of
-- a row of api_keys, or the role of a legacy key. There are no foreign keys: their
-- checks would wait for changes of the key.
CREATE TABLE api_key_uses (
    ref     text NOT NULL,
    key     text NOT NULL,
    at      timestamptz NOT NULL,
    ip      text NOT NULL, -- this and the rest is erased after 30 days
    agent   text NOT NULL,
    sdk     text NOT NULL,
    version text NOT NULL,
    PRIMARY KEY (ref, key)
);
CREATE TABLE api_key_days (
    ref   text NOT NULL,
    key   text NOT NULL,
    day   date NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (ref, key, day)
);
CREATE INDEX api_key_days_day_idx ON api_key_days (day);
