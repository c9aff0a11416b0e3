package external

import (
	"context"
	"crypto/hmac"
	"errors"
	"strings"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/idp"
	"github.com/reevehq/reeve/internal/authapi/pkce"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/authapi/users"
	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Callback is what the browser brought back from the provider.
type Callback struct {
	State  uuid.UUID
	Code   string
	User   string // of a posted form
	Cookie string // of Begun; "" when the browser has none
	// Confirmed says that the person has agreed on the page of an Ask.
	Confirmed bool
	// Denied is the provider's error (RFC 6749, section 4.1.2.1).
	Denied *Denial
}

// Denial is an error that the provider answered instead of a code.
type Denial struct{ Error, Description string }

// accessDenied is the Denial of users who cancel (RFC 6749, section 4.1.2.1). The
// others mean that something is wrong.
const accessDenied = "access_denied"

func logDenial(ctx context.Context, sc *tenants.Scope, provider string, d *Denial) {
	e := projectlog.Entry{
		Level: projectlog.Warning, Code: "provider_denied", Message: "The provider refused a sign-in.",
		Detail: map[string]any{"provider": provider, "error": strings.Trim(d.Error+": "+d.Description, ": ")},
	}
	if d.Error == accessDenied {
		e.Level, e.Message = projectlog.Info, "The user, or the provider, cancelled a sign-in."
	}
	sc.Log.Add(ctx, e)
}

// Outcome is how a sign-in at a provider ended. One of Tokens, Code, Denied and
// Ask is set.
type Outcome struct {
	RedirectTo string
	PKCE       bool
	Tokens     *session.Tokens
	Code       string
	Denied     *Denial
	Ask        *Ask
}

// Ask is the question whether a sign-in that began elsewhere shall go on here.
type Ask struct {
	Provider string
	Link     bool   // an identity shall be linked
	Account  string // the address of the user who gets it; may be ""
}

// Finish ends the sign-in. When it returns an error, the outcome is still where
// to tell it, or nil while that is unknown: auth.ErrOAuthState for a state that is
// unknown, expired or used.
func (s Service) Finish(ctx context.Context, sc *tenants.Scope, cb Callback) (*Outcome, error) {
	f, err := s.flow(ctx, sc, cb.State, (*tenantdb.Tx).ProviderFlow)
	if err != nil {
		return nil, err
	}
	if !s.mayGoOn(sc, f, cb) {
		ask, err := s.ask(ctx, sc, f)
		return &Outcome{Ask: ask}, err
	}
	if f, err = s.flow(ctx, sc, cb.State, (*tenantdb.Tx).TakeProviderFlow); err != nil {
		return nil, err
	}
	out := &Outcome{RedirectTo: f.RedirectTo, PKCE: f.PKCE()}
	switch {
	case s.Now().After(f.CreatedAt.Add(stateTTL)):
		return out, auth.ErrOAuthState.Saying("OAuth state has expired")
	case cb.Denied != nil:
		out.Denied = cb.Denied
		logDenial(ctx, sc, f.ProviderType, cb.Denied)
		return out, nil
	case cb.Code == "":
		return out, auth.ErrOAuthCallback
	}
	return out, s.redeem(ctx, sc, f, cb, out)
}

// flow reads a flow that waits for its callback; auth.ErrOAuthState.
func (s Service) flow(ctx context.Context, sc *tenants.Scope, id uuid.UUID, read func(*tenantdb.Tx, context.Context, uuid.UUID) (auth.FlowState, error)) (*auth.FlowState, error) {
	var f auth.FlowState
	err := sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		f, err = read(tx, ctx, id)
		return err
	})
	if errors.Is(err, auth.ErrFlowNotFound) {
		return nil, auth.ErrOAuthState.Because(err)
	}
	return &f, err
}

// mayGoOn reports whether the browser may complete the flow: it began the flow,
// or only the app that began can use the outcome.
func (s Service) mayGoOn(sc *tenants.Scope, f *auth.FlowState, cb Callback) bool {
	if cb.Confirmed || f.PKCE() && f.LinkTo == nil {
		return true
	}
	return hmac.Equal([]byte(cb.Cookie), []byte(derive(sc, f.ID, "browser")))
}

func (s Service) ask(ctx context.Context, sc *tenants.Scope, f *auth.FlowState) (*Ask, error) {
	a := &Ask{Provider: f.ProviderType, Link: f.LinkTo != nil}
	if f.LinkTo == nil {
		return a, nil
	}
	err := sc.DB.Do(ctx, func(tx *tenantdb.Tx) error {
		u, err := tx.UserByID(ctx, *f.LinkTo, false)
		a.Account = u.Email
		return err
	})
	if errors.Is(err, auth.ErrUserNotFound) {
		err = auth.ErrOAuthState.Because(err)
	}
	return a, err
}

// redeem redeems the provider's code and completes the outcome.
func (s Service) redeem(ctx context.Context, sc *tenants.Scope, f *auth.FlowState, cb Callback, out *Outcome) error {
	p, err := s.Providers.Find(ctx, sc, f.ProviderType)
	if err != nil {
		return err
	}
	var keep kept
	if err := pkce.Open(sc.Tenant, f, &keep); err != nil {
		return auth.ErrOAuthState.Because(err)
	}
	login, err := p.Connector.Exchange(ctx, p.Client, connector.Callback{
		RedirectURI: redirectURI(sc), Code: cb.Code, User: cb.User, Kept: keep.Connector,
		Nonce: derive(sc, f.ID, "nonce"), Verifier: derive(sc, f.ID, "verifier"),
	})
	if err != nil {
		return err
	}
	who, err := users.FromProvider(p.Name, &login.Profile, p.EmailOptional)
	if err != nil {
		return err
	}
	person := idp.Person{ProviderUser: who, LinkTo: f.LinkTo, LinkedBy: keep.Session, RedirectTo: f.RedirectTo}
	tokens := session.ProviderTokens{ProviderToken: login.AccessToken, ProviderRefreshToken: login.RefreshToken}
	if f.PKCE() {
		out.Code, err = s.issueCode(ctx, sc, f, person, tokens)
		return err
	}
	if out.Tokens, err = s.SignIn(ctx, sc, person); err != nil {
		return err
	}
	out.Tokens.ProviderTokens = tokens
	return nil
}

// issueCode issues the code of a PKCE exchange; the account is checked when the
// code is redeemed.
func (s Service) issueCode(ctx context.Context, sc *tenants.Scope, f *auth.FlowState, person idp.Person, tokens session.ProviderTokens) (string, error) {
	code := uuid.NewString()
	err := s.Admit(ctx, sc, person, func(tx *tenantdb.Tx, u *auth.User) (err error) {
		now := s.Now()
		next := auth.FlowState{
			ID: uuid.New(), UserID: &u.ID, AuthCode: code, AuthCodeIssuedAt: &now,
			CodeChallenge: f.CodeChallenge, CodeChallengeMethod: f.CodeChallengeMethod,
			ProviderType: f.ProviderType, AuthenticationMethod: auth.MethodOAuth, CreatedAt: now,
		}
		if next.ProviderTokens, err = pkce.SealTokens(sc.Tenant, next.ID, tokens); err != nil {
			return err
		}
		return tx.CreateFlowState(ctx, &next)
	})
	if err != nil {
		return "", err
	}
	return code, nil
}
