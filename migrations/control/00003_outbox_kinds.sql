-- +goose Up
-- Projects whose database may hold undelivered rows of a kind. Mails are marked in
-- outbox_marks, by this release and by the one before it, so that each of them
-- finds what the other left; every other kind is marked here.
CREATE TABLE outbox_kind_marks (
    ref       text NOT NULL,
    kind      text NOT NULL CHECK (char_length(kind) BETWEEN 1 AND 100),
    marked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, ref)
);
