-- +goose Up
-- Devices that users signed in from, and links in mails that end a session which
-- began on another one. Both are behind the capability. No foreign key refers to
-- auth.users or auth.sessions, as elsewhere in schema reeve.

-- A device is described by what its client says of itself, without versions, and by
-- its country where that is known.
CREATE TABLE IF NOT EXISTS reeve.known_device (
    user_id uuid NOT NULL,
    device  text NOT NULL CHECK (char_length(device) BETWEEN 1 AND 400),
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, device)
);
CREATE INDEX IF NOT EXISTS known_device_seen_at_idx ON reeve.known_device (seen_at);

-- A used link stays until it would have expired: it counts towards the mails of a day.
CREATE TABLE IF NOT EXISTS reeve.session_report (
    token_hash text PRIMARY KEY CHECK (char_length(token_hash) BETWEEN 1 AND 100),
    session_id uuid NOT NULL,
    user_id    uuid NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE INDEX IF NOT EXISTS session_report_user_id_idx ON reeve.session_report (user_id, created_at);
CREATE INDEX IF NOT EXISTS session_report_expires_at_idx ON reeve.session_report (expires_at);

-- +goose StatementBegin
-- The devices of a user.
CREATE OR REPLACE FUNCTION reeve.device_list(cap text, user_id uuid) RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM reeve.require_capability(cap);
    RETURN QUERY SELECT d.device FROM reeve.known_device d WHERE d.user_id = device_list.user_id;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Notes a device of a user. A user has at most thirty: those seen last.
CREATE OR REPLACE FUNCTION reeve.device_seen(cap text, user_id uuid, device text, at timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM reeve.require_capability(cap);
    INSERT INTO reeve.known_device AS d (user_id, device, seen_at)
    VALUES (device_seen.user_id, left(device_seen.device, 400), device_seen.at)
    ON CONFLICT ON CONSTRAINT known_device_pkey DO UPDATE SET seen_at = greatest(d.seen_at, excluded.seen_at);
    DELETE FROM reeve.known_device d WHERE d.user_id = device_seen.user_id AND d.device IN (
        SELECT o.device FROM reeve.known_device o WHERE o.user_id = device_seen.user_id
        ORDER BY o.seen_at DESC, o.device OFFSET 30);
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Stores a link that ends a session. False, and nothing is stored, if the user has had
-- max since a time.
CREATE OR REPLACE FUNCTION reeve.session_report_add(cap text, token_hash text, session_id uuid, user_id uuid, now timestamptz,
    expires_at timestamptz, since timestamptz, max integer) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM reeve.require_capability(cap);
    IF (SELECT count(*) FROM reeve.session_report r
        WHERE r.user_id = session_report_add.user_id AND r.created_at > session_report_add.since) >= session_report_add.max THEN
        RETURN false;
    END IF;
    INSERT INTO reeve.session_report (token_hash, session_id, user_id, created_at, expires_at)
    VALUES (session_report_add.token_hash, session_report_add.session_id, session_report_add.user_id, session_report_add.now,
        session_report_add.expires_at);
    RETURN true;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- What a link is for; no row for one that is unknown, used or expired. use uses it up.
CREATE OR REPLACE FUNCTION reeve.session_report_find(cap text, token_hash text, now timestamptz, use boolean)
    RETURNS TABLE (session_id uuid, user_id uuid)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    PERFORM reeve.require_capability(cap);
    IF session_report_find.use THEN
        RETURN QUERY
        UPDATE reeve.session_report r SET used_at = session_report_find.now
        WHERE r.token_hash = session_report_find.token_hash AND r.used_at IS NULL AND r.expires_at > session_report_find.now
        RETURNING r.session_id, r.user_id;
    ELSE
        RETURN QUERY
        SELECT r.session_id, r.user_id FROM reeve.session_report r
        WHERE r.token_hash = session_report_find.token_hash AND r.used_at IS NULL AND r.expires_at > session_report_find.now;
    END IF;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Removes up to max devices that were seen before a time, and links that expired before
-- now, and returns how many.
CREATE OR REPLACE FUNCTION reeve.device_tidy(cap text, before timestamptz, now timestamptz, max integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    devices bigint;
    reports bigint;
BEGIN
    PERFORM reeve.require_capability(cap);
    DELETE FROM reeve.known_device d WHERE d.ctid = ANY (ARRAY(
        SELECT o.ctid FROM reeve.known_device o WHERE o.seen_at < device_tidy.before
        ORDER BY o.seen_at LIMIT device_tidy.max FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS devices = ROW_COUNT;
    DELETE FROM reeve.session_report r WHERE r.token_hash = ANY (ARRAY(
        SELECT o.token_hash FROM reeve.session_report o WHERE o.expires_at < device_tidy.now
        ORDER BY o.expires_at LIMIT device_tidy.max FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS reports = ROW_COUNT;
    RETURN devices + reports;
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
        DELETE FROM reeve.known_device d WHERE d.user_id = session_explain.user_id;
        DELETE FROM reeve.session_report r WHERE r.user_id = session_explain.user_id;
    END IF;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Lets the auth role call the functions above.
CREATE OR REPLACE FUNCTION reeve.adopt_sessions(auth_role name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('GRANT EXECUTE ON FUNCTION reeve.device_list, reeve.device_seen, reeve.device_tidy, reeve.session_report_add,'
        ' reeve.session_report_find TO %I', auth_role);
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
    PERFORM reeve.adopt_sessions(auth_role);
END
$$;
-- +goose StatementEnd

REVOKE ALL ON ALL TABLES IN SCHEMA reeve FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA reeve FROM PUBLIC;
