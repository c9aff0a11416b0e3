-- +goose Up
-- In dropping_roles a project's database and key are gone, and the names of its
-- roles are still taken.
ALTER TABLE databases DROP CONSTRAINT databases_state_check;
ALTER TABLE databases ADD CONSTRAINT databases_state_check
    CHECK (state IN ('creating', 'warm', 'assigned', 'dropping', 'dropping_roles', 'dropped'));
