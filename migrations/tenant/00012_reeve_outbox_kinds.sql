-- +goose Up
-- The outbox is claimed by kind: each kind has one consumer, and what one of them
-- is slow with never hides the rows of another. What 00009 says of the capability
-- holds for the functions here: no overloads, so the new ones have new names.

CREATE INDEX outbox_kind_due_idx ON reeve.outbox (kind, next_attempt_at, created_at) WHERE dead_at IS NULL;
DROP INDEX reeve.outbox_due_idx;

-- +goose StatementBegin
-- Leases up to max due rows of a kind, the longest due first, and counts the
-- attempt. No two callers get the same one before the lease has run out.
CREATE FUNCTION reeve.outbox_claim_kind(cap text, kind text, max integer, lease interval)
    RETURNS TABLE (id uuid, payload bytea, attempts integer, created_at timestamptz)
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
          AND o.kind = outbox_claim_kind.kind
          AND o.next_attempt_at <= moment
          AND (o.locked_until IS NULL OR o.locked_until <= moment)
        ORDER BY o.next_attempt_at, o.created_at
        LIMIT outbox_claim_kind.max
        FOR UPDATE SKIP LOCKED
    ), claimed AS (
        UPDATE reeve.outbox o
        SET attempts = o.attempts + 1, locked_until = moment + outbox_claim_kind.lease
        FROM due
        WHERE o.id = due.id
        RETURNING o.id, o.payload, o.attempts, o.created_at, o.next_attempt_at
    )
    SELECT c.id, c.payload, c.attempts, c.created_at
    FROM claimed c
    ORDER BY c.next_attempt_at, c.created_at;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- How many rows of a kind wait, leased ones included, and when the first of them
-- can be claimed (NULL if none waits).
CREATE FUNCTION reeve.outbox_pending_kind(cap text, kind text, OUT pending bigint, OUT next_at timestamptz)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM reeve.require_capability(cap);
    SELECT count(*), min(greatest(o.next_attempt_at, o.locked_until))
    INTO pending, next_at
    FROM reeve.outbox o
    WHERE o.dead_at IS NULL AND o.kind = outbox_pending_kind.kind;
END
$$;
-- +goose StatementEnd

-- The release before this one goes on calling the two functions below while it
-- runs beside this one. It knows mails alone: a row of another kind it would fail
-- to send, and give up. So these are about mails now.

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION reeve.outbox_claim(cap text, max integer, lease interval)
    RETURNS TABLE (id uuid, kind text, payload bytea, attempts integer, created_at timestamptz)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT c.id, 'email', c.payload, c.attempts, c.created_at
    FROM reeve.outbox_claim_kind(outbox_claim.cap, 'email', outbox_claim.max, outbox_claim.lease) c;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION reeve.outbox_pending(cap text, OUT pending bigint, OUT next_at timestamptz)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    SELECT p.pending, p.next_at
    INTO pending, next_at
    FROM reeve.outbox_pending_kind(outbox_pending.cap, 'email') p;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Lets the auth role, and nobody else, call the functions that ask for the
-- capability.
CREATE OR REPLACE FUNCTION reeve.adopt_reeve(auth_role name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    REVOKE ALL ON ALL TABLES IN SCHEMA reeve FROM PUBLIC;
    REVOKE ALL ON ALL ROUTINES IN SCHEMA reeve FROM PUBLIC;
    EXECUTE format('GRANT USAGE ON SCHEMA reeve TO %I', auth_role);
    EXECUTE format('GRANT EXECUTE ON FUNCTION reeve.outbox_add, reeve.outbox_claim, reeve.outbox_done,'
        ' reeve.outbox_retry, reeve.outbox_release, reeve.outbox_dead, reeve.outbox_pending, reeve.outbox_tidy,'
        ' reeve.outbox_claim_kind, reeve.outbox_pending_kind TO %I', auth_role);
END
$$;
-- +goose StatementEnd

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA reeve FROM PUBLIC;
