package control

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/fault"
)

// The audit log of the control plane. An operation that may change something is
// noted before it runs, and appended to the log of the organization that it
// concerns once it has ended, before the answer is sent. What a killed process
// leaves is appended later, with an unknown result. A member's refused request is
// appended too; what strangers ask for is not, because they could fill
// anybody's log.

// maxAuditDetail bounds the request in an entry, in bytes.
const maxAuditDetail = 8 << 10

// auditTimeout bounds the writing of an entry.
const auditTimeout = 5 * time.Second

type noteKey struct{}

// note is what an operation adds to its entry.
type note struct{ before, outcome map[string]any }

// Before records, for the audit log, what an operation is about to replace:
// member names and values, without secrets. Values of the request are recorded
// anyway.
func Before(ctx context.Context, values map[string]any) {
	if at, ok := ctx.Value(noteKey{}).(*note); ok {
		at.before = values
	}
}

// Outcome records, for the audit log, what an operation has done, where that is not
// what the request says.
func Outcome(ctx context.Context, values map[string]any) {
	if at, ok := ctx.Value(noteKey{}).(*note); ok {
		at.outcome = values
	}
}

// Digest is how the audit log has a text that may hold secrets anywhere.
func Digest(text string) map[string]any {
	sum := sha256.Sum256([]byte(text))
	return map[string]any{"bytes": len(text), "sha256": hex.EncodeToString(sum[:])}
}

// audited runs an operation and writes its entry.
func audited[Out any](ctx context.Context, s *Server, op Operation, run func(context.Context) (Out, error)) (Out, error) {
	var decision authz.Decision
	var added note
	ctx = context.WithValue(authz.Observe(ctx, &decision), noteKey{}, &added)
	changes := op.Method != http.MethodGet && !op.Reads || op.Audited
	r, actor := requestOf(ctx), actorOf(ctx)
	e := controldb.AuditEntry{
		ID: uuid.New(), At: s.now(), Actor: actor.UserID, Token: actor.TokenID, Action: op.ID, Object: fault.Clip(r.path, maxField),
		IP: r.ip, RequestID: fault.Clip(r.id, maxField), Detail: detailOf(op, r.body, note{}),
	}
	if actor.Service != nil {
		e.Service = fault.Clip(actor.Service.Name, maxField)
	}
	if changes {
		if err := s.DB.BeginAudit(ctx, e); err != nil {
			var none Out
			return none, err
		}
	}
	out, err := run(ctx)
	e.OrganizationID, e.Ref, e.Detail = decision.Organization, decision.Project, detailOf(op, r.body, added)
	switch f := fault.From(err); {
	case err == nil:
		e.Result = controldb.AuditDone
	case f.Kind == fault.Internal || f.Kind == fault.Unavailable:
		e.Result, e.Code = controldb.AuditFailed, f.Code
	default:
		e.Result, e.Code = controldb.AuditRefused, f.Code
	}
	forbidden := e.Result == controldb.AuditRefused && fault.From(err).Kind == fault.Forbidden
	s.endAudit(ctx, e, changes, changes && (!r.dryRun || err != nil) && (decision.Member || err == nil) || forbidden && decision.Member)
	return out, err
}

// DryRun says that the operation only shows what it would change: it gets no entry
// in the audit log.
func DryRun(ctx context.Context) { requestOf(ctx).dryRun = true }

// endAudit appends the entry, or drops what was noted. A failure leaves the note,
// which is appended later.
func (s *Server) endAudit(ctx context.Context, e controldb.AuditEntry, begun, keep bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditTimeout)
	defer cancel()
	var err error
	switch {
	case keep:
		err = s.DB.EndAudit(ctx, e)
	case begun:
		err = s.DB.DropAudit(ctx, e.ID)
	}
	if err != nil {
		s.Log.ErrorContext(ctx, "audit entry is not written", "request_id", e.RequestID, "operation", e.Action, "error", err)
	}
}

// detailOf is the request and what the operation adds, without secrets.
func detailOf(op Operation, body []byte, added note) json.RawMessage {
	detail := map[string]any{}
	var request any
	if len(body) > 0 && json.Unmarshal(body, &request) == nil {
		members, object := request.(map[string]any)
		switch {
		case op.Recorded == nil:
			detail["request"] = withoutSecrets(request)
		case object:
			detail["request"] = op.Recorded(members)
		}
	}
	if added.before != nil {
		detail["before"] = withoutSecrets(added.before)
	}
	if added.outcome != nil {
		detail["outcome"] = withoutSecrets(added.outcome)
	}
	raw, err := json.Marshal(detail)
	if err == nil && len(raw) > maxAuditDetail {
		raw, err = json.Marshal(clipped(detail)) // a long template hides no other change
	}
	if err != nil || len(raw) > maxAuditDetail {
		return json.RawMessage(`{"request":"too large"}`)
	}
	return raw
}

// clipped shortens the texts of a decoded JSON value.
func clipped(v any) any {
	switch v := v.(type) {
	case string:
		return fault.Clip(v, maxField)
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, value := range v {
			out[fault.Clip(name, maxField)] = clipped(value)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = clipped(v[i])
		}
		return out
	}
	return v
}

// withoutSecrets replaces the values of members whose name is one of a secret.
func withoutSecrets(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, value := range v {
			if secretName(name) {
				value = redacted(value)
			}
			out[name] = withoutSecrets(value)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = withoutSecrets(v[i])
		}
		return out
	}
	return v
}

// redacted hides a value that may be a secret. Numbers and switches are none, such
// as the least length of a password.
func redacted(v any) any {
	switch v.(type) {
	case nil, bool, float64, int, int64:
		return v
	}
	return "redacted"
}

// secretName reports whether a member may hold a secret. It errs on the side of
// yes.
func secretName(name string) bool {
	name = strings.ToLower(name)
	for _, part := range []string{"secret", "pass", "token", "private", "jwk", "credential", "api_key", "auth_key", "access_key", "query"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return name == "key" || name == "d" || name == "k"
}
