// Package logs serves the log of a project: what its developers should know about
// requests that failed and mails that were not delivered. It only reads;
// internal/projectlog collects the entries.
package logs

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/internal/web/control"
)

// Handler serves the log's route.
type Handler struct {
	Service *Service
}

// Mount registers the routes.
func (h *Handler) Mount(api control.API) {
	control.Register(api, control.Operation{
		ID: "list-project-logs", Method: http.MethodGet, Path: "/v1/projects/{ref}/logs",
		Summary: "List the entries of a project's log, the newest first", Tag: "Logs",
	}, h.list)
	control.RegisterStream(api, control.Operation{
		ID: "tail-project-logs", Method: http.MethodGet, Path: "/v1/projects/{ref}/logs/tail",
		Summary: "Follow a project's log: server-sent events, each an entry", Tag: "Logs",
	}, h.tail)
	h.mountEvents(api)
}

// Page is a part of a log.
type Page struct {
	Logs []Entry `json:"logs"`
	Next *string `json:"next" doc:"The before of the next page, with older entries; null on the last one."`
}

// Entry is an entry on the wire.
type Entry struct {
	ID         string          `json:"id"`
	At         time.Time       `json:"at" doc:"Of the first of count."`
	Level      string          `json:"level" enum:"info,warning,error"`
	Code       string          `json:"code"`
	Message    string          `json:"message"`
	RequestID  *string         `json:"request_id" doc:"The X-Request-Id of the answer."`
	RequestIDs []string        `json:"request_ids" doc:"Of the first of count, request_id included."`
	UserID     *string         `json:"user_id"`
	Route      string          `json:"route"`
	ClientIP   string          `json:"client_ip"`
	Detail     json.RawMessage `json:"detail"`
	Count      int             `json:"count" doc:"How many equal entries within a second this one stands for."`
}

// Filter selects entries.
type Filter struct {
	Ref       string `path:"ref"`
	RequestID string `query:"request_id" maxLength:"200"`
	UserID    string `query:"user_id" format:"uuid"`
	Level     string `query:"level" enum:"info,warning,error" default:"info" doc:"The least level."`
	Code      string `query:"code" maxLength:"100"`
	Text      string `query:"text" maxLength:"200" doc:"Part of the message or of the detail."`
}

type listInput struct {
	Filter
	Since  time.Time `query:"since"`
	Until  time.Time `query:"until" doc:"Exclusive."`
	ID     string    `query:"id" format:"uuid" doc:"The id of the only entry to list."`
	Before string    `query:"before" format:"uuid" doc:"The id of an entry: older ones are listed."`
	After  string    `query:"after" format:"uuid" doc:"The id of an entry: newer ones are listed."`
	Limit  int       `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

func (h *Handler) list(ctx context.Context, actor control.Actor, in *listInput) (*Page, error) {
	found, more, err := h.Service.List(ctx, actor, in)
	if err != nil {
		return nil, err
	}
	out := &Page{Logs: make([]Entry, len(found))}
	for i, r := range found {
		out.Logs[i] = onWire(r)
	}
	if more {
		out.Next = &out.Logs[len(out.Logs)-1].ID
	}
	return out, nil
}

func onWire(r projectlog.Record) Entry {
	e := Entry{
		ID: r.ID.String(), At: r.At, Level: string(r.Level), Code: r.Code, Message: r.Message, RequestIDs: r.RequestIDs,
		Route: r.Route, ClientIP: r.ClientIP, Detail: r.Detail, Count: r.Count,
	}
	if len(r.RequestIDs) > 0 {
		e.RequestID = &r.RequestIDs[0]
	}
	if r.UserID != nil {
		id := r.UserID.String()
		e.UserID = &id
	}
	return e
}
