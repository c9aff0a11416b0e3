-- +goose Up
-- The ledger of active users says how each of them came, too, and since when they are
-- known: a plan may count users only once they come back a day later.
ALTER TABLE reeve.activity
    ADD COLUMN IF NOT EXISTS kind text NOT NULL DEFAULT 'first_party' CHECK (kind IN ('first_party', 'sso', 'third_party', 'anonymous', 'test')),
    ADD COLUMN IF NOT EXISTS method text NOT NULL DEFAULT '' CHECK (char_length(method) <= 40), -- of the first sign-in or refresh
    ADD COLUMN IF NOT EXISTS session_id uuid,
    ADD COLUMN IF NOT EXISTS since timestamptz, -- of the user's first entry; NULL for first_at
    ADD COLUMN IF NOT EXISTS returned_at timestamptz; -- the first time in the period that is a day after since, or later

-- A user's entries are found by the user: since is that of the first one.
ALTER TABLE reeve.activity DROP CONSTRAINT IF EXISTS activity_pkey;
ALTER TABLE reeve.activity ADD CONSTRAINT activity_pkey PRIMARY KEY (user_id, period);
CREATE INDEX IF NOT EXISTS activity_first_at_idx ON reeve.activity (first_at);
CREATE INDEX IF NOT EXISTS activity_returned_at_idx ON reeve.activity (returned_at) WHERE returned_at > first_at;

-- +goose StatementBegin
-- Counts a user in a period, as one who came at a time. Later times of the same period
-- change nothing, but for the first that is a day after the user was seen first. A session
-- that was entered as one of a company's connection stays one: the rows that say so at a
-- refresh are the developer's to change.
CREATE OR REPLACE FUNCTION reeve.activity_count(cap text, period date, user_id uuid, at timestamptz, kind text, method text, session_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known timestamptz;
    came text := activity_count.kind;
BEGIN
    PERFORM reeve.require_capability(cap);
    PERFORM FROM reeve.activity a
    WHERE a.user_id = activity_count.user_id AND a.period = activity_count.period
      AND (a.returned_at IS NOT NULL OR coalesce(a.since, a.first_at) > activity_count.at - interval '24 hours');
    IF FOUND THEN
        RETURN;
    END IF;
    SELECT min(coalesce(a.since, a.first_at)) INTO known FROM reeve.activity a WHERE a.user_id = activity_count.user_id;
    known := least(known, activity_count.at);
    IF EXISTS (SELECT FROM reeve.activity a WHERE a.user_id = activity_count.user_id AND a.session_id = activity_count.session_id AND a.kind = 'sso') THEN
        came := 'sso';
    END IF;
    INSERT INTO reeve.activity AS a (period, user_id, first_at, kind, method, session_id, since, returned_at)
    VALUES (activity_count.period, activity_count.user_id, activity_count.at, came, activity_count.method,
        activity_count.session_id, known, CASE WHEN known <= activity_count.at - interval '24 hours' THEN activity_count.at END)
    ON CONFLICT ON CONSTRAINT activity_pkey DO UPDATE SET returned_at = activity_count.at
        WHERE a.returned_at IS NULL AND coalesce(a.since, a.first_at) <= activity_count.at - interval '24 hours';
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- How many users were counted on each day (UTC) since one, and how many of them came
-- back on it. For the admin only.
CREATE OR REPLACE FUNCTION reeve.activity_days_since(since date)
    RETURNS TABLE (period date, day date, kind text, method text, users bigint, returned bigint)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT d.period, d.day, d.kind, d.method, sum(d.users)::bigint, sum(d.returned)::bigint
    FROM (SELECT activity_days_since.since::timestamp AT TIME ZONE 'UTC' AS begins) b, LATERAL (
        SELECT a.period, (a.first_at AT TIME ZONE 'UTC')::date AS day, a.kind, a.method, count(*) AS users,
            count(*) FILTER (WHERE a.returned_at = a.first_at) AS returned
        FROM reeve.activity a WHERE a.first_at >= b.begins GROUP BY 1, 2, 3, 4
        UNION ALL
        SELECT a.period, (a.returned_at AT TIME ZONE 'UTC')::date, a.kind, a.method, 0, count(*)
        FROM reeve.activity a WHERE a.returned_at > a.first_at AND a.returned_at >= b.begins GROUP BY 1, 2, 3, 4
    ) d
    GROUP BY 1, 2, 3, 4
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- The same for Reeve.
CREATE OR REPLACE FUNCTION reeve.activity_days(cap text, since date)
    RETURNS TABLE (period date, day date, kind text, method text, users bigint, returned bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    PERFORM reeve.require_capability(cap);
    RETURN QUERY SELECT d.period, d.day, d.kind, d.method, d.users, d.returned FROM reeve.activity_days_since(activity_days.since) d;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Up to max entries of a period, in the order of their times, from a time on without
-- the first ones; of one day if it is not NULL.
CREATE OR REPLACE FUNCTION reeve.activity_entries(cap text, period date, day date, begins timestamptz, skip integer, max integer)
    RETURNS TABLE (user_id uuid, first_at timestamptz, kind text, method text, session_id uuid, returned_at timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    PERFORM reeve.require_capability(cap);
    RETURN QUERY
    SELECT a.user_id, a.first_at, a.kind, a.method, a.session_id, a.returned_at
    FROM reeve.activity a
    WHERE a.period = activity_entries.period AND a.first_at >= activity_entries.begins
      AND (activity_entries.day IS NULL OR a.first_at >= activity_entries.day::timestamp AT TIME ZONE 'UTC'
           AND a.first_at < (activity_entries.day + 1)::timestamp AT TIME ZONE 'UTC')
    ORDER BY a.first_at, a.user_id OFFSET activity_entries.skip LIMIT activity_entries.max;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Removes up to max entries of periods that began before a day, and returns how many.
CREATE OR REPLACE FUNCTION reeve.activity_tidy(cap text, before date, max integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    removed bigint;
BEGIN
    PERFORM reeve.require_capability(cap);
    DELETE FROM reeve.activity a WHERE a.ctid = ANY (ARRAY(
        SELECT o.ctid FROM reeve.activity o WHERE o.period < activity_tidy.before AND o.first_at < activity_tidy.before + interval '40 days'
        ORDER BY o.first_at LIMIT activity_tidy.max FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Lets the auth role count. activity_add is what a release before this one calls.
CREATE OR REPLACE FUNCTION reeve.adopt_activity(auth_role name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('GRANT EXECUTE ON FUNCTION reeve.activity_add, reeve.activity_count, reeve.activity_days,'
        ' reeve.activity_entries, reeve.activity_tidy TO %I', auth_role);
END
$$;
-- +goose StatementEnd

REVOKE ALL ON ALL TABLES IN SCHEMA reeve FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA reeve FROM PUBLIC;
