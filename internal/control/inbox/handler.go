// Package inbox serves the messages that were captured instead of sent: a list
// of the newest, and a way to empty it. It does not capture messages.
package inbox

import (
	"context"
	"net/http"
	"time"

	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/web/control"
)

// Handler serves the inbox's routes.
type Handler struct {
	Service *Service
}

// Mount registers the routes.
func (h *Handler) Mount(api control.API) {
	control.Register(api, control.Operation{
		ID: "list-inbox", Method: http.MethodGet, Path: "/v1/projects/{ref}/inbox",
		Summary: "List the captured messages of a project, the newest first", Tag: "Inbox",
	}, h.list)
	control.Register(api, control.Operation{
		ID: "empty-inbox", Method: http.MethodDelete, Path: "/v1/projects/{ref}/inbox",
		Summary: "Delete the captured messages of a project", Tag: "Inbox",
	}, h.empty)
}

// PlatformHandler serves the inbox of the platform project.
type PlatformHandler struct {
	Service *Service
}

// Mount registers the route.
func (h *PlatformHandler) Mount(api control.API) {
	control.Register(api, control.Operation{
		ID: "list-platform-inbox", Method: http.MethodGet, Path: "/v1/operator/inbox",
		Summary: "List the captured messages to people who sign in to this server, the newest first; reeve dev captures them", Tag: "Operator",
	}, h.list)
}

// Message is a captured message on the wire.
type Message struct {
	ID        string    `json:"id"`
	Channel   string    `json:"channel" enum:"email,sms,whatsapp"`
	To        string    `json:"to"`
	Subject   string    `json:"subject"`
	HTML      string    `json:"html"`
	Text      string    `json:"text"`
	Links     []string  `json:"links"`
	Code      string    `json:"code"`
	CreatedAt time.Time `json:"created_at"`
}

// Emptied is the answer to empty.
type Emptied struct {
	Deleted int64 `json:"deleted"`
}

type listInput struct {
	Ref   string `path:"ref"`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

type emptyInput struct {
	Ref string `path:"ref"`
}

func (h *Handler) list(ctx context.Context, actor control.Actor, in *listInput) (*[]Message, error) {
	found, err := h.Service.List(ctx, actor, in.Ref, in.Limit)
	if err != nil {
		return nil, err
	}
	return onWire(found), nil
}

type platformInput struct {
	Limit int `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

func (h *PlatformHandler) list(ctx context.Context, actor control.Actor, in *platformInput) (*[]Message, error) {
	found, err := h.Service.Platform(ctx, actor, in.Limit)
	if err != nil {
		return nil, err
	}
	return onWire(found), nil
}

func onWire(found []message.Message) *[]Message {
	out := make([]Message, len(found))
	for i, m := range found {
		out[i] = Message{
			ID: m.ID.String(), Channel: string(m.Channel), To: m.To, Subject: m.Subject, HTML: m.HTML, Text: m.Text,
			Links: m.Links, Code: m.Code, CreatedAt: m.CreatedAt.UTC(),
		}
	}
	return &out
}

func (h *Handler) empty(ctx context.Context, actor control.Actor, in *emptyInput) (*Emptied, error) {
	n, err := h.Service.Empty(ctx, actor, in.Ref)
	return &Emptied{Deleted: n}, err
}
