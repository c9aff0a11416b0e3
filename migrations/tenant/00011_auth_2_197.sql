-- +goose NO TRANSACTION
-- +goose Up
-- What release 2.197 of the reference added to schema auth: recovery codes as a
-- second factor, SCIM provisioning, and an expiry of each one-time token. A dump of
-- a hosted project names all of them.
--
-- Each statement is its own transaction, so that none waits for one auth table
-- while it holds another against the project's requests. After a kill all of them
-- run again: what is there already is left alone. A table of one of these names
-- that does not belong to the admin was not made here, and ends the migration.
ALTER TYPE auth.factor_type ADD VALUE IF NOT EXISTS 'recovery_code';

ALTER TABLE auth.one_time_tokens ADD COLUMN IF NOT EXISTS expires_at timestamptz;

-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass('auth.mfa_recovery_code_sets')
        AND c.relowner = current_user::pg_catalog.regrole) THEN
        RETURN;
    END IF;
    CREATE TABLE auth.mfa_recovery_code_sets (
        id                        uuid NOT NULL,
        user_id                   uuid NOT NULL,
        mfa_factor_id             uuid NOT NULL,
        failed_verification_count integer NOT NULL DEFAULT 0,
        verification_locked_until timestamptz,
        created_at                timestamptz NOT NULL DEFAULT now(),
        updated_at                timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT mfa_recovery_code_sets_pkey PRIMARY KEY (id),
        CONSTRAINT mfa_recovery_code_sets_user_id_key UNIQUE (user_id),
        CONSTRAINT mfa_recovery_code_sets_mfa_factor_id_key UNIQUE (mfa_factor_id),
        CONSTRAINT mfa_recovery_code_sets_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users (id) ON DELETE CASCADE,
        CONSTRAINT mfa_recovery_code_sets_mfa_factor_id_fkey FOREIGN KEY (mfa_factor_id) REFERENCES auth.mfa_factors (id) ON DELETE CASCADE,
        CONSTRAINT mfa_recovery_code_sets_failed_verification_count_check CHECK (failed_verification_count >= 0)
    );
    ALTER TABLE auth.mfa_recovery_code_sets ENABLE ROW LEVEL SECURITY;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass('auth.mfa_recovery_codes')
        AND c.relowner = current_user::pg_catalog.regrole) THEN
        RETURN;
    END IF;
    CREATE TABLE auth.mfa_recovery_codes (
        id                       uuid NOT NULL,
        mfa_recovery_code_set_id uuid NOT NULL,
        code_hash                text NOT NULL,
        consumed_at              timestamptz,
        created_at               timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT mfa_recovery_codes_pkey PRIMARY KEY (id),
        CONSTRAINT mfa_recovery_codes_mfa_recovery_code_set_id_fkey FOREIGN KEY (mfa_recovery_code_set_id)
            REFERENCES auth.mfa_recovery_code_sets (id) ON DELETE CASCADE
    );
    CREATE INDEX mfa_recovery_codes_set_id_idx ON auth.mfa_recovery_codes (mfa_recovery_code_set_id);
    ALTER TABLE auth.mfa_recovery_codes ENABLE ROW LEVEL SECURITY;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- The resource is the SCIM document; the generated columns are what is looked up
-- of it, so the two cannot differ. A dump of data leaves generated columns out.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass('auth.scim_users')
        AND c.relowner = current_user::pg_catalog.regrole) THEN
        RETURN;
    END IF;
    CREATE TABLE auth.scim_users (
        id              uuid NOT NULL,
        sso_provider_id uuid NOT NULL,
        user_id         uuid,
        resource        jsonb NOT NULL,
        user_name       text NOT NULL GENERATED ALWAYS AS (lower(resource ->> 'userName')) STORED,
        external_id     text GENERATED ALWAYS AS (resource ->> 'externalId') STORED,
        active          boolean NOT NULL GENERATED ALWAYS AS (coalesce((resource ->> 'active')::boolean, true)) STORED,
        created_at      timestamptz NOT NULL DEFAULT now(),
        updated_at      timestamptz NOT NULL DEFAULT now(),
        deleted_at      timestamptz,
        CONSTRAINT scim_users_pkey PRIMARY KEY (id),
        CONSTRAINT scim_users_sso_provider_id_fkey FOREIGN KEY (sso_provider_id) REFERENCES auth.sso_providers (id) ON DELETE CASCADE,
        CONSTRAINT scim_users_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users (id) ON DELETE SET NULL
    );
    CREATE UNIQUE INDEX scim_users_user_name_key ON auth.scim_users (sso_provider_id, user_name) WHERE deleted_at IS NULL;
    CREATE UNIQUE INDEX scim_users_external_id_key ON auth.scim_users (sso_provider_id, external_id)
        WHERE external_id IS NOT NULL AND deleted_at IS NULL;
    CREATE INDEX scim_users_user_id_idx ON auth.scim_users (user_id);
    CREATE INDEX scim_users_id_idx ON auth.scim_users (sso_provider_id, id) WHERE deleted_at IS NULL;
    CREATE INDEX scim_users_user_name_idx ON auth.scim_users (sso_provider_id, user_name COLLATE pg_catalog."C", id) WHERE deleted_at IS NULL;
    CREATE INDEX scim_users_created_at_idx ON auth.scim_users (sso_provider_id, created_at, id) WHERE deleted_at IS NULL;
    CREATE INDEX scim_users_updated_at_idx ON auth.scim_users (sso_provider_id, updated_at, id) WHERE deleted_at IS NULL;
    CREATE INDEX scim_users_sso_provider_id_idx ON auth.scim_users (sso_provider_id);
    CREATE INDEX scim_users_deleted_at_idx ON auth.scim_users (deleted_at);
    ALTER TABLE auth.scim_users ENABLE ROW LEVEL SECURITY;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass('auth.scim_tokens')
        AND c.relowner = current_user::pg_catalog.regrole) THEN
        RETURN;
    END IF;
    CREATE TABLE auth.scim_tokens (
        id              uuid NOT NULL,
        sso_provider_id uuid NOT NULL,
        token_hash      text NOT NULL, -- SHA-256 in hexadecimal
        prefix          text NOT NULL,
        created_at      timestamptz NOT NULL DEFAULT now(),
        expires_at      timestamptz,
        revoked_at      timestamptz,
        last_used_at    timestamptz,
        CONSTRAINT scim_tokens_pkey PRIMARY KEY (id),
        CONSTRAINT scim_tokens_sso_provider_id_fkey FOREIGN KEY (sso_provider_id) REFERENCES auth.sso_providers (id) ON DELETE CASCADE,
        CONSTRAINT scim_tokens_token_hash_check CHECK (token_hash ~ '^[0-9a-f]{64}$'),
        CONSTRAINT scim_tokens_expires_at_future CHECK (expires_at IS NULL OR expires_at > created_at),
        CONSTRAINT scim_tokens_revoked_after_created CHECK (revoked_at IS NULL OR revoked_at >= created_at)
    );
    CREATE UNIQUE INDEX scim_tokens_token_hash_key ON auth.scim_tokens (token_hash);
    CREATE INDEX scim_tokens_sso_provider_id_idx ON auth.scim_tokens (sso_provider_id);
    CREATE INDEX scim_tokens_expires_at_idx ON auth.scim_tokens (expires_at);
    CREATE INDEX scim_tokens_revoked_at_idx ON auth.scim_tokens (revoked_at);
    ALTER TABLE auth.scim_tokens ENABLE ROW LEVEL SECURITY;
END
$$;
-- +goose StatementEnd
