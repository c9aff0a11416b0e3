-- +goose Up
-- Who runs the installation: users of the platform project. The first row is the
-- operator whom the first start creates.
CREATE TABLE operators (
    user_id    uuid PRIMARY KEY,
    added_by   uuid, -- NULL for the command line
    created_at timestamptz NOT NULL DEFAULT now()
);

-- One-time links by which the first operator gets an account.
CREATE TABLE setup_links (
    hash       bytea PRIMARY KEY, -- HMAC-SHA256 under the pepper
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
