-- +goose Up
-- The last calls of projects' hooks. ref has no foreign key, as in project_logs.
CREATE TABLE hook_calls (
    id         uuid PRIMARY KEY,
    seq        bigint GENERATED ALWAYS AS IDENTITY,
    ref        text NOT NULL,
    point      text NOT NULL,
    at         timestamptz NOT NULL,
    duration   interval NOT NULL,
    outcome    text NOT NULL,
    mode       text NOT NULL,
    error      text NOT NULL DEFAULT '',
    status     integer NOT NULL DEFAULT 0, -- of a URL's answer; 0 for none
    request_id text NOT NULL DEFAULT ''
);
CREATE INDEX hook_calls_point_idx ON hook_calls (ref, point, seq);
CREATE INDEX hook_calls_at_idx ON hook_calls (at);
