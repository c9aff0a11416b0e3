-- +goose Up
-- The developer's triggers on auth tables run as the auth role, which calls the
-- functions below. What tells Reeve from a trigger is the capability: a secret
-- that Reeve sends as a bind parameter and of which only the hash lies here.
-- It must be bound to an unnamed statement that does nothing but call one of
-- these functions: a trigger may replace the prepared statements of its session,
-- and can read the parameters of the statement that fired it from an error's
-- context. For the same reason the call has no casts and no operators, and no
-- function here may ever get an overload.
CREATE TABLE reeve.capability (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    hash     bytea NOT NULL CHECK (octet_length(hash) = 32)
);

CREATE TABLE reeve.outbox (
    id              uuid PRIMARY KEY,
    kind            text NOT NULL CHECK (char_length(kind) BETWEEN 1 AND 100),
    payload         bytea CHECK (octet_length(payload) <= 1048576),
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    attempts        integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    locked_until    timestamptz,
    last_error      text,
    dead_at         timestamptz,
    CONSTRAINT outbox_payload_until_dead CHECK ((payload IS NULL) = (dead_at IS NOT NULL))
);
CREATE INDEX outbox_due_idx ON reeve.outbox (next_attempt_at, created_at) WHERE dead_at IS NULL;
CREATE INDEX outbox_dead_idx ON reeve.outbox (dead_at) WHERE dead_at IS NOT NULL;

-- +goose StatementBegin
-- Replaces the capability by the one with this SHA-256. For the admin only.
CREATE FUNCTION reeve.set_capability(hash bytea) RETURNS void
    LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO reeve.capability (hash) VALUES (set_capability.hash)
    ON CONFLICT (only_row) DO UPDATE SET hash = excluded.hash
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Refuses every text but the capability, and everything while none is set.
CREATE FUNCTION reeve.require_capability(cap text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM reeve.capability c WHERE c.hash = sha256(convert_to(cap, 'UTF8'))) THEN
        RETURN;
    END IF;
    RAISE insufficient_privilege USING MESSAGE = 'reeve: wrong capability';
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Puts a message in; it is sent if and only if the transaction commits.
CREATE FUNCTION reeve.outbox_add(cap text, id uuid, kind text, payload bytea) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM reeve.require_capability(cap);
    INSERT INTO reeve.outbox (id, kind, payload)
    VALUES (outbox_add.id, outbox_add.kind, outbox_add.payload);
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Leases up to max due messages, the longest due first, and counts the attempt.
-- No two callers get the same one before the lease has run out.
CREATE FUNCTION reeve.outbox_claim(cap text, max integer, lease interval)
    RETURNS TABLE (id uuid, kind text, payload bytea, attempts integer, created_at timestamptz)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    moment timestamptz := clock_timestamp();
BEGIN
    PERFORM reeve.require_capability(cap);
    RETURN QUERY
    WITH due AS MATERIALIZED (
        SELECT o.id
        FROM reeve.outbox o
        WHERE o.dead_at IS NULL
          AND o.next_attempt_at <= moment
          AND (o.locked_until IS NULL OR o.locked_until <= moment)
        ORDER BY o.next_attempt_at, o.created_at
        LIMIT outbox_claim.max
        FOR UPDATE SKIP LOCKED
    ), claimed AS (
        UPDATE reeve.outbox o
        SET attempts = o.attempts + 1, locked_until = moment + outbox_claim.lease
        FROM due
        WHERE o.id = due.id
        RETURNING o.id, o.kind, o.payload, o.attempts, o.created_at, o.next_attempt_at
    )
    SELECT c.id, c.kind, c.payload, c.attempts, c.created_at
    FROM claimed c
    ORDER BY c.next_attempt_at, c.created_at;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Removes a delivered message. False if there is none of this id.
CREATE FUNCTION reeve.outbox_done(cap text, id uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM reeve.require_capability(cap);
    DELETE FROM reeve.outbox o WHERE o.id = outbox_done.id;
    RETURN FOUND;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Gives a message back, due again after delay. False if it is gone or dead.
CREATE FUNCTION reeve.outbox_retry(cap text, id uuid, error text, delay interval) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM reeve.require_capability(cap);
    UPDATE reeve.outbox o
    SET next_attempt_at = clock_timestamp() + outbox_retry.delay,
        locked_until = NULL,
        last_error = left(outbox_retry.error, 2000)
    WHERE o.id = outbox_retry.id AND o.dead_at IS NULL;
    RETURN FOUND;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Gives back a message that was claimed and not tried, due again after delay: the
-- attempt counts no more. False if it is gone or dead.
CREATE FUNCTION reeve.outbox_release(cap text, id uuid, delay interval) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM reeve.require_capability(cap);
    UPDATE reeve.outbox o
    SET next_attempt_at = clock_timestamp() + outbox_release.delay,
        locked_until = NULL,
        attempts = greatest(o.attempts - 1, 0)
    WHERE o.id = outbox_release.id AND o.dead_at IS NULL;
    RETURN FOUND;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Gives a message up: the row stays as evidence, its content goes. False if it
-- is gone or was dead before.
CREATE FUNCTION reeve.outbox_dead(cap text, id uuid, error text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM reeve.require_capability(cap);
    UPDATE reeve.outbox o
    SET dead_at = clock_timestamp(),
        locked_until = NULL,
        payload = NULL,
        last_error = left(outbox_dead.error, 2000)
    WHERE o.id = outbox_dead.id AND o.dead_at IS NULL;
    RETURN FOUND;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- How many messages wait, leased ones included, and when the first of them can
-- be claimed (NULL if none waits).
CREATE FUNCTION reeve.outbox_pending(cap text, OUT pending bigint, OUT next_at timestamptz)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM reeve.require_capability(cap);
    SELECT count(*), min(greatest(o.next_attempt_at, o.locked_until))
    INTO pending, next_at
    FROM reeve.outbox o
    WHERE o.dead_at IS NULL;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Removes up to max messages that were given up longer ago than older, and tells
-- how many.
CREATE FUNCTION reeve.outbox_tidy(cap text, older interval, max integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    removed bigint;
BEGIN
    PERFORM reeve.require_capability(cap);
    DELETE FROM reeve.outbox o
    WHERE o.id = ANY (ARRAY(
        SELECT d.id
        FROM reeve.outbox d
        WHERE d.dead_at < clock_timestamp() - outbox_tidy.older
        ORDER BY d.dead_at
        LIMIT outbox_tidy.max
        FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END
$$;
-- +goose StatementEnd

REVOKE ALL ON SCHEMA reeve FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA reeve FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA reeve FROM PUBLIC;
