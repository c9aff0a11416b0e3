-- +goose Up
-- What policies ask about the caller. Whoever acts for an end user sets
-- request.jwt.claims (JSON) with SET LOCAL; the older request.jwt.claim.<name>
-- settings count only where that one is absent, so that a value left behind in
-- a pooled session cannot become part of the next caller's identity.
-- The SQL-standard bodies are resolved here and now: no search_path changes
-- their meaning, and the planner can still inline them.
CREATE FUNCTION auth.jwt() RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(
        nullif(current_setting('request.jwt.claims', true), ''),
        nullif(current_setting('request.jwt.claim', true), ''))::jsonb;

CREATE FUNCTION auth.uid() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(CASE
        WHEN nullif(current_setting('request.jwt.claims', true), '') IS NULL
            THEN current_setting('request.jwt.claim.sub', true)
        ELSE current_setting('request.jwt.claims', true)::jsonb ->> 'sub'
    END, '')::uuid;

CREATE FUNCTION auth.role() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(CASE
        WHEN nullif(current_setting('request.jwt.claims', true), '') IS NULL
            THEN current_setting('request.jwt.claim.role', true)
        ELSE current_setting('request.jwt.claims', true)::jsonb ->> 'role'
    END, '');

CREATE FUNCTION auth.email() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(CASE
        WHEN nullif(current_setting('request.jwt.claims', true), '') IS NULL
            THEN current_setting('request.jwt.claim.email', true)
        ELSE current_setting('request.jwt.claims', true)::jsonb ->> 'email'
    END, '');

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA auth FROM PUBLIC;

-- +goose StatementBegin
DO $$
DECLARE
    relation regclass;
BEGIN
    FOR relation IN
        SELECT c.oid FROM pg_catalog.pg_class c
        WHERE c.relnamespace = 'auth'::regnamespace AND c.relkind = 'r'
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', relation);
    END LOOP;
END
$$;
-- +goose StatementEnd
