-- +goose Up
-- A commit that notifies fails when the NOTIFY queue is full, and all databases of
-- the server share that queue. So the transaction of a change does not announce it:
-- the process does, after the commit. Where it cannot, or is of the release before
-- this one, the others find the change when they poll.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION project_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.version := nextval('project_version_seq');
    NEW.changed_at := clock_timestamp();
    RETURN NEW;
END $$;
-- +goose StatementEnd
