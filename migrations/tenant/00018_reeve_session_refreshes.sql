-- +goose Up
-- Refreshes that were no ordinary rotation: a token that was used before came again.
-- Beside who presented it stands who rotated the session last, as its row said then.
-- Ordinary rotations are one statement, which has no capability; the session's counter
-- counts them.
CREATE TABLE IF NOT EXISTS reeve.session_refresh (
    id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session_id         uuid NOT NULL,
    user_id            uuid NOT NULL,
    at                 timestamptz NOT NULL,
    decision           text NOT NULL CHECK (char_length(decision) BETWEEN 1 AND 40),
    behind             bigint NOT NULL, -- how many rotations the token was behind
    ip                 inet,
    user_agent         text,
    rotated_at         timestamptz,
    rotated_ip         inet,
    rotated_user_agent text
);
CREATE INDEX IF NOT EXISTS session_refresh_session_id_idx ON reeve.session_refresh (session_id, id);
CREATE INDEX IF NOT EXISTS session_refresh_user_id_idx ON reeve.session_refresh (user_id, id);
CREATE INDEX IF NOT EXISTS session_refresh_at_idx ON reeve.session_refresh (at);

-- +goose StatementBegin
-- Adds a refresh, and removes the oldest of a session that has more than 30.
CREATE OR REPLACE FUNCTION reeve.session_refresh_add(cap text, session_id uuid, user_id uuid, at timestamptz, decision text, behind bigint,
    ip text, user_agent text, rotated_at timestamptz, rotated_ip text, rotated_user_agent text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM reeve.require_capability(cap);
    INSERT INTO reeve.session_refresh (session_id, user_id, at, decision, behind, ip, user_agent, rotated_at, rotated_ip, rotated_user_agent)
    VALUES (session_refresh_add.session_id, session_refresh_add.user_id, session_refresh_add.at, session_refresh_add.decision,
        session_refresh_add.behind, nullif(session_refresh_add.ip, '')::inet, left(session_refresh_add.user_agent, 500),
        session_refresh_add.rotated_at, nullif(session_refresh_add.rotated_ip, '')::inet, left(session_refresh_add.rotated_user_agent, 500));
    DELETE FROM reeve.session_refresh r WHERE r.id = ANY (ARRAY(
        SELECT o.id FROM reeve.session_refresh o WHERE o.session_id = session_refresh_add.session_id ORDER BY o.id DESC OFFSET 30));
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Up to max of these refreshes of a user's sessions, the newest first.
CREATE OR REPLACE FUNCTION reeve.session_refreshes(cap text, user_id uuid, max integer)
    RETURNS TABLE (session_id uuid, at timestamptz, decision text, behind bigint, ip text, user_agent text,
        rotated_at timestamptz, rotated_ip text, rotated_user_agent text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    PERFORM reeve.require_capability(cap);
    RETURN QUERY
    SELECT r.session_id, r.at, r.decision, r.behind, coalesce(host(r.ip), ''), coalesce(r.user_agent, ''),
        r.rotated_at, coalesce(host(r.rotated_ip), ''), coalesce(r.rotated_user_agent, '')
    FROM reeve.session_refresh r WHERE r.user_id = session_refreshes.user_id
    ORDER BY r.id DESC LIMIT session_refreshes.max;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Removes up to max sessions and refreshes each from before a time, and returns how
-- many.
CREATE OR REPLACE FUNCTION reeve.session_tidy(cap text, before timestamptz, max integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    ends bigint;
    refreshes bigint;
BEGIN
    PERFORM reeve.require_capability(cap);
    DELETE FROM reeve.ended_session e
    WHERE e.session_id = ANY (ARRAY(
        SELECT o.session_id FROM reeve.ended_session o WHERE o.ended_at < session_tidy.before
        ORDER BY o.ended_at LIMIT session_tidy.max FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS ends = ROW_COUNT;
    DELETE FROM reeve.session_refresh r
    WHERE r.id = ANY (ARRAY(
        SELECT o.id FROM reeve.session_refresh o WHERE o.at < session_tidy.before
        ORDER BY o.at LIMIT session_tidy.max FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS refreshes = ROW_COUNT;
    RETURN ends + refreshes;
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
        DELETE FROM reeve.session_refresh r WHERE r.user_id = session_explain.user_id;
    END IF;
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
        ' reeve.session_ended_since, reeve.session_tidy, reeve.session_limit, reeve.session_refresh_add,'
        ' reeve.session_refreshes TO %I', auth_role);
    EXECUTE format('GRANT SELECT ON reeve.session_limits TO %I', auth_role);
END
$$;
-- +goose StatementEnd

REVOKE ALL ON ALL TABLES IN SCHEMA reeve FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA reeve FROM PUBLIC;
