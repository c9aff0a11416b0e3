package database

import (
	"context"
	"net/http"
	"time"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/sqlrun"
	"github.com/reevehq/reeve/internal/web/control"
)

func (h *Handler) mountMigrations(api control.API) {
	op := func(id, method, below, summary string) control.Operation {
		return control.Operation{
			ID: id, Method: method, Path: path + "/migrations" + below, Summary: summary, Tag: "Database", Recorded: recordedMigration,
		}
	}
	control.Register(api, op("list-migrations", http.MethodGet, "", "List the migrations of a project's database, the oldest first"), h.migrations)
	control.Register(api, op("apply-migration", http.MethodPost, "", "Run a migration, and add it to the history, in one transaction"), h.apply)
	control.Register(api, op("upsert-migration", http.MethodPut, "", "Add a migration to the history without running it"), h.upsert)
	control.Register(api, op("rollback-migrations", http.MethodDelete, "",
		"Run the rollback statements of the migrations from a version on, and remove them from the history"), h.rollback)
	control.Register(api, op("get-migration", http.MethodGet, "/{version}", "Get a migration with its statements"), h.migration)
	control.Register(api, op("patch-migration", http.MethodPatch, "/{version}", "Change the name or the rollback statements of a migration"), h.patch)
}

// MigrationName is a migration in a list.
type MigrationName struct {
	Version string `json:"version"`
	Name    string `json:"name,omitempty"`
}

// Migration is a migration with its statements.
type Migration struct {
	Version        string   `json:"version"`
	Name           string   `json:"name,omitempty"`
	Statements     []string `json:"statements,omitempty"`
	Rollback       []string `json:"rollback,omitempty"`
	CreatedBy      string   `json:"created_by,omitempty"`
	IdempotencyKey string   `json:"idempotency_key,omitempty"`
}

// adding is how a migration gets into the history.
type adding func(s *sqlrun.Session, m sqlrun.Migration, now time.Time) (sqlrun.Migration, error)

type migrationsInput struct {
	Ref string `path:"ref"`
}

type migrationInput struct {
	Ref     string `path:"ref"`
	Version string `path:"version" pattern:"^[0-9]+$" maxLength:"30"`
}

type newMigrationInput struct {
	Ref            string `path:"ref"`
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" doc:"A migration that the history has under the same key is not run again."`
	Body           struct {
		Query    string `json:"query" minLength:"1"`
		Name     string `json:"name,omitempty" maxLength:"256"`
		Rollback string `json:"rollback,omitempty" doc:"Statements that undo it."`
	}
}

type rollbackInput struct {
	Ref  string `path:"ref"`
	From string `query:"gte" required:"true" pattern:"^[0-9]+$" maxLength:"30" doc:"The first version to roll back."`
}

type patchMigrationInput struct {
	Ref     string `path:"ref"`
	Version string `path:"version" pattern:"^[0-9]+$" maxLength:"30"`
	Body    struct {
		Name     *string `json:"name,omitempty" maxLength:"256"`
		Rollback *string `json:"rollback,omitempty"`
	}
}

func (h *Handler) migrations(ctx context.Context, actor control.Actor, in *migrationsInput) (*[]MigrationName, error) {
	var found []sqlrun.Migration
	err := h.Service.session(ctx, actor, authz.ReadDatabase, in.Ref, func(s *sqlrun.Session) (err error) {
		found, err = s.Migrations()
		return err
	})
	return names(found), err
}

func names(found []sqlrun.Migration) *[]MigrationName {
	out := make([]MigrationName, len(found))
	for i, m := range found {
		out[i] = MigrationName{Version: m.Version, Name: m.Name}
	}
	return &out
}

func (h *Handler) migration(ctx context.Context, actor control.Actor, in *migrationInput) (*Migration, error) {
	var found sqlrun.Migration
	err := h.Service.session(ctx, actor, authz.ReadDatabase, in.Ref, func(s *sqlrun.Session) (err error) {
		found, err = s.Migration(in.Version)
		return err
	})
	return &Migration{
		Version: found.Version, Name: found.Name, Statements: found.Statements, Rollback: found.Rollback,
		CreatedBy: found.CreatedBy, IdempotencyKey: found.IdempotencyKey,
	}, err
}

func (h *Handler) apply(ctx context.Context, actor control.Actor, in *newMigrationInput) (*MigrationName, error) {
	return h.add(ctx, actor, in, (*sqlrun.Session).Apply)
}

func (h *Handler) upsert(ctx context.Context, actor control.Actor, in *newMigrationInput) (*MigrationName, error) {
	return h.add(ctx, actor, in, (*sqlrun.Session).Record)
}

func (h *Handler) add(ctx context.Context, actor control.Actor, in *newMigrationInput, add adding) (*MigrationName, error) {
	m := sqlrun.Migration{
		Name: in.Body.Name, Statements: []string{in.Body.Query}, CreatedBy: actor.UserID.String(), IdempotencyKey: in.IdempotencyKey,
	}
	if in.Body.Rollback != "" {
		m.Rollback = []string{in.Body.Rollback}
	}
	err := h.Service.session(ctx, actor, authz.WriteDatabase, in.Ref, func(s *sqlrun.Session) (err error) {
		m, err = add(s, m, h.Service.Now())
		return err
	})
	if err != nil {
		return nil, err
	}
	outcome := map[string]any{"version": m.Version}
	if m.Apart {
		outcome["own_transaction"] = true
	}
	control.Outcome(ctx, outcome)
	return &MigrationName{Version: m.Version, Name: m.Name}, nil
}

func (h *Handler) patch(ctx context.Context, actor control.Actor, in *patchMigrationInput) (*MigrationName, error) {
	if in.Body.Name == nil && in.Body.Rollback == nil {
		return nil, text.Invalid("body: must have name or rollback")
	}
	var m sqlrun.Migration
	err := h.Service.session(ctx, actor, authz.WriteDatabase, in.Ref, func(s *sqlrun.Session) (err error) {
		m, err = s.ChangeMigration(in.Version, in.Body.Name, in.Body.Rollback)
		return err
	})
	return &MigrationName{Version: m.Version, Name: m.Name}, err
}

func (h *Handler) rollback(ctx context.Context, actor control.Actor, in *rollbackInput) (*[]MigrationName, error) {
	var undone []sqlrun.Migration
	err := h.Service.session(ctx, actor, authz.WriteDatabase, in.Ref, func(s *sqlrun.Session) (err error) {
		undone, err = s.Rollback(in.From)
		return err
	})
	return names(undone), err
}

// recordedMigration is a migration for the audit log: its name, and no text of SQL.
func recordedMigration(request map[string]any) map[string]any {
	out := map[string]any{}
	if name, ok := request["name"].(string); ok {
		out["name"] = name
	}
	for _, member := range []string{"query", "rollback"} {
		if sql, ok := request[member].(string); ok {
			out[member] = control.Digest(sql)
		}
	}
	return out
}
