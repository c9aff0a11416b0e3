-- +goose Up
-- When a person's roles in an organization, or in a project of it, were ended.
-- Invitations from before do not bring them back, whatever address they are to:
-- people change their addresses.
CREATE TABLE ended_memberships (
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    ref             text NOT NULL, -- '' for the organization with all its projects
    user_id         uuid NOT NULL,
    ended_at        timestamptz NOT NULL,
    PRIMARY KEY (organization_id, user_id, ref)
);

-- The addresses by which people accepted invitations of an organization.
CREATE TABLE joined_addresses (
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    user_id         uuid NOT NULL,
    email           text NOT NULL,
    PRIMARY KEY (organization_id, user_id, email)
);
