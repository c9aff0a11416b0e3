// Package auditlog serves the control plane's audit log of an organization: list
// and verify. The entries are written by internal/web/control.
package auditlog

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
)

// Service implements the rules.
type Service struct {
	DB    *controldb.DB
	Authz *authz.Authorizer
}

// Handler serves the routes.
type Handler struct {
	Service *Service
}

const path = "/v1/organizations/{slug}/audit-logs"

// Mount registers the routes.
func (h *Handler) Mount(api control.API) {
	control.Register(api, control.Operation{
		ID: "list-audit-logs", Method: http.MethodGet, Path: path,
		Summary: "List what was done in an organization, the newest first", Tag: "Audit",
	}, h.list)
	control.Register(api, control.Operation{
		ID: "verify-audit-logs", Method: http.MethodGet, Path: path + "/verify",
		Summary: "Check that no entry was changed, removed or inserted", Tag: "Audit",
	}, h.verify)
}

// Entry is an entry on the wire.
type Entry struct {
	Seq       int64           `json:"seq" doc:"Number in the organization's log, from 1."`
	ID        string          `json:"id"`
	At        time.Time       `json:"at"`
	Actor     *string         `json:"actor" doc:"Id of the user, or of the service token; null for somebody without an account."`
	Token     *string         `json:"token" doc:"Id of the access token; null for a session."`
	Service   *string         `json:"service_token" doc:"Name of the service token, whose id is the actor's, or of a sender without an account; null for a person."`
	Action    string          `json:"action" doc:"The operation's id in this document."`
	Object    string          `json:"object" doc:"The request's path."`
	Ref       *string         `json:"ref"`
	Result    string          `json:"result" enum:"done,refused,failed,unknown"`
	Code      *string         `json:"code" doc:"Of a refusal or failure."`
	IP        *string         `json:"ip"`
	RequestID string          `json:"request_id"`
	Detail    json.RawMessage `json:"detail" doc:"The request and, where known, what was before; secrets are redacted."`
}

// List is a page of entries.
type List struct {
	Entries []Entry `json:"entries"`
	Next    *int64  `json:"next" doc:"Pass it as before for the next page; null on the last."`
}

// Verdict is what a check found.
type Verdict struct {
	Valid   bool   `json:"valid"`
	Entries int64  `json:"entries" doc:"How many are whole, from the first on."`
	Broken  *int64 `json:"broken" doc:"Number of the first entry that is not what was written, or is missing."`
	Reason  string `json:"reason,omitempty"`
}

type listInput struct {
	Slug   string    `path:"slug"`
	Ref    string    `query:"ref" maxLength:"20"`
	Actor  string    `query:"actor" maxLength:"36"`
	Action string    `query:"action" maxLength:"100"`
	Result string    `query:"result" enum:"done,refused,failed,unknown"`
	Text   string    `query:"text" maxLength:"200" doc:"Part of the entry: of the path, the request, a name or an address."`
	From   time.Time `query:"from"`
	To     time.Time `query:"to"`
	Before int64     `query:"before" minimum:"0"`
	Limit  int       `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

type verifyInput struct {
	Slug string `path:"slug"`
}

func (h *Handler) list(ctx context.Context, actor control.Actor, in *listInput) (*List, error) {
	s := h.Service
	org, err := s.Authz.Organization(ctx, actor, authz.ReadAudit, in.Slug)
	if err != nil {
		return nil, err
	}
	f := controldb.AuditFilter{
		Ref: tenants.Ref(in.Ref), Action: in.Action, Result: controldb.AuditResult(in.Result),
		From: in.From, To: in.To, Text: in.Text, Before: in.Before, Limit: in.Limit,
	}
	if in.Actor != "" {
		if f.Actor, err = uuid.Parse(in.Actor); err != nil {
			return nil, text.Invalid("actor: must be the id of a user")
		}
	}
	found, err := s.DB.AuditLog(ctx, org.ID, f)
	if err != nil {
		return nil, err
	}
	out := &List{Entries: make([]Entry, len(found))}
	for i, e := range found {
		out.Entries[i] = onWire(e)
	}
	if len(found) == in.Limit && found[len(found)-1].Seq > 1 {
		out.Next = &found[len(found)-1].Seq
	}
	return out, nil
}

func (h *Handler) verify(ctx context.Context, actor control.Actor, in *verifyInput) (*Verdict, error) {
	org, err := h.Service.Authz.Organization(ctx, actor, authz.ReadAudit, in.Slug)
	if err != nil {
		return nil, err
	}
	v, err := h.Service.DB.VerifyAudit(ctx, org.ID)
	out := &Verdict{Valid: v.Broken == 0, Entries: v.Entries, Reason: v.Reason}
	if v.Broken != 0 {
		out.Broken = &v.Broken
	}
	return out, err
}

func onWire(e controldb.NumberedAuditEntry) Entry {
	return Entry{
		Seq: e.Seq, ID: e.ID.String(), At: e.At, Actor: optionalID(e.Actor), Token: optionalID(e.Token), Action: e.Action, Object: e.Object,
		Result: string(e.Result), RequestID: e.RequestID, Detail: e.Detail,
		Ref: optional(string(e.Ref)), Code: optional(e.Code), IP: optional(e.IP), Service: optional(e.Service),
	}
}

func optionalID(id uuid.UUID) *string {
	if id == uuid.Nil {
		return nil
	}
	return optional(id.String())
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
