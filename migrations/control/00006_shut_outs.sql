-- +goose Up
-- Projects whose sessions disturbed the other projects of their server, and until
-- when their roles cannot log in. ref has no foreign key: its check would wait for
-- a lock on the project's row.
CREATE TABLE shut_outs (
    ref         text PRIMARY KEY,
    offences    integer NOT NULL CHECK (offences > 0),
    offended_at timestamptz NOT NULL, -- the last time
    until       timestamptz,          -- NULL before the second offence
    all_roles   boolean NOT NULL,     -- or the owner role only
    cause       text NOT NULL
);
