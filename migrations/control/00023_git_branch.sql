-- +goose Up
-- The branch of a Git repository that a branch of a project was made for, in its
-- maker's words: tools find the branch again by it.
ALTER TABLE projects ADD COLUMN git_branch text
    CONSTRAINT projects_git_branch_check CHECK (char_length(git_branch) BETWEEN 1 AND 256);
