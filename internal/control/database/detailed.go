package database

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/sqlrun"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
)

// RunAs is a caller of the project's API.
type RunAs struct {
	Role   string         `json:"role,omitempty" enum:"owner,anon,authenticated,service_role" doc:"owner is the owner role itself, with the claims set."`
	UserID string         `json:"user_id,omitempty" maxLength:"36" doc:"A user of the project, whose claims policies see. For authenticated and owner."`
	Claims map[string]any `json:"claims,omitempty" doc:"Further claims, which win over the user's."`
	Token  string         `json:"token,omitempty" maxLength:"61440" doc:"An access token of the project, or of an issuer that it trusts: policies see its role and claims. In place of role, user_id and claims."`
}

// maxClaims bounds the claims of a caller, in bytes.
const maxClaims = 16 << 10

type detailedInput struct {
	Ref  string `path:"ref"`
	Body struct {
		Query      string            `json:"query" minLength:"1" doc:"One or more statements; one, if it has parameters, is read-only, explained, or run as a caller."`
		Parameters []json.RawMessage `json:"parameters,omitempty" doc:"Values of $1, $2, ..."`
		ReadOnly   bool              `json:"read_only,omitempty" doc:"Run it in a read-only transaction. Only the permission to read is needed then."`
		RunAs      *RunAs            `json:"run_as,omitempty" doc:"Run one statement as a caller of the API, in a transaction that is rolled back unless commit is set."`
		Commit     bool              `json:"commit,omitempty" doc:"Commit what a caller's statement does."`
		Explain    string            `json:"explain,omitempty" enum:"plan,analyze" doc:"Answer the plan instead of the rows. analyze runs the statement, and rolls it back."`
		Limit      int               `json:"limit,omitempty" minimum:"1" maximum:"10000" default:"1000" doc:"How many rows are answered; all are counted."`
	}
}

// QueryResult describes what came of SQL.
type QueryResult struct {
	Columns    []QueryColumn   `json:"columns" doc:"Of the last statement that has a result."`
	Rows       [][]any         `json:"rows" doc:"Values in the order of the columns, as in the answer of a query."`
	RowCount   int             `json:"row_count" doc:"Of all rows, answered or not."`
	Truncated  bool            `json:"truncated" doc:"Some rows are left out."`
	Commands   []string        `json:"commands" doc:"Of the first hundred statements, such as INSERT 0 1."`
	Notices    []sqlrun.Notice `json:"notices"`
	DurationMS float64         `json:"duration_ms"`
	Committed  bool            `json:"committed" doc:"Of SQL that ran in a transaction of ours: as a caller, read-only or explained. Other SQL commits what it does."`
	Claims     map[string]any  `json:"claims" doc:"The claims that policies saw; null without run_as."`
	Plan       any             `json:"plan" doc:"Postgres' JSON, if explain was asked for; else null."`
}

// QueryColumn is a column of a result.
type QueryColumn struct {
	Name string `json:"name"`
	Type string `json:"type" doc:"As Postgres names it, such as int4, text or _text."`
}

func (h *Handler) detailedQuery(ctx context.Context, actor control.Actor, in *detailedInput) (*QueryResult, error) {
	run := sqlrun.Run{SQL: in.Body.Query, ReadOnly: in.Body.ReadOnly, Commit: in.Body.Commit, Explain: in.Body.Explain, Keep: in.Body.Limit}
	out, err := h.Service.runAs(ctx, actor, in.Ref, run, in.Body.Parameters, in.Body.RunAs)
	if err != nil {
		return nil, err
	}
	return resultOnWire(out, in.Body.Explain != "")
}

// queryAs is query for a caller.
func (h *Handler) queryAs(ctx context.Context, actor control.Actor, in *queryInput) (*Rows, error) {
	run := sqlrun.Run{SQL: in.Body.Query, ReadOnly: in.Body.ReadOnly, Commit: in.Body.Commit, Keep: maxRowsAs}
	out, err := h.Service.runAs(ctx, actor, in.Ref, run, in.Body.Parameters, in.Body.RunAs)
	if err != nil {
		return nil, err
	}
	if out.Truncated {
		return nil, sqlrun.ErrTooLarge
	}
	objects, err := out.Objects()
	rows := Rows(objects)
	return &rows, err
}

// maxRowsAs bounds the rows of a caller's query.
const maxRowsAs = 50_000

// runAs runs SQL as a caller, or as the owner role.
func (s *Service) runAs(ctx context.Context, actor control.Actor, ref string, run sqlrun.Run, parameters []json.RawMessage, as *RunAs) (out sqlrun.Detailed, err error) {
	action := authz.WriteDatabase
	if run.ReadOnly {
		action = authz.ReadDatabase
	}
	p, err := s.project(ctx, actor, action, ref)
	if err != nil {
		return out, err
	}
	if run.As, err = s.caller(ctx, p.Ref, as); err != nil {
		return out, err
	}
	switch {
	case run.Commit && run.As == nil:
		return out, text.Invalid("commit: is for run_as; other SQL commits what it does")
	case run.Commit && (run.ReadOnly || run.Explain != ""):
		return out, text.Invalid("commit: is not for read_only or explain")
	}
	if run.Parameters, err = sqlrun.DecodeParameters(parameters); err != nil {
		return out, err
	}
	err = s.Session(ctx, p.Ref, run.ReadOnly, func(session *sqlrun.Session) (err error) {
		out, err = session.Run(run)
		return err
	})
	if err != nil {
		return out, err
	}
	control.Outcome(ctx, map[string]any{"commands": out.Commands, "rows": out.Count, "committed": out.Committed})
	return out, nil
}

// caller checks whom to run SQL as; nil for the owner role without claims.
func (s *Service) caller(ctx context.Context, ref tenants.Ref, a *RunAs) (*sqlrun.Caller, error) {
	switch {
	case a == nil:
		return nil, nil
	case a.Token != "" && (a.Role != "" || a.UserID != "" || a.Claims != nil):
		return nil, text.Invalid("run_as.token: says role, user and claims; leave them out")
	case a.Token != "":
		claims, err := s.Token(ctx, ref, a.Token)
		if err != nil {
			return nil, err
		}
		role, _ := claims["role"].(string)
		return &sqlrun.Caller{Role: role, Claims: claims}, nil
	case a.Role == "":
		return nil, text.Invalid("run_as.role: must be owner, anon, authenticated or service_role")
	}
	c := &sqlrun.Caller{Role: a.Role, Claims: a.Claims}
	if c.Role == "owner" {
		c.Role = ""
	}
	if a.UserID != "" {
		id, err := uuid.Parse(a.UserID)
		if err != nil {
			return nil, text.Invalid("run_as.user_id: must be a UUID")
		}
		if a.Role != "authenticated" && a.Role != "owner" {
			return nil, text.Invalid("run_as.user_id: is for authenticated and owner: %s is nobody", a.Role)
		}
		c.UserID = id.String()
	}
	raw, err := json.Marshal(a.Claims)
	if err != nil || len(raw) > maxClaims {
		return nil, text.Invalid("run_as.claims: must have at most %d bytes", maxClaims)
	}
	return c, nil
}

func resultOnWire(out sqlrun.Detailed, explained bool) (*QueryResult, error) {
	r := &QueryResult{
		Columns: make([]QueryColumn, len(out.Columns)), Rows: make([][]any, len(out.Rows)), RowCount: out.Count, Truncated: out.Truncated,
		Commands: out.Commands, Notices: out.Notices, DurationMS: float64(out.Duration.Microseconds()) / 1000, Committed: out.Committed,
	}
	for i, c := range out.Columns {
		r.Columns[i] = QueryColumn{Name: c.Name, Type: c.Type}
	}
	for i, row := range out.Rows {
		var values []json.RawMessage
		if err := json.Unmarshal(row, &values); err != nil {
			return nil, err
		}
		r.Rows[i] = make([]any, len(values))
		for k, v := range values {
			r.Rows[i][k] = v
		}
	}
	if r.Commands == nil {
		r.Commands = []string{}
	}
	if r.Notices == nil {
		r.Notices = []sqlrun.Notice{}
	}
	if out.Claims != nil {
		if err := json.Unmarshal(out.Claims, &r.Claims); err != nil {
			return nil, err
		}
	}
	if explained && len(r.Rows) == 1 && len(r.Rows[0]) == 1 {
		r.Plan, r.Rows, r.Columns, r.RowCount = r.Rows[0][0], [][]any{}, []QueryColumn{}, 0
	}
	return r, nil
}
