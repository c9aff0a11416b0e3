-- +goose Up
-- Where the rotation of a project's signing keys is, see package keyrotation.
CREATE TABLE key_rotations (
    ref         text PRIMARY KEY REFERENCES projects (ref) ON DELETE CASCADE,
    days        integer NOT NULL DEFAULT 0 CHECK (days BETWEEN 0 AND 730), -- 0: on demand only
    algorithm   text NOT NULL DEFAULT 'ES256' CHECK (algorithm IN ('ES256', 'RS256', 'EdDSA')),
    held        boolean NOT NULL DEFAULT false,
    phase       text NOT NULL DEFAULT 'idle' CHECK (phase IN ('idle', 'published', 'promoted')),
    since       timestamptz NOT NULL,
    key_id      uuid,
    previous_id uuid,
    token_life  integer NOT NULL DEFAULT 0, -- seconds
    look_at     timestamptz -- when the next step is due, or is looked at again; NULL for never
);
CREATE INDEX key_rotations_look_idx ON key_rotations (look_at) WHERE NOT held;

-- Requests for a project's key set that name an old one, by entity tag. ref has no
-- foreign key, as in usage_counts.
CREATE TABLE old_key_sets (
    ref       text NOT NULL,
    tag       text NOT NULL,
    first_at  timestamptz NOT NULL,
    last_at   timestamptz NOT NULL,
    requests  bigint NOT NULL,
    ip        text NOT NULL,
    agent     text NOT NULL,
    warned_at timestamptz, -- when the project's log had it
    PRIMARY KEY (ref, tag)
);
CREATE INDEX old_key_sets_last_idx ON old_key_sets (last_at);
