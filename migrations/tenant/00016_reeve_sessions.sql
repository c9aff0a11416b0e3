-- +goose Up
-- Sessions that ended: when, and why. The developer's roles cannot write here: it is
-- behind the capability, as the outbox is. A trigger notes each row that leaves
-- auth.sessions, whoever deleted it; the reason is only added with the capability,
-- in the same transaction.
CREATE TABLE IF NOT EXISTS reeve.ended_session (
    session_id   uuid PRIMARY KEY,
    user_id      uuid NOT NULL, -- no foreign key: the reason outlives the user
    cause        text CHECK (char_length(cause) BETWEEN 1 AND 40), -- NULL: ended by SQL
    ended_at     timestamptz NOT NULL,
    created_at   timestamptz,
    refreshed_at timestamptz,
    ip           inet,
    user_agent   text,
    ended_by     xid8 NOT NULL -- the transaction
);
CREATE INDEX IF NOT EXISTS ended_session_ended_at_idx ON reeve.ended_session (ended_at);
CREATE INDEX IF NOT EXISTS ended_session_user_id_idx ON reeve.ended_session (user_id, ended_at);

-- The project's limits on sessions, for auth.session_active. NULL is no limit.
CREATE TABLE IF NOT EXISTS reeve.session_limits (
    only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    timebox    interval,
    inactivity interval
);

-- +goose StatementBegin
-- Notes the sessions that a statement deleted. It runs with the admin's rights on a
-- table of the auth role. If that changed the type of a column, a conversion could be
-- code of the developer's, so nothing is read then.
CREATE OR REPLACE FUNCTION reeve.session_deleted() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF (SELECT count(*) FROM pg_attribute a
        JOIN (VALUES ('id', 'uuid'::regtype), ('user_id', 'uuid'::regtype), ('created_at', 'timestamptz'::regtype),
            ('refreshed_at', 'timestamp'::regtype), ('user_agent', 'text'::regtype), ('ip', 'inet'::regtype)) w (name, type)
            ON a.attname = w.name AND a.atttypid = w.type
        WHERE a.attrelid = TG_RELID AND NOT a.attisdropped) <> 6 THEN
        RETURN NULL;
    END IF;
    INSERT INTO reeve.ended_session (session_id, user_id, ended_at, created_at, refreshed_at, ip, user_agent, ended_by)
    SELECT d.id, d.user_id, clock_timestamp(), d.created_at, d.refreshed_at AT TIME ZONE 'utc', d.ip, left(d.user_agent, 500),
        pg_current_xact_id()
    FROM deleted d
    ON CONFLICT (session_id) DO UPDATE SET user_id = excluded.user_id, cause = NULL, ended_at = excluded.ended_at,
        created_at = excluded.created_at, refreshed_at = excluded.refreshed_at, ip = excluded.ip,
        user_agent = excluded.user_agent, ended_by = excluded.ended_by;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Adds the reason to the sessions of a user that this transaction deleted. Of a user
-- who is deleted, nothing personal stays.
CREATE OR REPLACE FUNCTION reeve.session_explain(cap text, user_id uuid, cause text, at timestamptz, forget boolean) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM reeve.require_capability(cap);
    UPDATE reeve.ended_session e SET cause = session_explain.cause, ended_at = session_explain.at
    WHERE e.user_id = session_explain.user_id AND e.ended_by = pg_current_xact_id() AND e.cause IS NULL;
    IF session_explain.forget THEN
        UPDATE reeve.ended_session e SET ip = NULL, user_agent = NULL WHERE e.user_id = session_explain.user_id;
    END IF;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Adds the reason to sessions that this transaction deleted.
CREATE OR REPLACE FUNCTION reeve.session_explain_all(cap text, sessions uuid[], cause text, at timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM reeve.require_capability(cap);
    UPDATE reeve.ended_session e SET cause = session_explain_all.cause, ended_at = session_explain_all.at
    WHERE e.session_id = ANY (session_explain_all.sessions) AND e.ended_by = pg_current_xact_id() AND e.cause IS NULL;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- The end of a session.
CREATE OR REPLACE FUNCTION reeve.session_end(cap text, session_id uuid)
    RETURNS TABLE (user_id uuid, cause text, ended_at timestamptz)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    PERFORM reeve.require_capability(cap);
    RETURN QUERY
    SELECT e.user_id, coalesce(e.cause, ''), e.ended_at FROM reeve.ended_session e WHERE e.session_id = session_end.session_id;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Up to max ended sessions of a user, the one that ended last first.
CREATE OR REPLACE FUNCTION reeve.session_ends(cap text, user_id uuid, max integer)
    RETURNS TABLE (session_id uuid, cause text, ended_at timestamptz, created_at timestamptz, refreshed_at timestamptz, ip text, user_agent text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    PERFORM reeve.require_capability(cap);
    RETURN QUERY
    SELECT e.session_id, coalesce(e.cause, ''), e.ended_at, coalesce(e.created_at, e.ended_at), e.refreshed_at,
        coalesce(host(e.ip), ''), coalesce(e.user_agent, '')
    FROM reeve.ended_session e WHERE e.user_id = session_ends.user_id
    ORDER BY e.ended_at DESC, e.session_id LIMIT session_ends.max;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Up to max sessions that ended after a time, the one that ended last first.
CREATE OR REPLACE FUNCTION reeve.session_ended_since(cap text, since timestamptz, max integer)
    RETURNS TABLE (session_id uuid, ended_at timestamptz)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    PERFORM reeve.require_capability(cap);
    RETURN QUERY
    SELECT e.session_id, e.ended_at FROM reeve.ended_session e WHERE e.ended_at > session_ended_since.since
    ORDER BY e.ended_at DESC, e.session_id LIMIT session_ended_since.max;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Removes up to max sessions that ended before a time, and returns how many.
CREATE OR REPLACE FUNCTION reeve.session_tidy(cap text, before timestamptz, max integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    removed bigint;
BEGIN
    PERFORM reeve.require_capability(cap);
    DELETE FROM reeve.ended_session e
    WHERE e.session_id = ANY (ARRAY(
        SELECT o.session_id FROM reeve.ended_session o WHERE o.ended_at < session_tidy.before
        ORDER BY o.ended_at LIMIT session_tidy.max FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Writes the limits, if they differ.
CREATE OR REPLACE FUNCTION reeve.session_limit(cap text, timebox interval, inactivity interval) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM reeve.require_capability(cap);
    INSERT INTO reeve.session_limits AS l (timebox, inactivity) VALUES (session_limit.timebox, session_limit.inactivity)
    ON CONFLICT (only_row) DO UPDATE SET timebox = excluded.timebox, inactivity = excluded.inactivity
        WHERE (l.timebox, l.inactivity) IS DISTINCT FROM (excluded.timebox, excluded.inactivity);
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Whether the session of the caller's access token goes on, for policies: false when
-- it was ended in any way or is over, and when its user is banned or deleted. The
-- functions of schema auth belong to the auth role, so it runs with that role's rights.
CREATE OR REPLACE FUNCTION auth.session_active() RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    claims jsonb := nullif(pg_catalog.current_setting('request.jwt.claims', true), '');
    session uuid := nullif(claims ->> 'session_id', '');
    subject uuid := nullif(claims ->> 'sub', '');
    moment timestamptz := pg_catalog.statement_timestamp();
BEGIN
    IF session IS NULL THEN
        RETURN false;
    END IF;
    RETURN EXISTS (
        SELECT FROM auth.sessions s
        JOIN auth.users u ON u.id = s.user_id
        LEFT JOIN reeve.session_limits l ON true
        WHERE s.id = session AND s.user_id = subject
          AND (s.not_after IS NULL OR s.not_after > moment)
          AND (l.timebox IS NULL OR s.created_at + l.timebox > moment)
          AND (l.inactivity IS NULL OR greatest(s.refreshed_at AT TIME ZONE 'utc', s.created_at) + l.inactivity > moment)
          AND u.deleted_at IS NULL AND (u.banned_until IS NULL OR u.banned_until <= moment));
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Lets the auth role, and nobody else, call the functions that ask for the
-- capability. Functions of later files are granted by their own.
CREATE OR REPLACE FUNCTION reeve.adopt_reeve(auth_role name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    REVOKE ALL ON ALL TABLES IN SCHEMA reeve FROM PUBLIC;
    REVOKE ALL ON ALL ROUTINES IN SCHEMA reeve FROM PUBLIC;
    EXECUTE format('GRANT USAGE ON SCHEMA reeve TO %I', auth_role);
    EXECUTE format('GRANT EXECUTE ON FUNCTION reeve.outbox_add, reeve.outbox_claim, reeve.outbox_claim_kind, reeve.outbox_done,'
        ' reeve.outbox_retry, reeve.outbox_release, reeve.outbox_dead, reeve.outbox_pending, reeve.outbox_pending_kind,'
        ' reeve.outbox_tidy, reeve.session_explain, reeve.session_explain_all, reeve.session_end, reeve.session_ends,'
        ' reeve.session_ended_since, reeve.session_tidy, reeve.session_limit TO %I', auth_role);
    EXECUTE format('GRANT SELECT ON reeve.session_limits TO %I', auth_role);
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- What others than its owner may do in schema auth: ask who the caller is and whether
-- their session goes on, and for the developer, work with the rows and refer to them.
CREATE OR REPLACE FUNCTION reeve.adopt_auth(auth_role name, owner_role name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    owner oid := quote_ident(owner_role)::regrole;
    target record;
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA auth TO anon, authenticated, service_role, %I', owner_role);
    REVOKE ALL ON ALL ROUTINES IN SCHEMA auth FROM PUBLIC;
    EXECUTE format('GRANT EXECUTE ON FUNCTION auth.uid(), auth.role(), auth.email(), auth.jwt(), auth.session_active()'
        ' TO anon, authenticated, service_role, %I', owner_role);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE, REFERENCES, TRIGGER ON ALL TABLES IN SCHEMA auth TO %I', owner_role);
    EXECUTE format('GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA auth TO %I', owner_role);

    FOR target IN
        SELECT c.oid::regclass AS relation, p.oid IS NULL AS missing
        FROM pg_class c
        LEFT JOIN pg_policy p ON p.polrelid = c.oid AND p.polname = 'reeve_owner'
        WHERE c.relnamespace = 'auth'::regnamespace AND c.relkind IN ('r', 'p') AND c.relrowsecurity
          AND (p.oid IS NULL OR p.polroles <> ARRAY[owner])
    LOOP
        IF target.missing THEN
            EXECUTE format('CREATE POLICY reeve_owner ON %s FOR ALL TO %I USING (true) WITH CHECK (true)',
                target.relation, owner_role);
        ELSE
            EXECUTE format('ALTER POLICY reeve_owner ON %s TO %I', target.relation, owner_role);
        END IF;
    END LOOP;
END
$$;
-- +goose StatementEnd

REVOKE ALL ON ALL TABLES IN SCHEMA reeve FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA reeve FROM PUBLIC;
REVOKE ALL ON FUNCTION auth.session_active() FROM PUBLIC;

-- Last, because it waits for the requests that use the table.
CREATE OR REPLACE TRIGGER reeve_session_deleted AFTER DELETE ON auth.sessions
    REFERENCING OLD TABLE AS deleted FOR EACH STATEMENT EXECUTE FUNCTION reeve.session_deleted();
