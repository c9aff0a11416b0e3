package sso

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/redirect"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/saml"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

const (
	// logoutTTL is how long an identity provider may take to answer a sign-out.
	logoutTTL = 15 * time.Minute
	// maxLogout bounds the sessions that one request of a provider ends.
	maxLogout = 1000
)

// Next is where a browser goes on: to an address, or to one by a form.
type Next struct {
	Address string
	Form    map[string]string // to post to Address; nil for a redirect
}

// storedForm is a Next in tenantdb.SSOLogout.
type storedForm struct {
	Address string            `json:"address"`
	Form    map[string]string `json:"form"`
}

// SignOut begins to sign the user of a session out at the identity provider that vouched
// for it. The address is where the browser goes when the session has ended here; "" where
// there is nobody to sign out at.
func (s Service) SignOut(ctx context.Context, sc *tenants.Scope, id uuid.UUID, to redirect.Asked) (string, error) {
	if !sc.Tenant.Config.SAMLEnabled {
		return "", nil
	}
	var o *auth.SSOOrigin
	var p auth.SSOProvider
	err := sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		if o, err = tx.SSOOrigin(ctx, id); err != nil || o == nil {
			return err
		}
		p, err = tx.SSOProvider(ctx, o.Provider, false)
		return err
	})
	switch {
	case errors.Is(err, auth.ErrSSOProviderNotFound):
		return "", nil
	case err != nil || o == nil:
		return "", err
	}
	l := tenantdb.SSOLogout{ID: uuid.New(), Provider: p.ID, RedirectTo: to.Target(ctx, sc), CreatedAt: s.Now()}
	address, err := s.logoutAddress(ctx, sc, &p, o, &l)
	if err != nil || address == "" {
		return "", err
	}
	t := s.newTrail(sc, l.ID, auth.AttemptLogout)
	t.Provider = &p.ID
	return address, sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		return errors.Join(tx.CreateSSOLogout(ctx, &l), tx.PutSSOAttempt(ctx, &t.SSOAttempt))
	})
}

// logoutAddress is where a browser signs out at a provider, which is noted in l. A
// provider that cannot be understood now has none: the sign-out here must not fail.
func (s Service) logoutAddress(ctx context.Context, sc *tenants.Scope, p *auth.SSOProvider, o *auth.SSOOrigin, l *tenantdb.SSOLogout) (string, error) {
	if p.OIDC != nil {
		return s.endSession(ctx, sc, p, o, l), nil
	}
	metadata, err := parseMetadata(p.SAML.MetadataXML, s.Now())
	if err != nil || metadata.Logout == nil {
		return "", nil //nolint:nilerr // as promised
	}
	sp, err := s.service(ctx, sc)
	if err != nil {
		return "", err
	}
	var sessions []string
	if o.SessionIndex != "" {
		sessions = []string{o.SessionIndex}
	}
	out, err := sp.SignOut(metadata, saml.NameID(o.Name), sessions, l.ID.String())
	if err != nil {
		return "", err
	}
	l.RequestID = out.ID
	if out.Form == nil {
		return out.Address, nil
	}
	if l.Form, err = json.Marshal(storedForm{out.Address, out.Form}); err != nil {
		return "", fmt.Errorf("encode form: %w", err)
	}
	return sc.Tenant.Issuer() + "/sso/saml/slo/" + l.ID.String(), nil
}

// endSession is the address of a provider's logout endpoint (OpenID Connect RP-Initiated
// Logout 1.0); "" for none.
func (s Service) endSession(ctx context.Context, sc *tenants.Scope, p *auth.SSOProvider, o *auth.SSOOrigin, l *tenantdb.SSOLogout) string {
	d, _, err := s.discover(ctx, sc, p)
	if err != nil || d.EndSessionURL == "" {
		return ""
	}
	u, err := url.Parse(d.EndSessionURL)
	if err != nil {
		return ""
	}
	q := u.Query()
	q.Set("client_id", p.OIDC.ClientID)
	if hint := openHint(sc, o); hint != "" {
		q.Set("id_token_hint", hint)
	}
	q.Set("post_logout_redirect_uri", sc.Tenant.Issuer()+"/sso/oidc/logged-out")
	q.Set("state", l.ID.String())
	u.RawQuery = q.Encode()
	return u.String()
}

// Returned ends a sign-out at an OpenID provider: the browser goes to where the app
// wanted. auth.ErrSSOLogoutNotFound.
func (s Service) Returned(ctx context.Context, sc *tenants.Scope, id uuid.UUID) (*Next, error) {
	var l tenantdb.SSOLogout
	var p auth.SSOProvider
	err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) (err error) {
		if l, err = tx.SSOLogout(ctx, id, true); err != nil {
			return err
		}
		p, err = tx.SSOProvider(ctx, l.Provider, false)
		return err
	})
	if err == nil && (p.OIDC == nil || s.Now().After(l.CreatedAt.Add(logoutTTL))) {
		err = auth.ErrSSOLogoutNotFound
	}
	if err != nil {
		return nil, err
	}
	t := s.newTrail(sc, l.ID, auth.AttemptLogout)
	t.Provider = &p.ID
	s.keep(ctx, sc, t, uuid.Nil, nil)
	return &Next{Address: l.RedirectTo}, nil
}

// LogoutForm returns what to post to the identity provider of a sign-out that was begun;
// auth.ErrSSOLogoutNotFound.
func (s Service) LogoutForm(ctx context.Context, sc *tenants.Scope, id uuid.UUID) (*Next, error) {
	var l tenantdb.SSOLogout
	err := sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		l, err = tx.SSOLogout(ctx, id, false)
		return err
	})
	var form storedForm
	switch {
	case err != nil:
		return nil, err
	case l.Form == nil, s.Now().After(l.CreatedAt.Add(logoutTTL)):
		return nil, auth.ErrSSOLogoutNotFound
	}
	if err := json.Unmarshal(l.Form, &form); err != nil {
		return nil, fmt.Errorf("read form: %w", err)
	}
	return &Next{form.Address, form.Form}, nil
}

// Logout handles a logout message: a request of an identity provider, or its answer to
// one of ours. auth.ErrSAMLOff, auth.ErrSAMLIdPNotFound, auth.ErrSAMLAssertion,
// auth.ErrSSOLogoutNotFound.
func (s Service) Logout(ctx context.Context, sc *tenants.Scope, m *saml.Message) (*Next, error) {
	if !sc.Tenant.Config.SAMLEnabled {
		return nil, auth.ErrSAMLOff
	}
	if m.Answer {
		return s.loggedOut(ctx, sc, m)
	}
	var p auth.SSOProvider
	err := sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		p, err = tx.SSOProviderOfEntity(ctx, m.Issuer)
		return err
	})
	if errors.Is(err, auth.ErrSSOProviderNotFound) {
		err = auth.ErrSAMLIdPNotFound.Because(err)
	}
	if err != nil {
		return nil, err
	}
	t := s.newTrail(sc, uuid.New(), auth.AttemptLogout)
	t.Provider = &p.ID
	next, err := s.endedBy(ctx, sc, &p, m, t)
	s.keep(ctx, sc, t, uuid.Nil, err)
	return next, err
}

// peers returns both sides of a logout.
func (s Service) peers(ctx context.Context, sc *tenants.Scope, p *auth.SSOProvider) (*saml.Service, *saml.Metadata, saml.Provider, error) {
	metadata, err := parseMetadata(p.SAML.MetadataXML, s.Now())
	if err != nil {
		return nil, nil, saml.Provider{}, err
	}
	sp, err := s.service(ctx, sc)
	return sp, metadata, saml.Provider{EntityID: p.SAML.EntityID, Certificates: metadata.Certificates, AllowSHA1: p.Rules.AllowSHA1}, err
}

// endedBy ends the sessions that a provider's request names.
func (s Service) endedBy(ctx context.Context, sc *tenants.Scope, p *auth.SSOProvider, m *saml.Message, t *trail) (*Next, error) {
	sp, metadata, idp, err := s.peers(ctx, sc, p)
	if err != nil {
		return nil, t.step(string(saml.CheckMetadata), err)
	}
	req, err := m.Request(*sp, idp)
	if err != nil {
		return nil, t.failed(ctx, sc, p, err)
	}
	_ = t.step(string(saml.CheckSignature), nil)
	name := auth.SSOName(req.NameID)
	t.Detail.Subject = clip(name.Value)
	ended, err := s.end(ctx, sc, p, ending{name: &name, indexes: req.Sessions})
	if err != nil {
		return nil, err
	}
	t.Detail.Steps = append(t.Detail.Steps, auth.AttemptStep{Check: "sessions", OK: true, Reason: fmt.Sprintf("%d sessions ended.", ended)})
	if metadata.Logout == nil {
		return nil, auth.ErrSAMLAssertion.Saying("The metadata of the identity provider has no address for the answer to its sign-out")
	}
	out, err := sp.AnswerLogout(metadata, req.ID, m.RelayState, true)
	if err != nil {
		return nil, err
	}
	return &Next{out.Address, out.Form}, nil
}

// failed notes a refused message.
func (t *trail) failed(ctx context.Context, sc *tenants.Scope, p *auth.SSOProvider, err error) error {
	var r *saml.Refusal
	if errors.As(err, &r) {
		_ = t.step(string(r.Check), err)
	}
	return refused(ctx, sc, p.Provider(), t.id, err)
}

// ending is whose sessions at a provider end.
type ending struct {
	name    *auth.SSOName // nil for the sessions of whoever
	indexes []string      // sessions of the provider; empty for all of the name
	once    []byte        // what may be used once; nil for what may be repeated
}

// end ends sessions that a provider vouched for, and codes of its sign-ins that were not
// redeemed yet, and returns how many sessions. auth.ErrOIDCToken for what was used before.
func (s Service) end(ctx context.Context, sc *tenants.Scope, p *auth.SSOProvider, e ending) (ended int, err error) {
	for more, first := true, true; more; first = false {
		n := 0
		err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) (err error) {
			if first && e.once != nil {
				used, err := tx.UseAssertion(ctx, e.once, s.Now().Add(time.Hour))
				if err == nil && used {
					err = auth.ErrOIDCToken.Saying("The logout token was used before")
				}
				if err != nil {
					return err
				}
			}
			n, more, err = s.endSome(ctx, tx, sc, p, e)
			return err
		})
		if ended += n; err != nil {
			return ended, err
		}
	}
	return ended, nil
}

// endSome ends up to maxLogout of the sessions. more reports that there may be others.
func (s Service) endSome(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, p *auth.SSOProvider, e ending) (ended int, more bool, err error) {
	list, err := tx.SSOSessions(ctx, p.ID, e.name, e.indexes, maxLogout)
	if err != nil {
		return 0, false, err
	}
	of := map[uuid.UUID][]uuid.UUID{}
	for _, one := range list {
		of[one.User] = append(of[one.User], one.ID)
	}
	if e.name != nil { // who has signed in, and holds a code and no session yet
		switch u, err := tx.UserByIdentity(ctx, p.Provider(), e.name.Value, true); {
		case err == nil:
			of[u.ID] = append(of[u.ID], []uuid.UUID{}...)
		case !errors.Is(err, auth.ErrUserNotFound):
			return 0, false, err
		}
	}
	for _, user := range slices.SortedFunc(maps.Keys(of), func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }) {
		u, err := tx.UserByID(ctx, user, true)
		if err != nil {
			return 0, false, err
		}
		if err := tx.EndSSOCodes(ctx, p.ID, user); err != nil {
			return 0, false, err
		}
		if len(of[user]) == 0 {
			continue
		}
		if err := s.Sessions.End(ctx, tx, sc, &u, session.These(of[user]), session.CauseSLO); err != nil {
			return 0, false, err
		}
	}
	return len(list), len(list) == maxLogout, nil
}

// loggedOut handles the provider's answer to a request of ours: the browser goes to where
// the app wanted.
func (s Service) loggedOut(ctx context.Context, sc *tenants.Scope, m *saml.Message) (*Next, error) {
	id, err := uuid.Parse(m.RelayState)
	if err != nil {
		return nil, auth.ErrSSOLogoutNotFound.Because(err)
	}
	var l tenantdb.SSOLogout
	var p auth.SSOProvider
	err = sc.DB.Tx(ctx, func(tx *tenantdb.Tx) (err error) {
		if l, err = tx.SSOLogout(ctx, id, true); err != nil {
			return err
		}
		p, err = tx.SSOProvider(ctx, l.Provider, false)
		return err
	})
	if err == nil && (p.SAML == nil || s.Now().After(l.CreatedAt.Add(logoutTTL))) {
		err = auth.ErrSSOLogoutNotFound
	}
	if err != nil {
		return nil, err
	}
	t := s.newTrail(sc, l.ID, auth.AttemptLogout)
	t.Provider = &p.ID
	sp, _, idp, err := s.peers(ctx, sc, &p)
	if err != nil {
		return nil, err
	}
	all, err := m.Answered(*sp, idp, l.RequestID)
	if err != nil {
		err = t.failed(ctx, sc, &p, err)
	} else if !all {
		_ = t.step(string(saml.CheckStatus), auth.ErrSAMLAssertion.Saying("The identity provider did not sign the user out everywhere"))
	}
	s.keep(ctx, sc, t, uuid.Nil, err)
	// The session here has ended, whatever the provider says.
	return &Next{Address: l.RedirectTo}, nil
}
