package session

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/geo"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// ErrNoSuchSession is an id of a session that the user does not have.
var ErrNoSuchSession = fault.New(fault.NotFound, "session_not_found", "The user has no such session")

// Sessions begins, rotates, upgrades and ends sessions.
type Sessions struct {
	Tokens token.Issuer
	Now    func() time.Time
	// Active remembers the users already counted as active; nil counts no user.
	Active *Activity
	// Places finds where sessions are; nil for nowhere.
	Places *geo.Places
	// Hook may change the claims of access tokens; nil for none.
	Hook TokenHook
	// Devices is told of sign-ins; nil for none.
	Devices Devices
}

// Devices tells users of sign-ins from devices that they had not used before.
type Devices interface {
	// Prepare is called before the transaction of a sign-in, and reports whether Watch
	// is to be called in it.
	Prepare(ctx context.Context, sc *tenants.Scope) bool
	// Watch is called before the session of a known user is written, and what it returns
	// once it is.
	Watch(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User) (begun func(*auth.Session) error, err error)
}

// TokenHook is code of a project that runs before an access token is signed.
type TokenHook interface {
	// Enabled reports whether the project has such a hook.
	Enabled(sc *tenants.Scope) bool
	// Customize changes the claims. method is how the user proved who they are just
	// now; auth.MethodRefresh at a refresh. An error rolls back the sign-in or refresh.
	Customize(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, p *auth.Principal, method auth.Method, c *token.Claims) error
}

// Tokens is the wire's answer to a sign-in or a refresh.
type Tokens struct {
	AccessToken  string     `json:"access_token"`
	TokenType    string     `json:"token_type"`
	ExpiresIn    int64      `json:"expires_in"` // seconds
	ExpiresAt    int64      `json:"expires_at"` // seconds since 1970
	RefreshToken string     `json:"refresh_token"`
	User         *auth.User `json:"user"`
	ProviderTokens
}

// ProviderTokens are an external provider's tokens, which the answer to a
// sign-in there passes on. Reeve does not keep them.
type ProviderTokens struct {
	ProviderToken        string `json:"provider_token,omitempty"`
	ProviderRefreshToken string `json:"provider_refresh_token,omitempty"`
}

// Values encodes the tokens for a redirect's fragment. The empty field sb is
// the reference's mark of a fragment for the SDK.
func (t *Tokens) Values() url.Values {
	values := url.Values{
		"access_token": {t.AccessToken}, "token_type": {t.TokenType}, "refresh_token": {t.RefreshToken},
		"expires_in": {strconv.FormatInt(t.ExpiresIn, 10)}, "expires_at": {strconv.FormatInt(t.ExpiresAt, 10)},
		"sb": {""},
	}
	if t.ProviderToken != "" {
		values.Set("provider_token", t.ProviderToken)
	}
	if t.ProviderRefreshToken != "" {
		values.Set("provider_refresh_token", t.ProviderRefreshToken)
	}
	return values
}

// unsigned is the result of a transaction that is signed after its commit.
type unsigned struct {
	principal auth.Principal
	claims    *token.Claims
}

// claims builds the claims for a principal, inside the transaction.
func (s Sessions) claims(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, p auth.Principal, method auth.Method) (*unsigned, error) {
	u := &unsigned{principal: p, claims: s.Tokens.Claims(sc.Tenant, &p)}
	if s.hooked(sc) {
		if err := s.Hook.Customize(ctx, tx, sc, &u.principal, method, u.claims); err != nil {
			return nil, err
		}
	}
	return u, nil
}

func (s Sessions) hooked(sc *tenants.Scope) bool { return s.Hook != nil && s.Hook.Enabled(sc) }

// sign signs the access token and builds the session's newest refresh token. It
// is called after the commit.
func (s Sessions) sign(sc *tenants.Scope, u *unsigned) (*Tokens, error) {
	access, err := s.Tokens.Sign(sc.Tenant, u.claims)
	if err != nil {
		return nil, fmt.Errorf("sign the tokens of a session: %w", err)
	}
	p := &u.principal
	return &Tokens{
		AccessToken: access.Token, TokenType: "bearer",
		ExpiresIn: int64(access.ExpiresIn.Seconds()), ExpiresAt: access.ExpiresAt.Unix(),
		RefreshToken: token.Refresh(sc.Tenant.Secrets.RefreshKey, p.Session.ID, p.Session.RefreshCounter),
		User:         &p.User,
	}, nil
}
