-- +goose Up
-- The networks in which users proved a second factor, and the sessions in which factors
-- and passkeys were added. Both are behind the capability. No foreign key refers to
-- auth.users or auth.sessions, as elsewhere in schema reeve.

-- A network is an IPv4 address or the /64 of an IPv6 address. The session is the one that
-- proved a factor in it last.
CREATE TABLE IF NOT EXISTS reeve.factor_network (
    user_id    uuid NOT NULL,
    network    text NOT NULL CHECK (char_length(network) BETWEEN 1 AND 64),
    session_id uuid NOT NULL,
    proved_at  timestamptz NOT NULL,
    PRIMARY KEY (user_id, network)
);
CREATE INDEX IF NOT EXISTS factor_network_proved_at_idx ON reeve.factor_network (proved_at);

-- id is that of a factor or passkey.
CREATE TABLE IF NOT EXISTS reeve.enrollment (
    id         uuid PRIMARY KEY,
    user_id    uuid NOT NULL,
    session_id uuid NOT NULL,
    passkey    boolean NOT NULL,
    at         timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS enrollment_session_id_idx ON reeve.enrollment (session_id);
CREATE INDEX IF NOT EXISTS enrollment_user_id_idx ON reeve.enrollment (user_id);
CREATE INDEX IF NOT EXISTS enrollment_at_idx ON reeve.enrollment (at);

-- +goose StatementBegin
-- Notes that a session of a user proved a factor in a network. A user has at most twenty
-- networks: those of the last proofs.
CREATE OR REPLACE FUNCTION reeve.factor_network_add(cap text, user_id uuid, network text, session_id uuid, at timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM reeve.require_capability(cap);
    INSERT INTO reeve.factor_network AS n (user_id, network, session_id, proved_at)
    VALUES (factor_network_add.user_id, factor_network_add.network, factor_network_add.session_id, factor_network_add.at)
    ON CONFLICT ON CONSTRAINT factor_network_pkey DO UPDATE
        SET proved_at = greatest(n.proved_at, excluded.proved_at), session_id = excluded.session_id;
    DELETE FROM reeve.factor_network n WHERE n.user_id = factor_network_add.user_id AND n.network IN (
        SELECT o.network FROM reeve.factor_network o WHERE o.user_id = factor_network_add.user_id
        ORDER BY o.proved_at DESC, o.network OFFSET 20);
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Reports whether a user proved a factor in a network after a time.
CREATE OR REPLACE FUNCTION reeve.factor_network_known(cap text, user_id uuid, network text, since timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM reeve.require_capability(cap);
    RETURN EXISTS (SELECT FROM reeve.factor_network n WHERE n.user_id = factor_network_known.user_id
        AND n.network = factor_network_known.network AND n.proved_at > factor_network_known.since);
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Notes the session in which a factor or passkey was added.
CREATE OR REPLACE FUNCTION reeve.enrollment_add(cap text, id uuid, user_id uuid, session_id uuid, passkey boolean, at timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM reeve.require_capability(cap);
    INSERT INTO reeve.enrollment (id, user_id, session_id, passkey, at)
    VALUES (enrollment_add.id, enrollment_add.user_id, enrollment_add.session_id, enrollment_add.passkey, enrollment_add.at)
    ON CONFLICT ON CONSTRAINT enrollment_pkey DO NOTHING;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Returns what was added in a session of a user, and forgets it together with the
-- networks in which the session proved a factor.
CREATE OR REPLACE FUNCTION reeve.enrollment_take(cap text, user_id uuid, session_id uuid) RETURNS TABLE (id uuid, passkey boolean)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    PERFORM reeve.require_capability(cap);
    DELETE FROM reeve.factor_network n WHERE n.user_id = enrollment_take.user_id AND n.session_id = enrollment_take.session_id;
    RETURN QUERY DELETE FROM reeve.enrollment e
        WHERE e.user_id = enrollment_take.user_id AND e.session_id = enrollment_take.session_id RETURNING e.id, e.passkey;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Removes up to max devices that were seen before a time, links that expired before now,
-- networks without a proof for 90 days, and enrollments that no link reaches any more,
-- and returns how many.
CREATE OR REPLACE FUNCTION reeve.device_tidy(cap text, before timestamptz, now timestamptz, max integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    removed bigint;
    total   bigint := 0;
BEGIN
    PERFORM reeve.require_capability(cap);
    DELETE FROM reeve.known_device d WHERE d.ctid = ANY (ARRAY(
        SELECT o.ctid FROM reeve.known_device o WHERE o.seen_at < device_tidy.before
        ORDER BY o.seen_at LIMIT device_tidy.max FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS removed = ROW_COUNT;
    total := total + removed;
    DELETE FROM reeve.session_report r WHERE r.token_hash = ANY (ARRAY(
        SELECT o.token_hash FROM reeve.session_report o WHERE o.expires_at < device_tidy.now
        ORDER BY o.expires_at LIMIT device_tidy.max FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS removed = ROW_COUNT;
    total := total + removed;
    DELETE FROM reeve.factor_network n WHERE n.ctid = ANY (ARRAY(
        SELECT o.ctid FROM reeve.factor_network o WHERE o.proved_at < device_tidy.now - interval '90 days'
        ORDER BY o.proved_at LIMIT device_tidy.max FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS removed = ROW_COUNT;
    total := total + removed;
    DELETE FROM reeve.enrollment e WHERE e.id = ANY (ARRAY(
        SELECT o.id FROM reeve.enrollment o WHERE o.at < device_tidy.now - interval '30 days'
        ORDER BY o.at LIMIT device_tidy.max FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN total + removed;
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
        DELETE FROM reeve.factor_network n WHERE n.user_id = session_explain.user_id;
        DELETE FROM reeve.enrollment e WHERE e.user_id = session_explain.user_id;
    END IF;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Lets the auth role call the functions for devices, refreshes, networks and enrollments,
-- and add refreshes.
CREATE OR REPLACE FUNCTION reeve.adopt_sessions(auth_role name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('GRANT EXECUTE ON FUNCTION reeve.device_list, reeve.device_seen, reeve.device_tidy, reeve.session_report_add,'
        ' reeve.session_report_find, reeve.session_rotations, reeve.session_rotation_tidy, reeve.factor_network_add,'
        ' reeve.factor_network_known, reeve.enrollment_add, reeve.enrollment_take TO %I', auth_role);
    EXECUTE format('GRANT INSERT (session_id, at, client, mac) ON reeve.session_rotation TO %I', auth_role);
END
$$;
-- +goose StatementEnd

REVOKE ALL ON ALL TABLES IN SCHEMA reeve FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA reeve FROM PUBLIC;
