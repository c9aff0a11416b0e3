-- +goose Up
-- The refreshes of each session: when, and by which client. A refresh writes here within
-- its single statement. That statement cannot carry the capability, because code of the
-- developer's may see its parameters. So the auth role may insert, and do nothing else, and
-- each row has a MAC: rows of others' making are recognized, and left out. It costs as much
-- as a row of the audit log; a function that checks the MAC at once costs half a refresh.
CREATE TABLE IF NOT EXISTS reeve.session_rotation (
    session_id uuid NOT NULL,
    at         timestamptz NOT NULL,
    client     text NOT NULL, -- "<ip> <user agent>"
    mac        bytea NOT NULL,
    -- The auth role cannot write it: rows end on time, whoever wrote them.
    stored_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS session_rotation_session_id_idx ON reeve.session_rotation (session_id, at);
-- Rows come in the order of time.
CREATE INDEX IF NOT EXISTS session_rotation_stored_at_idx ON reeve.session_rotation USING brin (stored_at) WITH (pages_per_range = 32);

-- +goose StatementBegin
-- Up to max refreshes of sessions, at most the last 50 of each, the newest first. The MAC
-- is SHA-256 of the capability's hash and the SHA-256 of 'session_rotated', session, time
-- and client.
CREATE OR REPLACE FUNCTION reeve.session_rotations(cap text, sessions uuid[], max integer)
    RETURNS TABLE (session_id uuid, at timestamptz, client text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    key bytea;
BEGIN
    PERFORM reeve.require_capability(cap);
    SELECT c.hash INTO key FROM reeve.capability c;
    RETURN QUERY
    SELECT s.id, r.at, r.client
    FROM unnest(session_rotations.sessions) s (id)
    CROSS JOIN LATERAL (
        SELECT DISTINCT o.at, o.client FROM reeve.session_rotation o -- a row may be repeated
        WHERE o.session_id = s.id AND o.mac = sha256(key || sha256('session_rotated'::bytea || uuid_send(o.session_id)
            || timestamptz_send(o.at) || convert_to(o.client, 'UTF8')))
        ORDER BY o.at DESC, o.client LIMIT 50) r
    ORDER BY r.at DESC, s.id LIMIT session_rotations.max;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Removes up to max refreshes that were stored before a time, and returns how many.
CREATE OR REPLACE FUNCTION reeve.session_rotation_tidy(cap text, before timestamptz, max integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    removed bigint;
BEGIN
    PERFORM reeve.require_capability(cap);
    DELETE FROM reeve.session_rotation r WHERE r.ctid = ANY (ARRAY(
        SELECT o.ctid FROM reeve.session_rotation o WHERE o.stored_at < session_rotation_tidy.before
        LIMIT session_rotation_tidy.max FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
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
        DELETE FROM reeve.session_rotation r USING reeve.ended_session e
        WHERE e.user_id = session_explain.user_id AND r.session_id = e.session_id;
        UPDATE reeve.ended_session e SET ip = NULL, user_agent = NULL WHERE e.user_id = session_explain.user_id;
        DELETE FROM reeve.session_refresh r WHERE r.user_id = session_explain.user_id;
        DELETE FROM reeve.known_device d WHERE d.user_id = session_explain.user_id;
        DELETE FROM reeve.session_report r WHERE r.user_id = session_explain.user_id;
    END IF;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Lets the auth role call the functions for devices, and those above, and add refreshes.
CREATE OR REPLACE FUNCTION reeve.adopt_sessions(auth_role name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('GRANT EXECUTE ON FUNCTION reeve.device_list, reeve.device_seen, reeve.device_tidy, reeve.session_report_add,'
        ' reeve.session_report_find, reeve.session_rotations, reeve.session_rotation_tidy TO %I', auth_role);
    EXECUTE format('GRANT INSERT (session_id, at, client, mac) ON reeve.session_rotation TO %I', auth_role);
END
$$;
-- +goose StatementEnd

REVOKE ALL ON ALL TABLES IN SCHEMA reeve FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA reeve FROM PUBLIC;
