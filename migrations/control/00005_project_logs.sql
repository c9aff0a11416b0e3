-- +goose Up
-- What the developers of projects should know about requests that failed and about
-- their configuration. ref has no foreign key: its check would lock the project's
-- row, and a change of the project would block the log of all projects.
CREATE TABLE project_logs (
    id          uuid PRIMARY KEY, -- also the cursor of the API
    seq         bigint GENERATED ALWAYS AS IDENTITY, -- the order, never shown: it counts all projects
    ref         text NOT NULL,
    at          timestamptz NOT NULL,
    level       text NOT NULL CHECK (level IN ('info', 'warning', 'error')),
    code        text NOT NULL,
    message     text NOT NULL,
    request_ids text[] NOT NULL DEFAULT '{}', -- of the first requests that count covers
    user_id     uuid,
    route       text NOT NULL DEFAULT '',
    client_ip   text NOT NULL DEFAULT '',
    detail      jsonb NOT NULL DEFAULT '{}',
    count       integer NOT NULL DEFAULT 1
);
CREATE INDEX project_logs_ref_idx ON project_logs (ref, seq);
CREATE INDEX project_logs_at_idx ON project_logs (at);
