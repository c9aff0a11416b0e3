package user

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
)

// bulkTime is how long a bulk request works on; the users that are left then are
// answered as not attempted, before the request's time limit ends everything.
const bulkTime = 18 * time.Second

// BulkBody is a change of many users.
type BulkBody struct {
	Action   string   `json:"action" enum:"ban,unban,delete,sign_out"`
	IDs      []string `json:"ids" minItems:"1" maxItems:"1000"`
	Duration string   `json:"duration,omitempty" maxLength:"50" doc:"Of a ban: such as 24h; forever is a hundred years."`
	Soft     bool     `json:"soft,omitempty" doc:"Of a deletion: keep the rows and their ids."`
}

type bulkInput struct {
	Ref  string `path:"ref"`
	Body BulkBody
}

// BulkResult is what became of each user, in the order of the request.
type BulkResult struct {
	Results      []Outcome `json:"results"`
	Done         int       `json:"done"`
	Failed       int       `json:"failed"`
	NotAttempted int       `json:"not_attempted" doc:"The time did not suffice: send the request again with these ids."`
}

// Outcome is what became of a user.
type Outcome struct {
	ID      string `json:"id"`
	Result  string `json:"result" enum:"done,failed,not_attempted"`
	Code    string `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
}

// Bulk changes many users, each in a transaction of its own, so that one whom a
// trigger keeps holds up no other.
func (s *Service) Bulk(ctx context.Context, actor authz.Actor, ref string, b BulkBody) (*BulkResult, error) {
	sc, err := s.open(ctx, actor, authz.WriteUsers, ref)
	if err != nil {
		return nil, err
	}
	change, err := s.bulkChange(sc, b)
	if err != nil {
		return nil, err
	}
	out := &BulkResult{Results: make([]Outcome, len(b.IDs))}
	seen := map[uuid.UUID]bool{}
	end := time.Now().Add(bulkTime) // not the service's clock: it bounds this request
	for n, id := range b.IDs {
		parsed, ok := parseID(id)
		if !ok || seen[parsed] {
			return nil, text.Invalid("ids[%d]: must be the id of a user, and once", n)
		}
		seen[parsed] = true
	}
	for n, id := range b.IDs {
		o := &out.Results[n]
		o.ID, o.Result = id, "not_attempted"
		if time.Now().After(end) || ctx.Err() != nil {
			out.NotAttempted++
			continue
		}
		err := explain(ctx, sc, change(ctx, uuid.MustParse(id)))
		f := fault.From(err)
		switch {
		case err == nil:
			o.Result = "done"
			out.Done++
		case ctx.Err() != nil || errors.Is(err, context.Canceled):
			out.NotAttempted++
		default:
			o.Result, o.Code, o.Message = "failed", f.Code, f.Message
			if f.Kind == fault.Internal {
				o.Code, o.Message = "unexpected_failure", "Internal server error"
			}
			out.Failed++
		}
	}
	control.Outcome(ctx, map[string]any{"done": out.Done, "failed": out.Failed, "not_attempted": out.NotAttempted})
	return out, nil
}

// bulkChange is what is done to each user.
func (s *Service) bulkChange(sc *tenants.Scope, b BulkBody) (func(context.Context, uuid.UUID) error, error) {
	if b.Action != "ban" && b.Duration != "" {
		return nil, text.Invalid("duration: is of a ban")
	}
	if b.Action != "delete" && b.Soft {
		return nil, text.Invalid("soft: is of a deletion")
	}
	ban := Attributes{BanDuration: banDuration(b.Duration)}
	switch b.Action {
	case "delete":
		return func(ctx context.Context, id uuid.UUID) error { return s.Accounts.Delete(ctx, sc, id, b.Soft, nil) }, nil
	case "sign_out":
		return func(ctx context.Context, id uuid.UUID) error { return s.Accounts.EndSessions(ctx, sc, id) }, nil
	case "unban":
		ban.BanDuration = unbanned
	default:
		if d, err := time.ParseDuration(ban.BanDuration); err != nil || d <= 0 {
			return nil, text.Invalid("duration: must be forever or a duration such as 24h")
		}
	}
	return func(ctx context.Context, id uuid.UUID) error {
		_, err := s.Accounts.Update(ctx, sc, id, ban, nil)
		return err
	}, nil
}

// recordedBulk is a bulk request for the audit log: the project's own log has an entry
// for each user.
func recordedBulk(request map[string]any) map[string]any {
	out := map[string]any{}
	for _, name := range []string{"action", "duration", "soft"} {
		if value, ok := request[name]; ok {
			out[name] = value
		}
	}
	if ids, ok := request["ids"].([]any); ok {
		out["users"] = len(ids)
		out["ids"] = ids[:min(len(ids), maxRecorded)]
	}
	return out
}
