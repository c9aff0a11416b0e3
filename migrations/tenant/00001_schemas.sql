-- +goose Up
-- Forward-only, like every file here: a project's database is never migrated down.
CREATE SCHEMA IF NOT EXISTS reeve;
CREATE SCHEMA IF NOT EXISTS auth;
CREATE SCHEMA IF NOT EXISTS extensions;

-- Postgres before 15 lets everybody create in public.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

-- +goose StatementBegin
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['pgcrypto', 'uuid-ossp'] LOOP
        IF EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = wanted) THEN
            EXECUTE format('CREATE EXTENSION IF NOT EXISTS %I WITH SCHEMA extensions', wanted);
        ELSE
            RAISE NOTICE 'extension % is not installed on this server', wanted;
        END IF;
    END LOOP;
END
$$;
-- +goose StatementEnd
