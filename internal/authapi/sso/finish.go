package sso

import (
	"context"
	"crypto/sha256"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/mail"
	"github.com/reevehq/reeve/internal/authapi/pkce"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/authapi/users"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Outcome is how a sign-in ended: with tokens, with a code for PKCE, or with the report
// of a dry run.
type Outcome struct {
	RedirectTo string
	PKCE       bool
	Tokens     *session.Tokens
	Code       string
	DryRun     uuid.UUID // the attempt with the report
}

// user is whose session began, if one did.
func (o *Outcome) user() uuid.UUID {
	if o == nil || o.Tokens == nil {
		return uuid.Nil
	}
	return o.Tokens.User.ID
}

// said is what an identity provider has said about a user, verified, whatever protocol
// it speaks.
type said struct {
	method auth.Method
	issuer string
	// once is the digest of what may be presented once, until a time.
	once   []byte
	until  time.Time
	origin auth.SSOOrigin
	// ends is when the provider's session ends; zero for no end.
	ends time.Time
	// subject is the provider's identifier of the user, and kind which of its kinds it is,
	// if it has several.
	subject, kind string
	// address is the user's address if the mapping names none; "" for none.
	address string
	// factors reports that the provider says that two factors were used.
	factors bool
	// statements returns the values of the first of the names that the provider states.
	statements func(names ...string) []string
	// all are the statements, for who sets up the connection.
	all map[string][]string
}

// onceOf identifies what is accepted once.
func onceOf(parts ...string) []byte {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return h.Sum(nil)
}

// refusals are the errors for an account that may have no session.
var refusals = session.Refusals{Gone: auth.ErrUserNotFound, Banned: auth.ErrUserBanned}

// errUsed is an assertion that was presented before.
var errUsed = auth.ErrSAMLAssertion.Saying("The response was used before, try logging in again")

// complete ends a sign-in with what the provider has said.
func (s Service) complete(ctx context.Context, sc *tenants.Scope, p *auth.SSOProvider, relay *auth.SSORelay, a *said, t *trail) (*Outcome, error) {
	out := &Outcome{RedirectTo: relay.RedirectTo, PKCE: relay.Flow != nil}
	if t.dry() {
		out.DryRun = t.id
	}
	who, err := personOf(p, a)
	t.person(a, &who)
	if err == nil {
		err = t.step("rules", s.admit(ctx, sc, p, &who))
	}
	switch {
	case err != nil:
	case t.dry():
		err = s.dryRun(ctx, sc, p, &who, t)
	case relay.Flow != nil:
		out.Code, err = s.issueCode(ctx, sc, p, *relay.Flow, a, &who)
	default:
		out.Tokens, err = s.signIn(ctx, sc, p, a, &who)
	}
	return out, err
}

// signIn begins the session.
func (s Service) signIn(ctx context.Context, sc *tenants.Scope, p *auth.SSOProvider, a *said, who *person) (*session.Tokens, error) {
	told, err := s.Mailer.Insist(ctx, sc)
	if err != nil {
		return nil, err
	}
	tokens, err := s.Sessions.SignIn(ctx, sc, func(tx *tenantdb.Tx) (*session.Proof, error) {
		u, err := s.user(ctx, tx, sc, p, a, who, told)
		if err != nil {
			return nil, err
		}
		return &session.Proof{
			User: u, Method: a.method, AAL: level(p, a), Action: auth.ActionLogin, Traits: audit.ByProvider(who.Provider), Refusals: refusals,
			NotAfter: a.ends, Origin: &a.origin,
		}, nil
	})
	told.End(err)
	return tokens, err
}

// level is the assurance level that a sign-in reaches.
func level(p *auth.SSOProvider, a *said) auth.AAL {
	if p.Rules.MFA == auth.SSOMFAProvider || (p.Rules.MFA == auth.SSOMFAProviderStated && a.factors) {
		return auth.AAL2
	}
	return auth.AAL1
}

// issueCode issues the code of the PKCE exchange; the account is checked when the code
// is redeemed.
func (s Service) issueCode(ctx context.Context, sc *tenants.Scope, p *auth.SSOProvider, flow uuid.UUID, a *said, who *person) (string, error) {
	code := uuid.NewString()
	told, err := s.Mailer.Insist(ctx, sc)
	if err != nil {
		return "", err
	}
	err = sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		u, err := s.user(ctx, tx, sc, p, a, who, told)
		if err != nil {
			return err
		}
		f, err := tx.TakeSSOFlow(ctx, flow)
		if err != nil {
			return err
		}
		now := s.Now()
		next := auth.FlowState{
			ID: uuid.New(), UserID: &u.ID, AuthCode: code, AuthCodeIssuedAt: &now,
			CodeChallenge: f.CodeChallenge, CodeChallengeMethod: f.CodeChallengeMethod,
			ProviderType: p.Provider(), AuthenticationMethod: a.method, CreatedAt: now,
		}
		kept := pkce.SSOKept{NotAfter: a.ends, Origin: &a.origin, AAL: level(p, a)}
		if next.ProviderTokens, err = pkce.Seal(sc.Tenant, next.ID, kept); err != nil {
			return err
		}
		return tx.CreateFlowState(ctx, &next)
	})
	told.End(err)
	return code, err
}

// user marks what the provider said as used, and returns its user, locked. The
// connection is read again, and locked: one that was switched off meanwhile gives no
// session.
func (s Service) user(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, p *auth.SSOProvider, a *said, who *person, told *mail.Notices) (*auth.User, error) {
	if err := s.share(ctx, tx, p, false); err != nil {
		return nil, err
	}
	used, err := tx.UseAssertion(ctx, a.once, a.until)
	if err != nil {
		return nil, err
	}
	if used {
		return nil, errUsed
	}
	u, how, err := s.resolve(ctx, tx, sc, p, who)
	if err != nil {
		return nil, err
	}
	switch how {
	case users.Created:
		_, err = audit.User(ctx, tx, sc, u, auth.ActionUserSignedUp, audit.ByProvider(who.Provider), s.Now())
	case users.Linked:
		if _, err = audit.User(ctx, tx, sc, u, auth.ActionIdentityLinked, audit.ByProvider(who.Provider), s.Now()); err == nil {
			err = told.Put(ctx, tx, mail.Notice{Kind: message.IdentityLinked, User: u, Provider: p.Label()})
		}
	}
	return u, err
}

// share locks a connection against changes and against its directory, which makes users
// too; auth.ErrSSOProviderDisabled if it was switched off meanwhile, unless off is
// allowed.
func (s Service) share(ctx context.Context, tx *tenantdb.Tx, p *auth.SSOProvider, off bool) error {
	on, err := tx.ShareSSOProvider(ctx, p.ID)
	if err == nil && !on && !off {
		err = auth.ErrSSOProviderDisabled
	}
	return err
}

// resolve finds or makes the user of a person, as the connection may.
func (s Service) resolve(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, p *auth.SSOProvider, who *person) (*auth.User, users.Resolution, error) {
	from := users.Enterprise{
		ProviderUser: who.ProviderUser, Create: p.Rules.CreateUsers, AppMetadata: who.app,
		NewUserMetadata: p.Rules.DefaultUserMetadata, NewAppMetadata: p.Rules.DefaultAppMetadata,
	}
	if p.Rules.LinkUsers {
		from.Links = func(email string) (bool, error) { return tx.DomainProved(ctx, p.ID, auth.DomainOf(email)) }
	}
	u, how, err := s.ResolveSSO(ctx, tx, sc, from)
	if err == nil && p.Rules.GroupsAttribute == auth.SSOGroupsSCIM {
		err = s.directoryGroups(ctx, tx, p, who, u)
	}
	if err != nil {
		return nil, how, err
	}
	return u, how, nil
}

// directoryGroups gives a user the groups in which the connection's directory has them;
// auth.ErrSSOGroup.
func (s Service) directoryGroups(ctx context.Context, tx *tenantdb.Tx, p *auth.SSOProvider, who *person, u *auth.User) error {
	groups, err := tx.SCIMGroupsOf(ctx, u.ID)
	if err != nil {
		return err
	}
	who.groups = groups
	if allowed := p.Rules.AllowedGroups; len(allowed) > 0 && !slices.ContainsFunc(allowed, func(g string) bool { return slices.Contains(groups, g) }) {
		return auth.ErrSSOGroup
	}
	return tx.StateSCIMGroupsOf(ctx, u.ID, s.Now())
}
