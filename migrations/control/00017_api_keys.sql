-- +goose Up
-- NULL is no restriction. A key that was replaced keeps its name beside that of
-- its successor until it expires, so names are unique among the others only.
ALTER TABLE api_keys
    ADD COLUMN scopes    jsonb, -- array of text
    ADD COLUMN networks  jsonb, -- array of text, CIDR
    ADD COLUMN successor uuid;  -- of a replaced key
ALTER TABLE api_keys DROP CONSTRAINT api_keys_ref_type_name_key;
CREATE UNIQUE INDEX api_keys_ref_type_name_key ON api_keys (ref, type, name) WHERE successor IS NULL;
