package user

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Event is an entry of a user's timeline.
type Event struct {
	ID        string          `json:"id"`
	At        time.Time       `json:"at"`
	Source    string          `json:"source" enum:"audit,log" doc:"The audit log of the project, or its log: what was refused or failed."`
	Code      string          `json:"code" doc:"The action of the audit log, or the code of the log."`
	Level     string          `json:"level" enum:"info,warning,error"`
	Message   string          `json:"message" doc:"\"\" for entries of the audit log."`
	ActorID   string          `json:"actor_id" doc:"Who did it: the user, a member of the organization, or nobody for a secret key."`
	ActorName string          `json:"actor_name"`
	ClientIP  string          `json:"client_ip"`
	Route     string          `json:"route"`
	RequestID *string         `json:"request_id"`
	Count     int             `json:"count" doc:"How many equal events within a second this one stands for."`
	Detail    json.RawMessage `json:"detail"`
}

// Timeline is a part of a user's timeline.
type Timeline struct {
	Events   []Event `json:"events"`
	Next     *string `json:"next" doc:"The cursor of the next page, with older events; null on the last one."`
	Complete bool    `json:"complete" doc:"false while only the newest entries of a large audit log are searched; an index is being made then."`
}

type timelineInput struct {
	Ref    string `path:"ref"`
	ID     string `path:"id"`
	Source string `query:"source" enum:"audit,log"`
	Cursor string `query:"cursor" maxLength:"300"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"50"`
}

// The sources, in the order of entries with the same time.
const (
	sourceAudit = "audit"
	sourceLog   = "log"
)

// moment is a place in a timeline: after an event.
type moment struct {
	At     time.Time `json:"a"`
	Source string    `json:"s"`
	ID     uuid.UUID `json:"i"`
}

func (m *moment) encode() string {
	raw, _ := json.Marshal(m) // of plain values
	return base64.RawURLEncoding.EncodeToString(raw)
}

func decodeMoment(given string) (*moment, error) {
	raw, err := base64.RawURLEncoding.DecodeString(given)
	if err != nil {
		return nil, errCursor.Because(err)
	}
	m := &moment{}
	if err := json.Unmarshal(raw, m); err != nil {
		return nil, errCursor.Because(err)
	}
	if m.Source != sourceAudit && m.Source != sourceLog || m.At.Year() < 1 || m.At.Year() > 9999 {
		return nil, errCursor
	}
	return m, nil
}

// Timeline merges the entries about a user of the project's audit log and of its log.
func (s *Service) Timeline(ctx context.Context, actor authz.Actor, in *timelineInput) (*Timeline, error) {
	sc, user, err := s.openUser(ctx, actor, authz.ReadUsers, in.Ref, in.ID)
	if err != nil {
		return nil, err
	}
	var after *moment
	if in.Cursor != "" {
		if after, err = decodeMoment(in.Cursor); err != nil {
			return nil, err
		}
	}
	out := &Timeline{Events: []Event{}, Complete: true}
	u, entries, err := s.audited(ctx, sc, user, in, after, out)
	if err != nil {
		return nil, err
	}
	var records []projectlog.Record
	if in.Source != sourceAudit {
		if records, err = s.DB.ProjectLogOfUser(ctx, sc.Tenant.Ref, about(sc, u).before(after, in.Limit+1)); err != nil {
			return nil, err
		}
	}
	for _, e := range entries {
		out.Events = append(out.Events, ofAudit(e))
	}
	for _, r := range records {
		out.Events = append(out.Events, ofLog(r))
	}
	slices.SortFunc(out.Events, func(a, b Event) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Source, b.Source), cmp.Compare(a.ID, b.ID))
	})
	if len(out.Events) > in.Limit {
		out.Events = out.Events[:in.Limit]
		last := out.Events[in.Limit-1]
		next := (&moment{At: last.At, Source: last.Source, ID: uuid.MustParse(last.ID)}).encode()
		out.Next = &next
	}
	return out, nil
}

// audited reads the user and the entries of the project's audit log.
func (s *Service) audited(ctx context.Context, sc *tenants.Scope, user uuid.UUID, in *timelineInput, after *moment, out *Timeline) (u auth.User, entries []tenantdb.AuditEntry, err error) {
	q := tenantdb.AuditOfUserQuery{User: user, Limit: in.Limit + 1}
	if after != nil {
		q.Until = after.At
		if after.Source == sourceAudit {
			q.After = &after.ID
		}
	}
	var indexed, needed bool
	err = sc.DB.Tx(ctx, func(tx *tenantdb.Tx) (err error) {
		if err := tx.Limited(ctx, pageTimeout); err != nil {
			return err
		}
		if u, err = tx.UserByID(ctx, user, false); err != nil || in.Source == sourceLog {
			return err
		}
		if indexed, needed, err = tx.AuditIndexed(ctx); err != nil {
			return err
		}
		entries, err = tx.AuditOfUser(ctx, q, indexed)
		return err
	})
	if needed && !indexed {
		out.Complete = false
		_ = s.Index(ctx, sc.Tenant.Ref, IndexAudit) // the answer says that it is not complete
	}
	return u, entries, slow(err)
}

// before selects what follows a place in the timeline.
func (q logQuery) before(after *moment, limit int) controldb.UserLogQuery {
	out := controldb.UserLogQuery{User: q.user, Subjects: q.subjects, Limit: limit}
	if after != nil {
		out.Until = after.At
		out.UntilIncluded = after.Source == sourceAudit // those follow the entries of the audit log
		if after.Source == sourceLog {
			out.After = after.ID
		}
	}
	return out
}

func ofAudit(e tenantdb.AuditEntry) Event {
	var p struct {
		Action        string          `json:"action"`
		ActorID       string          `json:"actor_id"`
		ActorUsername string          `json:"actor_username"`
		Traits        json.RawMessage `json:"traits"`
	}
	_ = json.Unmarshal(e.Payload, &p) // the developer's SQL may write anything
	if len(p.Traits) == 0 {
		p.Traits = json.RawMessage("{}")
	}
	return Event{
		ID: e.ID.String(), At: e.CreatedAt.UTC(), Source: sourceAudit, Code: p.Action, Level: string(projectlog.Info),
		ActorID: p.ActorID, ActorName: p.ActorUsername, ClientIP: e.IPAddress, Count: 1, Detail: p.Traits,
	}
}

func ofLog(r projectlog.Record) Event {
	e := Event{
		ID: r.ID.String(), At: r.At, Source: sourceLog, Code: r.Code, Level: string(r.Level), Message: r.Message,
		ClientIP: r.ClientIP, Route: r.Route, Count: r.Count, Detail: r.Detail,
	}
	if len(r.RequestIDs) > 0 {
		e.RequestID = &r.RequestIDs[0]
	}
	return e
}

// logQuery names a user in the project's log.
type logQuery struct {
	user     uuid.UUID
	subjects []string
}

// about is how the project's log names a user: by id, and by digests of the addresses
// that requests named.
func about(sc *tenants.Scope, u auth.User) logQuery {
	q := logQuery{user: u.ID, subjects: []string{}}
	for _, contact := range []string{u.Email, u.Phone, u.NewEmail, u.NewPhone} {
		if contact != "" {
			q.subjects = append(q.subjects, sc.Tenant.LogSubject(contact))
		}
	}
	return q
}

// refusedWithin is the time in which refusals are counted.
const refusedWithin = 24 * time.Hour

// lastRefused summarizes the refusals of a user.
func (s *Service) lastRefused(ctx context.Context, sc *tenants.Scope, u *auth.User) (*Refusal, error) {
	q := about(sc, *u)
	last, count, err := s.DB.LastRefusal(ctx, sc.Tenant.Ref, controldb.UserLogQuery{User: q.user, Subjects: q.subjects}, refusedWithin)
	if err != nil || last == nil {
		return nil, err
	}
	return &Refusal{At: last.At, Code: last.Code, Message: last.Message, ClientIP: last.ClientIP, Route: last.Route, Count: count}, nil
}
