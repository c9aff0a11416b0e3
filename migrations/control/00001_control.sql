-- +goose Up
-- The control database: who owns which project, where it lives, what it may.
-- Everything that a tenant snapshot is made of bumps projects.version, so that
-- every process drops its copy (LISTEN reeve_project, and polling changed_at).

CREATE TABLE settings (
    name   text PRIMARY KEY,
    sealed bytea NOT NULL -- under the master key
);

CREATE TABLE organizations (
    id           uuid PRIMARY KEY,
    slug         text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9-]{1,64}$'),
    name         text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 256),
    plan         text NOT NULL DEFAULT 'free',
    max_projects integer NOT NULL DEFAULT 100 CHECK (max_projects >= 0),
    created_at   timestamptz NOT NULL DEFAULT now()
);

-- user_id is a row of the platform project's auth.users.
CREATE TABLE members (
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    user_id         uuid NOT NULL,
    role            text NOT NULL CHECK (role IN ('owner', 'administrator', 'developer', 'read_only')),
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, user_id)
);
CREATE INDEX members_user_idx ON members (user_id);

CREATE TABLE access_tokens (
    id           uuid PRIMARY KEY,
    user_id      uuid NOT NULL,
    name         text NOT NULL,
    hash         bytea NOT NULL UNIQUE, -- HMAC-SHA256 under the pepper
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz,
    last_used_at timestamptz
);

-- A project's database, from before it is anybody's (a warm one) until it is
-- dropped. step is the last provisioning step that is known to be done. Who
-- works on one holds an advisory lock on the cluster, which ends with its
-- connection: a lease would have to run out first.
CREATE TABLE databases (
    ref            text PRIMARY KEY CHECK (ref ~ '^[a-z]{20}$'),
    cluster_id     text NOT NULL,
    state          text NOT NULL CHECK (state IN ('creating', 'warm', 'assigned', 'dropping', 'dropped')),
    step           integer NOT NULL DEFAULT 0,
    wrapped_key    bytea, -- the project's data key under the master key; NULL once shredded
    secrets        bytea, -- role passwords, sealed with the data key
    schema_version bigint NOT NULL DEFAULT 0,
    attempts       integer NOT NULL DEFAULT 0, -- failed ones since the last success
    retry_at       timestamptz, -- not before, after a failed attempt
    last_error     text,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX databases_state_idx ON databases (state, created_at) WHERE state <> 'dropped';

CREATE SEQUENCE project_version_seq;

CREATE TABLE projects (
    ref             text PRIMARY KEY REFERENCES databases (ref),
    id              bigint GENERATED ALWAYS AS IDENTITY,
    organization_id uuid NOT NULL REFERENCES organizations (id),
    name            text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 256),
    region          text NOT NULL DEFAULT '',
    status          text NOT NULL CHECK (status IN ('creating', 'active', 'paused', 'failed', 'deleting', 'deleted')),
    platform        boolean NOT NULL DEFAULT false,
    legacy_keys     boolean NOT NULL DEFAULT false,
    legacy_keys_at  timestamptz,
    config_version  integer NOT NULL DEFAULT 1,
    version         bigint NOT NULL DEFAULT 0,
    changed_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    created_at      timestamptz NOT NULL DEFAULT now(),
    deleted_at      timestamptz
);
CREATE INDEX projects_organization_idx ON projects (organization_id) WHERE deleted_at IS NULL;
CREATE INDEX projects_changed_idx ON projects (changed_at);
CREATE UNIQUE INDEX projects_platform_idx ON projects (platform) WHERE platform AND deleted_at IS NULL;

-- Every version of a project's auth configuration; projects.config_version
-- names the one in force.
CREATE TABLE auth_configs (
    ref        text NOT NULL REFERENCES projects (ref) ON DELETE CASCADE,
    version    integer NOT NULL,
    config     jsonb NOT NULL,
    secrets    bytea, -- JSON object of secret fields, sealed with the data key
    author     uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (ref, version)
);

CREATE TABLE api_keys (
    id          uuid PRIMARY KEY,
    ref         text NOT NULL REFERENCES projects (ref) ON DELETE CASCADE,
    type        text NOT NULL CHECK (type IN ('publishable', 'secret')),
    name        text NOT NULL,
    description text,
    prefix      text NOT NULL, -- the first characters after the type's prefix, to recognise a key by
    hash        bytea NOT NULL UNIQUE, -- HMAC-SHA256 under the pepper
    sealed      bytea, -- a publishable key's text: it is public and shown again; never a secret key's
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz,
    UNIQUE (ref, type, name)
);

CREATE TABLE signing_keys (
    id         uuid PRIMARY KEY,
    ref        text NOT NULL REFERENCES projects (ref) ON DELETE CASCADE,
    kid        text NOT NULL,
    algorithm  text NOT NULL CHECK (algorithm IN ('ES256', 'RS256', 'EdDSA', 'HS256')),
    status     text NOT NULL CHECK (status IN ('standby', 'in_use', 'previously_used', 'revoked')),
    private    bytea NOT NULL, -- private JWK, sealed with the data key
    public_jwk jsonb,
    imported   boolean NOT NULL DEFAULT false,
    legacy     boolean NOT NULL DEFAULT false, -- the HS256 secret that legacy API keys are signed with
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (ref, kid)
);
CREATE UNIQUE INDEX signing_keys_in_use_idx ON signing_keys (ref) WHERE status = 'in_use';

-- Answers to creates that carried an Idempotency-Key, for a day.
CREATE TABLE idempotency_keys (
    actor        uuid NOT NULL,
    key          text NOT NULL,
    request_hash bytea NOT NULL,
    status       integer, -- NULL while the first request is under way
    response     bytea, -- sealed under the master key: it may hold a secret that is shown once
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (actor, key)
);
CREATE INDEX idempotency_keys_created_idx ON idempotency_keys (created_at);

-- Projects whose database may hold undelivered messages.
CREATE TABLE outbox_marks (
    ref       text PRIMARY KEY,
    marked_at timestamptz NOT NULL DEFAULT now()
);

-- The captured inbox (development).
CREATE TABLE inbox_messages (
    id         uuid PRIMARY KEY,
    seq        bigint GENERATED ALWAYS AS IDENTITY,
    ref        text NOT NULL REFERENCES projects (ref) ON DELETE CASCADE,
    channel    text NOT NULL,
    recipient  text NOT NULL,
    subject    text NOT NULL DEFAULT '',
    html       text NOT NULL DEFAULT '',
    body       text NOT NULL DEFAULT '',
    links      jsonb NOT NULL DEFAULT '[]',
    code       text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX inbox_messages_ref_idx ON inbox_messages (ref, seq DESC);

-- +goose StatementBegin
CREATE FUNCTION project_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.version := nextval('project_version_seq');
    NEW.changed_at := clock_timestamp();
    PERFORM pg_notify('reeve_project', NEW.ref || ':' || NEW.version);
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER project_changed BEFORE INSERT OR UPDATE ON projects
    FOR EACH ROW EXECUTE FUNCTION project_changed();

-- +goose StatementBegin
CREATE FUNCTION project_part_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE projects SET changed_at = now()
     WHERE ref = CASE WHEN TG_OP = 'DELETE' THEN OLD.ref ELSE NEW.ref END;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER api_key_changed AFTER INSERT OR UPDATE OR DELETE ON api_keys
    FOR EACH ROW EXECUTE FUNCTION project_part_changed();
CREATE TRIGGER signing_key_changed AFTER INSERT OR UPDATE OR DELETE ON signing_keys
    FOR EACH ROW EXECUTE FUNCTION project_part_changed();
CREATE TRIGGER auth_config_changed AFTER INSERT OR UPDATE OR DELETE ON auth_configs
    FOR EACH ROW EXECUTE FUNCTION project_part_changed();
CREATE TRIGGER database_changed AFTER UPDATE OF schema_version, secrets ON databases
    FOR EACH ROW EXECUTE FUNCTION project_part_changed();
