-- +goose Up
-- What the directories of companies push beside their users, which are in
-- auth.scim_users: groups, their members, and a log of what was pushed. The auth role
-- reads and writes these tables; the project's owner does not. No foreign key refers to
-- schema auth, as elsewhere in schema reeve: rows of connections that are gone are tidied.

-- The resource is the group's SCIM document without members; the generated columns are
-- what is looked up of it. The version is that of the group with its members.
CREATE TABLE IF NOT EXISTS reeve.scim_group (
    id           uuid PRIMARY KEY,
    provider_id  uuid NOT NULL,
    resource     jsonb NOT NULL CHECK (octet_length(resource::text) <= 131072),
    display_name text NOT NULL GENERATED ALWAYS AS (lower(resource ->> 'displayName')) STORED,
    external_id  text GENERATED ALWAYS AS (resource ->> 'externalId') STORED,
    version      bigint NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS scim_group_external_id_key ON reeve.scim_group (provider_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS scim_group_display_name_idx ON reeve.scim_group (provider_id, display_name);
CREATE INDEX IF NOT EXISTS scim_group_created_at_idx ON reeve.scim_group (provider_id, created_at, id);

-- A member is a row of auth.scim_users.
CREATE TABLE IF NOT EXISTS reeve.scim_member (
    group_id     uuid NOT NULL REFERENCES reeve.scim_group (id) ON DELETE CASCADE,
    scim_user_id uuid NOT NULL,
    PRIMARY KEY (group_id, scim_user_id)
);
CREATE INDEX IF NOT EXISTS scim_member_scim_user_id_idx ON reeve.scim_member (scim_user_id);

CREATE TABLE IF NOT EXISTS reeve.scim_log (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    provider_id uuid NOT NULL,
    token_id    uuid,   -- NULL for an entry that was replayed
    at          timestamptz NOT NULL,
    method      text NOT NULL CHECK (char_length(method) <= 10),
    path        text NOT NULL CHECK (char_length(path) <= 2048),
    status      integer NOT NULL,
    request     text NOT NULL CHECK (octet_length(request) <= 65536), -- without passwords
    cut         boolean NOT NULL, -- the request was longer
    error       text NOT NULL CHECK (char_length(error) <= 2000),
    replay_of   bigint
);
CREATE INDEX IF NOT EXISTS scim_log_provider_id_idx ON reeve.scim_log (provider_id, id DESC);
CREATE INDEX IF NOT EXISTS scim_log_at_idx ON reeve.scim_log (at);

-- Who was removed from a directory is looked for at each sign-in of somebody unknown.
-- +goose StatementBegin
DO $$
BEGIN
    IF to_regclass('auth.scim_users_gone_idx') IS NULL AND EXISTS (SELECT FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = to_regclass('auth.scim_users') AND a.attname = 'user_name') THEN
        CREATE INDEX scim_users_gone_idx ON auth.scim_users (sso_provider_id, user_name) WHERE deleted_at IS NOT NULL;
        CREATE INDEX scim_users_gone_external_id_idx ON auth.scim_users (sso_provider_id, external_id) WHERE deleted_at IS NOT NULL;
    END IF;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Lets the auth role use the tables above.
CREATE OR REPLACE FUNCTION reeve.adopt_scim(auth_role name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON reeve.scim_group, reeve.scim_member, reeve.scim_log TO %I', auth_role);
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
    PERFORM reeve.adopt_signup(auth_role);
    PERFORM reeve.adopt_hooks(auth_role);
    PERFORM reeve.adopt_sso(auth_role);
    PERFORM reeve.adopt_scim(auth_role);
END
$$;
-- +goose StatementEnd

REVOKE ALL ON ALL TABLES IN SCHEMA reeve FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA reeve FROM PUBLIC;
