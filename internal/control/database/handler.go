// Package database serves what tools ask of a project's database through the
// Management API: queries, migrations and types. It checks permissions and encodes;
// internal/provision connects as the project's query role, internal/sqlrun runs the
// SQL, and internal/typegen writes the types.
package database

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/provision"
	"github.com/reevehq/reeve/internal/sqlrun"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
)

// Handler serves the routes.
type Handler struct {
	Service *Service
}

// Service implements the rules.
type Service struct {
	Authz *authz.Authorizer
	Now   func() time.Time
	// Session runs a function with a session in the database of an active project that
	// has the rights of its owner role; one that only reads is ended when it locks a table.
	Session func(ctx context.Context, ref tenants.Ref, reads bool, fn func(*sqlrun.Session) error) error
	// Catalogs runs a function in a read-only transaction in the database of an active
	// project, with pg_catalog as the search path.
	Catalogs func(ctx context.Context, ref tenants.Ref, fn func(ctx context.Context, tx pgx.Tx) error) error
	// Token returns the claims of an access token that the project accepts, with one
	// of the API's roles.
	Token func(ctx context.Context, ref tenants.Ref, raw string) (map[string]any, error)
}

const path = "/v1/projects/{ref}/database"

// Mount registers the routes.
func (h *Handler) Mount(api control.API) {
	query := control.Operation{
		ID: "run-query", Method: http.MethodPost, Path: path + "/query", Tag: "Database", Status: http.StatusCreated,
		Summary: "Run SQL as the owner role of a project", Recorded: recordedQuery,
	}
	control.Register(api, query, h.query)
	query.ID, query.Path = "run-read-only-query", path+"/query/read-only"
	query.Summary = "Run one statement as the owner role of a project, in a read-only transaction"
	control.Register(api, query, h.readOnlyQuery)
	query.ID, query.Path = "run-detailed-query", path+"/query/detailed"
	query.Summary = "Run SQL as the owner role or as a caller of the API, and describe the result: columns, rows, notices, duration, plan"
	control.Register(api, query, h.detailedQuery)
	h.mountTables(api)
	h.mountMigrations(api)
	control.Register(api, control.Operation{
		ID: "generate-typescript-types", Method: http.MethodGet, Path: "/v1/projects/{ref}/types/typescript", Tag: "Database",
		Summary: "Generate the TypeScript types of a project's database",
	}, h.typeScript)
}

// Rows are the rows of a query.
type Rows []json.RawMessage

type queryInput struct {
	Ref  string `path:"ref"`
	Body struct {
		Query      string            `json:"query" minLength:"1" doc:"One or more statements; one, if it has parameters or is read-only."`
		Parameters []json.RawMessage `json:"parameters,omitempty" doc:"Values of $1, $2, ..."`
		ReadOnly   bool              `json:"read_only,omitempty" doc:"Run it in a read-only transaction. Only the permission to read is needed then."`
		RunAs      *RunAs            `json:"run_as,omitempty" doc:"Run one statement as a caller of the API, in a transaction that is rolled back unless commit is set."`
		Commit     bool              `json:"commit,omitempty" doc:"Commit what a caller's statement does."`
	}
}

type readOnlyQueryInput struct {
	Ref  string `path:"ref"`
	Body struct {
		Query      string            `json:"query" minLength:"1" doc:"One statement."`
		Parameters []json.RawMessage `json:"parameters,omitempty" doc:"Values of $1, $2, ..."`
	}
}

func (h *Handler) query(ctx context.Context, actor control.Actor, in *queryInput) (*Rows, error) {
	if in.Body.RunAs != nil {
		return h.queryAs(ctx, actor, in)
	}
	return h.Service.run(ctx, actor, in.Ref, in.Body.Query, in.Body.Parameters, in.Body.ReadOnly)
}

func (h *Handler) readOnlyQuery(ctx context.Context, actor control.Actor, in *readOnlyQueryInput) (*Rows, error) {
	return h.Service.run(ctx, actor, in.Ref, in.Body.Query, in.Body.Parameters, true)
}

func (s *Service) run(ctx context.Context, actor control.Actor, ref, sql string, parameters []json.RawMessage, readOnly bool) (*Rows, error) {
	action := authz.WriteDatabase
	if readOnly {
		action = authz.ReadDatabase
	}
	q := sqlrun.Query{SQL: sql, ReadOnly: readOnly}
	var out sqlrun.Result
	err := s.session(ctx, actor, action, ref, func(session *sqlrun.Session) (err error) {
		if q.Parameters, err = sqlrun.DecodeParameters(parameters); err != nil {
			return err
		}
		out, err = session.Query(q)
		return err
	})
	if err != nil {
		return nil, err
	}
	control.Outcome(ctx, map[string]any{"commands": out.Commands, "rows": len(out.Rows)})
	rows := Rows(out.Rows)
	if rows == nil {
		rows = Rows{}
	}
	return &rows, nil
}

// session runs fn in the database of a project in which the actor may do the action.
func (s *Service) session(ctx context.Context, actor control.Actor, action authz.Action, ref string, fn func(*sqlrun.Session) error) error {
	p, err := s.project(ctx, actor, action, ref)
	if err != nil {
		return err
	}
	return s.Session(ctx, p.Ref, action == authz.ReadDatabase, fn)
}

// project returns an active project in which the actor may do the action.
func (s *Service) project(ctx context.Context, actor control.Actor, action authz.Action, ref string) (controldb.Project, error) {
	p, err := s.Authz.Project(ctx, actor, action, ref)
	switch {
	case err != nil:
		return p, err
	case p.Status.Paused():
		return p, provision.ErrPaused
	case p.Status != tenants.StatusActive:
		return p, provision.ErrNotReady
	}
	return p, nil
}

// recordedQuery is a query for the audit log: no parameters, and no text, whose
// literals may be anything.
func recordedQuery(request map[string]any) map[string]any {
	out := map[string]any{}
	if sql, ok := request["query"].(string); ok {
		out["query"] = control.Digest(sql)
	}
	if parameters, ok := request["parameters"].([]any); ok {
		out["parameters"] = len(parameters)
	}
	if readOnly, ok := request["read_only"].(bool); ok {
		out["read_only"] = readOnly
	}
	if as, ok := request["run_as"].(map[string]any); ok {
		out["run_as"] = map[string]any{"role": as["role"], "user_id": as["user_id"]}
		if token, _ := as["token"].(string); token != "" {
			out["run_as"] = "token"
		}
	}
	for _, name := range []string{"commit", "explain"} {
		if value, ok := request[name]; ok {
			out[name] = value
		}
	}
	return out
}
