-- +goose Up
-- Of each project the failures that are forgotten last are kept, up to a number.
CREATE INDEX failures_ref_idx ON failures (ref, spent_at);
