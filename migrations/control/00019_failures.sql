-- +goose Up
-- Wrong passwords and codes, so that no restart forgets them and each process knows
-- those of the others: as many as are not forgotten at a time (token buckets).
-- Identifiers are digests.
CREATE TABLE failures (
    ref        text NOT NULL,
    rule       text NOT NULL,
    identifier text NOT NULL,
    count      double precision NOT NULL, -- at the time at
    rate       double precision NOT NULL CHECK (rate > 0), -- how many are forgotten per second
    burst      integer NOT NULL CHECK (burst > 0), -- the most that count
    at         timestamptz NOT NULL,
    spent_at   timestamptz NOT NULL, -- when all are forgotten
    PRIMARY KEY (ref, rule, identifier)
);
CREATE INDEX failures_at_idx ON failures (at);
CREATE INDEX failures_spent_at_idx ON failures (spent_at);
