-- +goose Up
-- Who was active in which billing period, once each. The developer's triggers
-- and roles cannot write it: it is behind the capability, as the outbox is.
CREATE TABLE IF NOT EXISTS reeve.activity (
    period   date NOT NULL, -- its first day, UTC
    user_id  uuid NOT NULL, -- no foreign key: who was active stays counted when deleted
    first_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (period, user_id)
);

-- +goose StatementBegin
-- Counts a user in a period. A second time changes nothing.
CREATE OR REPLACE FUNCTION reeve.activity_add(cap text, period date, user_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM reeve.require_capability(cap);
    INSERT INTO reeve.activity (period, user_id)
    VALUES (activity_add.period, activity_add.user_id)
    ON CONFLICT DO NOTHING;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Lets the auth role count.
CREATE OR REPLACE FUNCTION reeve.adopt_activity(auth_role name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('GRANT EXECUTE ON FUNCTION reeve.activity_add TO %I', auth_role);
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
    -- One at a time. An advisory lock would do, were it not for everybody's taking.
    LOCK TABLE reeve.capability IN SHARE ROW EXCLUSIVE MODE;
    PERFORM reeve.adopt_join(auth_role);
    PERFORM reeve.adopt_join(owner_role);
    PERFORM reeve.adopt_owner(auth_role);
    PERFORM reeve.adopt_auth(auth_role, owner_role);
    PERFORM reeve.adopt_public(api_role, owner_role);
    PERFORM reeve.adopt_database(auth_role, api_role, owner_role);
    PERFORM reeve.adopt_reeve(auth_role);
    PERFORM reeve.adopt_activity(auth_role);
END
$$;
-- +goose StatementEnd

REVOKE ALL ON ALL TABLES IN SCHEMA reeve FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA reeve FROM PUBLIC;
