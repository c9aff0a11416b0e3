-- +goose Up
-- Sign-ups for addresses that nobody has confirmed yet. They are behind the
-- capability: the developer's triggers and roles can neither read nor write them.
-- No foreign key refers to auth.users, and no function here reads it: they run
-- with the admin's rights, and the auth role could put a view in its place.

-- The unconfirmed users that a sign-up created. An admin's users, and those that
-- SQL inserted, are not here.
CREATE TABLE IF NOT EXISTS reeve.unconfirmed_user (
    user_id    uuid PRIMARY KEY,
    contested  boolean NOT NULL DEFAULT false, -- another sign-up named the same address
    created_at timestamptz NOT NULL,
    checked_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS unconfirmed_user_checked_idx ON reeve.unconfirmed_user (checked_at);

-- Tokens of sign-ups after the first. The first one is the user's row in
-- auth.users and the token in auth.one_time_tokens.
CREATE TABLE IF NOT EXISTS reeve.signup (
    id                    uuid PRIMARY KEY,
    user_id               uuid NOT NULL,
    email                 text NOT NULL, -- in lower case
    token_hash            text NOT NULL UNIQUE,
    resent                boolean NOT NULL, -- of a link that was sent again: it belongs to no sign-up
    password              text, -- its hash
    data                  jsonb,
    code_challenge        text,
    code_challenge_method text,
    created_at            timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS signup_user_idx ON reeve.signup (user_id, created_at);
CREATE INDEX IF NOT EXISTS signup_email_idx ON reeve.signup USING hash (email);
CREATE INDEX IF NOT EXISTS signup_created_idx ON reeve.signup (created_at);

-- +goose StatementBegin
-- Records that a sign-up created the user.
CREATE OR REPLACE FUNCTION reeve.signup_first(cap text, user_id uuid, now timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM reeve.require_capability(cap);
    INSERT INTO reeve.unconfirmed_user (user_id, created_at, checked_at)
    VALUES (signup_first.user_id, signup_first.now, signup_first.now)
    ON CONFLICT DO NOTHING;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Stores the token of a further sign-up, or of a link that was sent again, of
-- which a user has one. The newest five sign-ups keep password and data. A user
-- has at most thirty tokens.
CREATE OR REPLACE FUNCTION reeve.signup_add(cap text, id uuid, user_id uuid, email text, token_hash text, resent boolean,
    password text, data jsonb, code_challenge text, code_challenge_method text, now timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM reeve.require_capability(cap);
    INSERT INTO reeve.unconfirmed_user AS u (user_id, contested, created_at, checked_at)
    VALUES (signup_add.user_id, true, signup_add.now, signup_add.now)
    ON CONFLICT ON CONSTRAINT unconfirmed_user_pkey DO UPDATE SET contested = true WHERE NOT u.contested;
    DELETE FROM reeve.signup s WHERE signup_add.resent AND s.user_id = signup_add.user_id AND s.resent;
    INSERT INTO reeve.signup (id, user_id, email, token_hash, resent, password, data, code_challenge, code_challenge_method, created_at)
    VALUES (signup_add.id, signup_add.user_id, signup_add.email, signup_add.token_hash, signup_add.resent, signup_add.password,
        signup_add.data, signup_add.code_challenge, signup_add.code_challenge_method, signup_add.now);
    UPDATE reeve.signup s SET password = NULL, data = NULL
    WHERE (s.password IS NOT NULL OR s.data IS NOT NULL) AND s.id IN (
        SELECT o.id FROM reeve.signup o WHERE o.user_id = signup_add.user_id AND NOT o.resent
        ORDER BY o.created_at DESC, o.id OFFSET 5);
    DELETE FROM reeve.signup s WHERE s.id IN (
        SELECT o.id FROM reeve.signup o WHERE o.user_id = signup_add.user_id
        ORDER BY o.created_at DESC, o.id OFFSET 30);
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Whether a sign-up created the user, and whether another sign-up named the same
-- address since.
CREATE OR REPLACE FUNCTION reeve.signup_state(cap text, user_id uuid, OUT first boolean, OUT contested boolean)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM reeve.require_capability(cap);
    SELECT true, u.contested INTO first, contested
    FROM reeve.unconfirmed_user u WHERE u.user_id = signup_state.user_id;
    first := coalesce(first, false);
    contested := coalesce(contested, false);
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- The sign-up that a token belongs to.
CREATE OR REPLACE FUNCTION reeve.signup_find(cap text, token_hash text)
    RETURNS TABLE (id uuid, user_id uuid, email text, password text, data jsonb, code_challenge text,
        code_challenge_method text, created_at timestamptz)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    PERFORM reeve.require_capability(cap);
    RETURN QUERY
    SELECT s.id, s.user_id, s.email, s.password, s.data, s.code_challenge, s.code_challenge_method, s.created_at
    FROM reeve.signup s WHERE s.token_hash = signup_find.token_hash;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- The newest tokens that were mailed to an address after since.
CREATE OR REPLACE FUNCTION reeve.signup_codes(cap text, email text, since timestamptz, max integer)
    RETURNS TABLE (id uuid, token_hash text, created_at timestamptz)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    PERFORM reeve.require_capability(cap);
    RETURN QUERY
    SELECT s.id, s.token_hash, s.created_at FROM reeve.signup s
    WHERE s.email = signup_codes.email AND s.created_at > signup_codes.since
    ORDER BY s.created_at DESC, s.id LIMIT signup_codes.max;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Uses up a token. False if another request did.
CREATE OR REPLACE FUNCTION reeve.signup_take(cap text, id uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM reeve.require_capability(cap);
    DELETE FROM reeve.signup s WHERE s.id = signup_take.id;
    RETURN FOUND;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Forgets all sign-ups of users who are confirmed, taken over by an admin, or
-- deleted.
CREATE OR REPLACE FUNCTION reeve.signup_end(cap text, users uuid[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM reeve.require_capability(cap);
    DELETE FROM reeve.signup s WHERE s.user_id = ANY (signup_end.users);
    DELETE FROM reeve.unconfirmed_user u WHERE u.user_id = ANY (signup_end.users);
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Removes up to max tokens that were stored before a time, and returns how many.
-- Their users stay contested.
CREATE OR REPLACE FUNCTION reeve.signup_tidy(cap text, before timestamptz, max integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    removed bigint;
BEGIN
    PERFORM reeve.require_capability(cap);
    DELETE FROM reeve.signup s
    WHERE s.id = ANY (ARRAY(
        SELECT o.id FROM reeve.signup o WHERE o.created_at < signup_tidy.before
        ORDER BY o.created_at LIMIT signup_tidy.max FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Up to max users that were last returned before a time.
CREATE OR REPLACE FUNCTION reeve.signup_check(cap text, before timestamptz, now timestamptz, max integer) RETURNS SETOF uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM reeve.require_capability(cap);
    RETURN QUERY
    UPDATE reeve.unconfirmed_user u SET checked_at = signup_check.now
    WHERE u.user_id = ANY (ARRAY(
        SELECT o.user_id FROM reeve.unconfirmed_user o WHERE o.checked_at < signup_check.before
        ORDER BY o.checked_at LIMIT signup_check.max FOR UPDATE SKIP LOCKED))
    RETURNING u.user_id;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Lets the auth role call the functions above.
CREATE OR REPLACE FUNCTION reeve.adopt_signup(auth_role name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('GRANT EXECUTE ON FUNCTION reeve.signup_first, reeve.signup_add, reeve.signup_state, reeve.signup_find,'
        ' reeve.signup_codes, reeve.signup_take, reeve.signup_end, reeve.signup_tidy, reeve.signup_check TO %I', auth_role);
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Makes this database the project's: run by the admin after cloning the
-- template and after each migration.
CREATE OR REPLACE FUNCTION reeve.adopt(auth_role name, api_role name, owner_role name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- One at a time. Not by an advisory lock, which any role could take.
    LOCK TABLE reeve.capability IN SHARE ROW EXCLUSIVE MODE;
    PERFORM reeve.adopt_join(auth_role);
    PERFORM reeve.adopt_join(owner_role);
    PERFORM reeve.adopt_owner(auth_role);
    PERFORM reeve.adopt_auth(auth_role, owner_role);
    PERFORM reeve.adopt_public(api_role, owner_role);
    PERFORM reeve.adopt_database(auth_role, api_role, owner_role);
    PERFORM reeve.adopt_reeve(auth_role);
    PERFORM reeve.adopt_activity(auth_role);
    PERFORM reeve.adopt_signup(auth_role);
END
$$;
-- +goose StatementEnd

REVOKE ALL ON ALL TABLES IN SCHEMA reeve FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA reeve FROM PUBLIC;
