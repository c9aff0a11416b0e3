package sso

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/internal/saml"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Bounds of what an attempt keeps.
const (
	maxStatements = 100
	maxValues     = 20
	maxValue      = 300 // bytes
	maxSteps      = 100
)

// trail is what happens in one attempt, for the connection's log.
type trail struct {
	id uuid.UUID
	auth.SSOAttempt
}

// newTrail begins the trail of an attempt.
func (s Service) newTrail(sc *tenants.Scope, id uuid.UUID, kind string) *trail {
	return &trail{id: id, SSOAttempt: auth.SSOAttempt{
		ID: id, At: s.Now(), Kind: kind, Outcome: auth.AttemptBegun, IP: sc.ClientAddress(), Detail: auth.AttemptDetail{Steps: []auth.AttemptStep{}},
	}}
}

func (t *trail) dry() bool { return t.Kind == auth.AttemptDryRun }

// step notes a check, and returns its error.
func (t *trail) step(check string, err error) error {
	if len(t.Detail.Steps) < maxSteps {
		t.Detail.Steps = append(t.Detail.Steps, auth.AttemptStep{Check: check, OK: err == nil, Reason: reasonOf(err)})
	}
	return err
}

// report notes the checks of a SAML message.
func (t *trail) report(r saml.Report) {
	for _, step := range r {
		if len(t.Detail.Steps) < maxSteps {
			t.Detail.Steps = append(t.Detail.Steps, auth.AttemptStep{Check: string(step.Check), OK: step.OK, Reason: step.Reason})
		}
	}
}

// person notes whom the provider named. Values of its statements are kept of a dry run
// only: they are personal data.
func (t *trail) person(a *said, who *person) {
	t.Detail.Subject, t.Detail.Email, t.Detail.Groups = clip(a.subject), who.Email, some(who.groups)
	t.Detail.Statements = map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(a.all)) {
		if len(t.Detail.Statements) == maxStatements {
			break
		}
		if t.dry() {
			t.Detail.Statements[clip(name)] = some(a.all[name])
		} else {
			t.Detail.Statements[clip(name)] = []string{}
		}
	}
	if t.dry() {
		t.Detail.UserMetadata, t.Detail.AppMetadata = who.Data, who.app
	}
}

func some(values []string) []string {
	out := make([]string, 0, min(len(values), maxValues))
	for _, v := range values[:min(len(values), maxValues)] {
		out = append(out, clip(v))
	}
	return out
}

// clip bounds a text, which jsonb must be able to hold.
func clip(s string) string {
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "")
	if len(s) > maxValue {
		s = strings.ToValidUTF8(s[:maxValue], "") + "…"
	}
	return s
}

// reasonOf is an error in the words of the log.
func reasonOf(err error) string {
	var r *saml.Refusal
	switch {
	case err == nil:
		return ""
	case errors.As(err, &r):
		return r.Reason
	}
	reason := fault.From(err).Message
	if cause := causeOf(err); cause != "" {
		reason += " (" + clip(cause) + ")"
	}
	return reason
}

// causeOf is what an OpenID provider answered, without secrets, or what is wrong with
// its token; "" where neither is the reason. The app is not told.
func causeOf(err error) string {
	for _, of := range []*fault.Error{connector.ErrExchange, connector.ErrIDToken, connector.ErrProfile} {
		if !errors.Is(err, of) {
			continue
		}
		for f := (*fault.Error)(nil); errors.As(err, &f); err = f.Err {
			if f.Err == nil {
				return "" // its message says all
			}
		}
		return err.Error()
	}
	return ""
}

// keep writes how the attempt ended. A failure to write it fails nothing: it is in the
// log of the process.
func (s Service) keep(ctx context.Context, sc *tenants.Scope, t *trail, user uuid.UUID, err error) {
	t.Outcome, t.Reason = auth.AttemptAccepted, ""
	if err != nil {
		t.Outcome, t.Reason = auth.AttemptRefused, reasonOf(err)
	}
	if user != uuid.Nil {
		t.User = &user
	}
	if t.Provider == nil {
		return // of no connection: the project's log has it
	}
	if err := sc.DB.Do(context.WithoutCancel(ctx), func(tx *tenantdb.Tx) error { return tx.PutSSOAttempt(ctx, &t.SSOAttempt) }); err != nil {
		sc.Log.Add(ctx, projectlog.Entry{
			Level: projectlog.Warning, Code: "sso_attempt_lost", Message: "An attempt to sign in by a connection could not be noted.",
			Detail: map[string]any{"attempt": t.id.String(), "error": fault.From(err).Message},
		})
	}
}

// AttemptPage selects attempts: at most a number, before a time or the newest.
type AttemptPage struct {
	Before time.Time
	Most   int
}

// Attempts returns the attempts of a connection, the newest first.
func (s Service) Attempts(ctx context.Context, sc *tenants.Scope, provider uuid.UUID, page AttemptPage) (list []auth.SSOAttempt, err error) {
	before := page.Before
	if before.IsZero() {
		before = s.Now().AddDate(1, 0, 0)
	}
	err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) error {
		if _, err := tx.SSOProvider(ctx, provider, false); err != nil {
			return err
		}
		list, err = tx.SSOAttempts(ctx, provider, before, page.Most)
		return err
	})
	if list == nil {
		list = []auth.SSOAttempt{}
	}
	return list, err
}
