package setuplink

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// The limits of one link: of all requests, and of those that send something out.
var (
	visits   = ratelimit.Rule{Name: "setup_link", Events: 300, Per: 5 * time.Minute, Burst: 100}
	mails    = ratelimit.Rule{Name: "setup_link/mails", Events: 6, Per: time.Hour, Burst: 3}
	outgoing = ratelimit.Rule{Name: "setup_link/outgoing", Events: 30, Per: 10 * time.Minute, Burst: 15}
)

// visit is a request by a link that is in force.
type visit struct {
	auth.SetupLink
	provider *auth.SSOProvider // nil until the link has made it
}

// may reports whether the link is for an intent that is not done yet.
func (v *visit) may(intent string) bool {
	return slices.Contains(v.Intents, intent) && !slices.Contains(v.Done, intent)
}

// protocols are those of which the connection can be.
func (v *visit) protocols() []auth.SSOKind {
	if v.provider == nil || v.drafts() {
		return []auth.SSOKind{auth.SSOKindSAML, auth.SSOKindOIDC}
	}
	return []auth.SSOKind{v.provider.Kind}
}

// drafts reports whether the link can still change everything of the connection.
func (v *visit) drafts() bool {
	return v.Creates && v.may(auth.SetupSSO) && (v.provider == nil || !v.provider.On())
}

// find looks up the link of a token, and makes it the actor of the scope.
// auth.ErrSetupLink whatever is wrong with it.
func (s Service) find(ctx context.Context, sc *tenants.Scope, token string) (*visit, error) {
	text, ok := strings.CutPrefix(token, tokenPrefix)
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if !ok || err != nil || len(raw) != len(uuid.UUID{})+secretBytes {
		return nil, auth.ErrSetupLink
	}
	v := &visit{}
	err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		v.SetupLink, err = tx.SetupLink(ctx, uuid.UUID(raw[:16]), false)
		return err
	})
	if errors.Is(err, auth.ErrSetupLinkNotFound) {
		err = auth.ErrSetupLink.Because(err)
	}
	if err != nil {
		return nil, err
	}
	if !hmac.Equal(v.Digest, digest(sc, v.ID, raw[16:])) || state(&v.SetupLink, s.Now()) != "open" {
		return nil, auth.ErrSetupLink
	}
	if err := s.Limiter.Allow(ctx, sc.Tenant.Ref, visits, v.ID.String()); err != nil {
		return nil, err
	}
	sc.Member = &tenants.Member{ID: v.ID, Name: "setup link: " + v.Name, Via: "setup_link"}
	p, err := s.Connections.Provider(ctx, sc, v.Provider)
	switch {
	case err == nil:
		v.provider = p
	case !errors.Is(err, auth.ErrSSOProviderNotFound):
		return nil, err
	case !v.Creates || v.SavedAt != nil: // it was deleted
		return nil, auth.ErrSetupLink.Because(err)
	}
	return v, nil
}

// enter is find for a request that belongs to one of the intents; auth.ErrSetupIntent.
func (s Service) enter(ctx context.Context, sc *tenants.Scope, token string, intents ...string) (*visit, error) {
	v, err := s.find(ctx, sc, token)
	if err == nil && !slices.ContainsFunc(intents, v.may) {
		err = auth.ErrSetupIntent
	}
	return v, err
}

// change changes the link's row. A link that ended meanwhile is auth.ErrSetupLink.
func (s Service) change(ctx context.Context, sc *tenants.Scope, v *visit, change func(*tenantdb.Tx, *auth.SetupLink) error) error {
	return sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		l, err := tx.SetupLink(ctx, v.ID, true)
		if errors.Is(err, auth.ErrSetupLinkNotFound) || err == nil && state(&l, s.Now()) != "open" {
			return auth.ErrSetupLink
		}
		if err != nil {
			return err
		}
		if err := change(tx, &l); err != nil {
			return err
		}
		v.SetupLink = l
		return tx.PutSetupLink(ctx, &l)
	})
}

// State returns what the page shows.
func (s Service) State(ctx context.Context, sc *tenants.Scope, token string) (*auth.SetupState, error) {
	v, err := s.find(ctx, sc, token)
	if err != nil {
		return nil, err
	}
	if v.OpenedAt == nil {
		now := s.Now().Truncate(time.Microsecond)
		err := s.change(ctx, sc, v, func(tx *tenantdb.Tx, l *auth.SetupLink) error {
			if l.OpenedAt != nil {
				return nil
			}
			l.OpenedAt = &now
			return audit.Service(ctx, tx, sc, auth.ActionSetupLinkOpened, traits(l), now)
		})
		if err != nil {
			return nil, err
		}
	}
	return s.state(ctx, sc, v)
}

func (s Service) state(ctx context.Context, sc *tenants.Scope, v *visit) (*auth.SetupState, error) {
	out := &auth.SetupState{
		Project: sc.Tenant.Name, Company: v.Name, Intents: v.Intents, Done: v.Done, IdP: v.IdP, ExpiresAt: v.ExpiresAt,
		Service: s.Connections.Self(sc, v.Provider), Protocols: v.protocols(), Domains: []auth.SetupClaim{}, Blockers: []string{},
	}
	if slices.Contains(v.Intents, auth.SetupSCIM) {
		out.SCIM = &auth.SetupSCIMBase{BaseURL: s.scimBase(sc)}
	}
	var err error
	if out.Domains, err = s.domains(ctx, sc, v); err != nil {
		return nil, err
	}
	if v.provider != nil {
		out.Connection = s.Connections.Shown(v.provider)
	}
	if v.DryRun != nil {
		a, found, err := s.Connections.Attempt(ctx, sc, v.Provider, *v.DryRun)
		if err != nil {
			return nil, err
		}
		if found {
			a.User = nil // of the project, not of the company's administrator
			out.DryRun = &a
		}
	}
	if v.may(auth.SetupSSO) {
		out.Blockers = blockers(v, out)
	}
	return out, nil
}

// blockers are why a connection cannot go live.
func blockers(v *visit, st *auth.SetupState) []string {
	out := []string{}
	if v.provider == nil {
		return append(out, "metadata")
	}
	active := slices.ContainsFunc(st.Domains, leads)
	if !active && (len(st.Domains) > 0 || slices.Contains(v.Intents, auth.SetupDomain)) {
		out = append(out, "domain")
	}
	switch a := st.DryRun; {
	case a == nil || a.Outcome != auth.AttemptAccepted:
		out = append(out, "dry_run")
	case a.At.Before(v.provider.UpdatedAt):
		out = append(out, "dry_run_outdated")
	}
	return out
}

// Finish ends an intent. Of sso the connection goes live. auth.ErrSetupIntent,
// auth.ErrSetupNotReady, auth.ErrSSOProviderChanged.
func (s Service) Finish(ctx context.Context, sc *tenants.Scope, token, intent string) (*auth.SetupState, error) {
	if intent == auth.SetupSCIM {
		return nil, auth.ErrSetupIntent // done by the making of a token
	}
	v, err := s.enter(ctx, sc, token, intent)
	if err != nil {
		return nil, err
	}
	st, err := s.state(ctx, sc, v)
	if err != nil {
		return nil, err
	}
	done := []string{intent}
	switch intent {
	case auth.SetupSSO:
		if len(st.Blockers) > 0 {
			return nil, notReady(st.Blockers...)
		}
		live := false
		if v.provider, err = s.Connections.Update(ctx, sc, v.Provider, &attributes{Disabled: &live, Unchanged: &v.provider.UpdatedAt, Unused: v.Creates, WithDomain: len(st.Domains) > 0}); err != nil {
			return nil, err
		}
		if v.may(auth.SetupDomain) && len(st.Domains) > 0 && !slices.ContainsFunc(st.Domains, func(c auth.SetupClaim) bool { return !leads(c) }) {
			done = append(done, auth.SetupDomain)
		}
	case auth.SetupDomain:
		if !slices.ContainsFunc(st.Domains, leads) {
			return nil, notReady("domain")
		}
	case auth.SetupCertificate:
		if v.SavedAt == nil {
			return nil, notReady("metadata")
		}
	}
	if err := s.finish(ctx, sc, v, done...); err != nil {
		return nil, err
	}
	return s.state(ctx, sc, v)
}

func notReady(missing ...string) error {
	return auth.ErrSetupNotReady.With("blockers", missing)
}

// finish notes that intents are done; auth.ErrSetupIntent if they were.
func (s Service) finish(ctx context.Context, sc *tenants.Scope, v *visit, intents ...string) error {
	return s.change(ctx, sc, v, func(tx *tenantdb.Tx, l *auth.SetupLink) error {
		for _, intent := range intents {
			if slices.Contains(l.Done, intent) {
				return auth.ErrSetupIntent
			}
			l.Done = append(l.Done, intent)
		}
		t := traits(l)
		t["done"] = intents
		return audit.Service(ctx, tx, sc, auth.ActionSetupLinkDone, t, s.Now())
	})
}

// SCIMToken makes the token of the company's directory, and ends the intent.
// auth.ErrSetupIntent, auth.ErrSetupNotReady.
func (s Service) SCIMToken(ctx context.Context, sc *tenants.Scope, token string) (*auth.SetupToken, error) {
	v, err := s.enter(ctx, sc, token, auth.SetupSCIM)
	if err != nil {
		return nil, err
	}
	switch {
	case s.CreateSCIMToken == nil:
		return nil, auth.ErrSetupIntent
	case v.provider == nil:
		return nil, notReady("metadata")
	}
	if err := s.finish(ctx, sc, v, auth.SetupSCIM); err != nil {
		return nil, err
	}
	text, err := s.CreateSCIMToken(ctx, sc, v.Provider)
	if err != nil {
		return nil, errors.Join(err, s.reopen(context.WithoutCancel(ctx), sc, v.ID, auth.SetupSCIM))
	}
	return &auth.SetupToken{BaseURL: s.scimBase(sc), Token: text}, nil
}

// reopen takes an intent back that could not be done.
func (s Service) reopen(ctx context.Context, sc *tenants.Scope, id uuid.UUID, intent string) error {
	return sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		l, err := tx.SetupLink(ctx, id, true)
		if err != nil {
			return err
		}
		l.Done = slices.DeleteFunc(l.Done, func(i string) bool { return i == intent })
		return tx.PutSetupLink(ctx, &l)
	})
}

func (s Service) scimBase(sc *tenants.Scope) string { return sc.Tenant.Issuer() + "/scim/v2" }
