// Package hook serves what became of the calls of a project's hooks, and tries hooks
// out. Their settings are in config/auth.
package hook

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/reevehq/reeve/internal/web/control"
)

// Handler serves the routes.
type Handler struct {
	Service *Service
}

const path = "/v1/projects/{ref}/auth/hooks"

// Mount registers the routes.
func (h *Handler) Mount(api control.API) {
	control.Register(api, control.Operation{
		ID: "list-hooks", Method: http.MethodGet, Path: path, Tag: "Hooks",
		Summary: "List the hooks of a project, with what became of their last calls",
	}, h.list)
	control.Register(api, control.Operation{
		ID: "list-hook-calls", Method: http.MethodGet, Path: path + "/{point}/calls", Tag: "Hooks",
		Summary: "List the last calls of a hook, the newest first",
	}, h.calls)
	control.Register(api, control.Operation{
		ID: "test-hook", Method: http.MethodPost, Path: path + "/{point}/test", Tag: "Hooks",
		Summary: "Call a hook as it is saved, enabled or not, with a sample user who does not exist; what a function writes is undone",
	}, h.test)
}

// Hook is a hook on the wire.
type Hook struct {
	Point   string `json:"point"`
	Enabled bool   `json:"enabled"`
	URI     string `json:"uri"`
	Mode    string `json:"mode" enum:"fail_closed,fail_open,shadow"`
	Signed  bool   `json:"signed" doc:"Whether there are secrets that requests are signed with."`
	Paused  bool   `json:"paused" doc:"The process that answers does not call the hook for some seconds, because it did not answer several times in a row."`
	Last    *Stats `json:"last" doc:"The kept calls of the last 24 hours, at most 100; null for none."`
}

// Stats are calls, counted. Durations are in milliseconds.
type Stats struct {
	Calls     int       `json:"calls"`
	Failed    int       `json:"failed"`
	Refused   int       `json:"refused"`
	MedianMS  float64   `json:"median_ms"`
	SlowestMS float64   `json:"slowest_ms"`
	At        time.Time `json:"at" doc:"Time of the last call."`
	Error     string    `json:"error" doc:"Of the last call that failed."`
}

// Call is a call on the wire.
type Call struct {
	ID         string    `json:"id"`
	At         time.Time `json:"at"`
	DurationMS float64   `json:"duration_ms"`
	Outcome    string    `json:"outcome" enum:"ok,refused,failed,timeout,skipped"`
	Mode       string    `json:"mode" enum:"fail_closed,fail_open,shadow"`
	Error      string    `json:"error"`
	Status     int       `json:"status" doc:"HTTP status of a URL's answer; 0 for none."`
	RequestID  string    `json:"request_id"`
}

// Test is what came of a test.
type Test struct {
	Outcome    string          `json:"outcome" enum:"ok,refused,failed,timeout"`
	DurationMS float64         `json:"duration_ms"`
	Status     int             `json:"status" doc:"HTTP status of a URL's answer; 0 for none."`
	Error      string          `json:"error"`
	Payload    json.RawMessage `json:"payload,omitempty" doc:"What was sent; left out if nothing was."`
	Answer     string          `json:"answer" doc:"The beginning of what came back."`
}

type listInput struct {
	Ref string `path:"ref"`
}

type callsInput struct {
	Ref   string `path:"ref"`
	Point string `path:"point" enum:"before_user_created,after_user_created,custom_access_token,mfa_verification_attempt,password_verification_attempt"`
	Limit int    `query:"limit" minimum:"1" maximum:"100" default:"50"`
}

type testInput struct {
	Ref   string `path:"ref"`
	Point string `path:"point" enum:"before_user_created,after_user_created,custom_access_token,mfa_verification_attempt,password_verification_attempt"`
}

func (h *Handler) list(ctx context.Context, actor control.Actor, in *listInput) (*[]Hook, error) {
	list, err := h.Service.List(ctx, actor, in.Ref)
	return &list, err
}

func (h *Handler) calls(ctx context.Context, actor control.Actor, in *callsInput) (*[]Call, error) {
	found, err := h.Service.Calls(ctx, actor, in.Ref, in.Point, in.Limit)
	if err != nil {
		return nil, err
	}
	out := make([]Call, len(found))
	for i, c := range found {
		out[i] = Call{
			ID: c.ID.String(), At: c.At.UTC(), DurationMS: millis(c.Duration), Outcome: c.Outcome, Mode: c.Mode, Error: c.Error,
			Status: c.Status, RequestID: c.RequestID,
		}
	}
	return &out, nil
}

func (h *Handler) test(ctx context.Context, actor control.Actor, in *testInput) (*Test, error) {
	t, err := h.Service.Test(ctx, actor, in.Ref, in.Point)
	if err != nil {
		return nil, err
	}
	return &Test{
		Outcome: string(t.Outcome), DurationMS: millis(t.Duration), Status: t.Status, Error: t.Error, Payload: t.Payload, Answer: t.Answer,
	}, nil
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
