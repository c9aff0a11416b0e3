package external

import (
	"context"
	"crypto/hmac"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/mail"
	"github.com/reevehq/reeve/internal/authapi/pkce"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/authapi/users"
	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/message"
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
		return out, nil
	case cb.Code == "":
		return out, auth.ErrOAuthCallback
	}
	return out, s.signIn(ctx, sc, f, cb, out)
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

// signIn redeems the provider's code and completes the outcome.
func (s Service) signIn(ctx context.Context, sc *tenants.Scope, f *auth.FlowState, cb Callback, out *Outcome) error {
	p, err := s.Providers.Find(ctx, sc, f.ProviderType)
	if err != nil {
		return err
	}
	login, err := p.Connector.Exchange(ctx, p.Client, connector.Callback{
		RedirectURI: redirectURI(sc), Code: cb.Code, User: cb.User,
		Nonce: derive(sc, f.ID, "nonce"), Verifier: derive(sc, f.ID, "verifier"),
	})
	if err != nil {
		return err
	}
	person, err := users.FromProvider(p.Name, &login.Profile, p.EmailOptional)
	if err != nil {
		return err
	}
	tokens := session.ProviderTokens{ProviderToken: login.AccessToken, ProviderRefreshToken: login.RefreshToken}
	if f.PKCE() {
		out.Code, err = s.issueCode(ctx, sc, f, person, tokens)
		return err
	}
	out.Tokens, err = s.begin(ctx, sc, f, person)
	if out.Tokens != nil {
		out.Tokens.ProviderTokens = tokens
	}
	return err
}

// refusals are the errors for an account that may have no session.
var refusals = session.Refusals{Gone: auth.ErrUserNotFound, Banned: auth.ErrUserBanned.Saying(auth.TextUserBanned)}

// begin begins a session.
func (s Service) begin(ctx context.Context, sc *tenants.Scope, f *auth.FlowState, person users.ProviderUser) (*session.Tokens, error) {
	var unproved *auth.User
	tokens, err := s.Sessions.SignIn(ctx, sc, func(tx *tenantdb.Tx) (*session.Proof, error) {
		u, err := s.user(ctx, tx, sc, f, person)
		if unproved = nil; err != nil {
			return nil, err
		}
		if s.needsProof(sc, f, u) {
			unproved = u
			return nil, nil
		}
		return &session.Proof{
			User: u, Method: auth.MethodOAuth, Action: auth.ActionLogin, Traits: audit.ByProvider(person.Provider), Refusals: refusals,
		}, nil
	})
	if err == nil && unproved != nil {
		err = s.askForProof(ctx, sc, f, unproved)
	}
	return tokens, err
}

// issueCode issues the code of a PKCE exchange; the account is checked when the
// code is redeemed.
func (s Service) issueCode(ctx context.Context, sc *tenants.Scope, f *auth.FlowState, person users.ProviderUser, tokens session.ProviderTokens) (string, error) {
	var unproved *auth.User
	code := uuid.NewString()
	err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		u, err := s.user(ctx, tx, sc, f, person)
		if unproved = nil; err != nil {
			return err
		}
		if s.needsProof(sc, f, u) {
			unproved = u
			return nil
		}
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
	if err == nil && unproved != nil {
		err = s.askForProof(ctx, sc, f, unproved)
	}
	if err != nil {
		return "", err
	}
	return code, nil
}

// user finds or creates the user, or links the identity to the user who asked
// for it.
func (s Service) user(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, f *auth.FlowState, person users.ProviderUser) (*auth.User, error) {
	if f.LinkTo != nil {
		return s.link(ctx, tx, sc, *f.LinkTo, person)
	}
	u, how, err := s.Resolve(ctx, tx, sc, person)
	if err != nil {
		return nil, err
	}
	switch how {
	case users.Created:
		_, err = audit.User(ctx, tx, sc, u, auth.ActionUserSignedUp, audit.ByProvider(person.Provider), s.Now())
	case users.Linked:
		_, err = audit.User(ctx, tx, sc, u, auth.ActionIdentityLinked, audit.ByProvider(person.Provider), s.Now())
	}
	if err != nil {
		return nil, err
	}
	if sc.Tenant.Config.MailerAutoconfirm && u.Email != "" && !u.EmailConfirmed() {
		err = s.ConfirmEmail(ctx, tx, u)
	}
	return u, err
}

// link links the identity to the user who asked for it.
func (s Service) link(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, to uuid.UUID, person users.ProviderUser) (*auth.User, error) {
	u, err := s.ByID(ctx, tx, to)
	if err != nil {
		return nil, err
	}
	if refused := refusals.Admit(u, s.Now()); refused != nil {
		return nil, refused
	}
	if err := s.LinkProvider(ctx, tx, u, person); err != nil {
		return nil, err
	}
	_, err = audit.User(ctx, tx, sc, u, auth.ActionIdentityLinked, audit.ByProvider(person.Provider), s.Now())
	return u, err
}

// needsProof reports whether a sign-in must wait until the user has confirmed an
// address that the provider has not verified.
func (s Service) needsProof(sc *tenants.Scope, f *auth.FlowState, u *auth.User) bool {
	return f.LinkTo == nil && u.Email != "" && !u.EmailConfirmed() && u.PhoneConfirmedAt == nil &&
		!sc.Tenant.Config.MailerAllowUnverifiedEmailSignIn
}

// askForProof mails a link that confirms the address, and returns
// auth.ErrEmailUnproved.
func (s Service) askForProof(ctx context.Context, sc *tenants.Scope, f *auth.FlowState, u *auth.User) error {
	err := s.Mailer.Post(ctx, sc, mail.Request{Purpose: "signup", Address: u.Email, ReportLater: true}, func(tx *tenantdb.Tx, out *mail.Outgoing) error {
		u, err := s.ByID(ctx, tx, u.ID)
		if err != nil {
			return err
		}
		if out.Throttled != nil || u.EmailConfirmed() || s.Mailer.Recent(sc, u.ConfirmationSentAt) {
			return nil
		}
		now := s.Now()
		if err := tx.UpdateUser(ctx, u, now, tenantdb.ConfirmationSentAt(&now)); err != nil {
			return err
		}
		return out.Put(ctx, mail.Letter{Kind: message.Confirmation, User: u, RedirectTo: f.RedirectTo})
	})
	if err != nil {
		return fmt.Errorf("mail a confirmation: %w", err)
	}
	return auth.ErrEmailUnproved
}
