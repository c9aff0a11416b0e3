-- +goose Up
-- How much projects are used, in sums of hours and of days (UTC). ref has no
-- foreign key, as in project_logs.
CREATE TABLE usage_counts (
    ref    text NOT NULL,
    span   text NOT NULL CHECK (span IN ('hour', 'day')),
    at     timestamptz NOT NULL, -- the beginning
    metric text NOT NULL,
    label  text NOT NULL, -- the method of a sign-in, the code of a refusal; else ''
    count  bigint NOT NULL,
    PRIMARY KEY (ref, span, at, metric, label)
);
CREATE INDEX usage_counts_at_idx ON usage_counts (span, at);

-- The distinct users, as sketches that can be merged (HyperLogLog).
CREATE TABLE usage_active (
    ref    text NOT NULL,
    span   text NOT NULL CHECK (span IN ('hour', 'day')),
    at     timestamptz NOT NULL,
    sketch bytea NOT NULL DEFAULT '',
    users  bigint NOT NULL DEFAULT 0, -- what the sketch estimates
    PRIMARY KEY (ref, span, at)
);
CREATE INDEX usage_active_at_idx ON usage_active (span, at);

-- The last batch of each process, so that none is added twice.
CREATE TABLE usage_writers (
    id    uuid PRIMARY KEY,
    batch bigint NOT NULL,
    at    timestamptz NOT NULL DEFAULT now()
);
