package logs

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

func (h *Handler) mountEvents(api control.API) {
	control.Register(api, control.Operation{
		ID: "list-project-events", Method: http.MethodGet, Path: "/v1/projects/{ref}/events",
		Summary: "List the latest events of a project, what was done and what was refused, the newest first", Tag: "Logs",
	}, h.events)
}

type eventsInput struct {
	Ref   string `path:"ref"`
	Limit int    `query:"limit" minimum:"1" maximum:"100" default:"20"`
}

// Events are the latest events of a project.
type Events struct {
	Events   []Event `json:"events"`
	Complete bool    `json:"complete" doc:"false if the project's database did not answer in time: what was done is missing then."`
}

// Event is an entry of the audit log in the project's database, or of the project's
// log.
type Event struct {
	ID        string          `json:"id"`
	At        time.Time       `json:"at"`
	Source    string          `json:"source" enum:"audit,log" doc:"audit: something was done, such as a sign-in. log: something was refused or failed."`
	Code      string          `json:"code" doc:"The action of the audit log, such as user_signedup or login, or the code of the log."`
	Level     string          `json:"level" enum:"info,warning,error"`
	Message   string          `json:"message" doc:"Empty for the audit log."`
	UserID    *string         `json:"user_id" doc:"Who did it, or whom it concerns."`
	ActorName string          `json:"actor_name" doc:"Address or number of the user; empty if it is unknown."`
	ClientIP  string          `json:"client_ip"`
	Route     string          `json:"route"`
	RequestID *string         `json:"request_id"`
	Count     int             `json:"count" doc:"How many equal events within a second this one stands for."`
	Detail    json.RawMessage `json:"detail"`
}

// eventsTimeout bounds the time in which a project's database must answer: the others'
// pages must not wait for it.
const eventsTimeout = 3 * time.Second

func (h *Handler) events(ctx context.Context, actor control.Actor, in *eventsInput) (*Events, error) {
	s := h.Service
	p, err := s.Authz.Project(ctx, actor, authz.ReadLogs, in.Ref)
	if err != nil {
		return nil, err
	}
	logged, err := s.DB.ProjectLog(ctx, p.Ref, controldb.LogQuery{Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &Events{Events: []Event{}}
	for _, r := range logged {
		out.Events = append(out.Events, refusalEvent(r))
	}
	if s.Audit != nil {
		ctx, cancel := context.WithTimeout(ctx, eventsTimeout)
		defer cancel()
		done, err := s.Audit(ctx, p.Ref, in.Limit)
		out.Complete = err == nil // a paused or busy project still shows what was refused
		for _, e := range done {
			out.Events = append(out.Events, auditEvent(e))
		}
	}
	slices.SortStableFunc(out.Events, func(a, b Event) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Source, b.Source)) })
	out.Events = out.Events[:min(in.Limit, len(out.Events))]
	return out, nil
}

func refusalEvent(r projectlog.Record) Event {
	w := onWire(r)
	return Event{
		ID: w.ID, At: w.At, Source: "log", Code: w.Code, Level: w.Level, Message: w.Message, UserID: w.UserID, ClientIP: w.ClientIP,
		Route: w.Route, RequestID: w.RequestID, Count: w.Count, Detail: w.Detail,
	}
}

// auditEvent reads an entry that the developer's SQL may have written too.
func auditEvent(e tenantdb.AuditEntry) Event {
	var payload map[string]any
	_ = json.Unmarshal(e.Payload, &payload)
	text := func(name string) string {
		value, _ := payload[name].(string)
		return value
	}
	traits, _ := payload["traits"].(map[string]any)
	out := Event{
		ID: e.ID.String(), At: e.CreatedAt.UTC(), Source: "audit", Code: text("action"), Level: string(projectlog.Info), ActorName: text("actor_username"),
		ClientIP: e.IPAddress, Count: 1, Detail: json.RawMessage("{}"),
	}
	user := text("actor_id")
	if about, ok := traits["user_id"].(string); ok {
		user = about
	}
	if id, err := uuid.Parse(user); err == nil && id != uuid.Nil {
		user = id.String()
		out.UserID = &user
	}
	if raw, err := json.Marshal(traits); err == nil && traits != nil {
		out.Detail = raw
	}
	return out
}
