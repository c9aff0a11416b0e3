// Package session begins sessions and answers with their tokens: the step that
// every way of signing in ends with. It does not decide who may sign in.
package session

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Sessions begins sessions.
type Sessions struct {
	Tokens token.Issuer
	Now    func() time.Time
}

// Begin writes a session of the user in tx, and the sign-in's mark on the user,
// whose row must be locked. Begin does not ask whether the user is banned.
func (s Sessions) Begin(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, method auth.Method) (*auth.Principal, error) {
	now := s.Now()
	session := auth.Session{
		ID: uuid.New(), UserID: u.ID, AAL: auth.AAL1, CreatedAt: now,
		UserAgent: sc.UserAgent, IP: addr(sc),
		AMR: []auth.AMR{{Method: method, Timestamp: now.Unix()}},
	}
	if sc.Tenant.Config.SessionsSinglePerUser {
		if err := tx.DeleteSessions(ctx, u.ID); err != nil {
			return nil, err
		}
	}
	if err := tx.CreateSession(ctx, &session); err != nil {
		return nil, err
	}
	u.LastSignInAt, u.UpdatedAt = &now, now
	if err := tx.SaveUser(ctx, u); err != nil {
		return nil, err
	}
	return &auth.Principal{User: *u, Session: session}, nil
}

// Tokens is the wire's answer to a sign-in or a refresh.
type Tokens struct {
	AccessToken  string     `json:"access_token"`
	TokenType    string     `json:"token_type"`
	ExpiresIn    int64      `json:"expires_in"` // seconds
	ExpiresAt    int64      `json:"expires_at"` // seconds since 1970
	RefreshToken string     `json:"refresh_token"`
	User         *auth.User `json:"user"`
}

// Answer signs the access token and tells the session's newest refresh token.
// It is called after the commit.
func (s Sessions) Answer(sc *tenants.Scope, p *auth.Principal) (*Tokens, error) {
	access, err := s.Tokens.Access(sc.Tenant, p)
	if err != nil {
		return nil, fmt.Errorf("answer with a session: %w", err)
	}
	return &Tokens{
		AccessToken: access.Token, TokenType: "bearer",
		ExpiresIn: int64(access.ExpiresIn.Seconds()), ExpiresAt: access.ExpiresAt.Unix(),
		RefreshToken: token.Refresh(sc.Tenant.Secrets.RefreshKey, p.Session.ID, p.Session.RefreshCounter),
		User:         &p.User,
	}, nil
}

// Values is the form of the tokens in a redirect's fragment. The empty sb field
// is the reference's mark of a fragment that is meant for the SDK.
func (t *Tokens) Values() url.Values {
	return url.Values{
		"access_token": {t.AccessToken}, "token_type": {t.TokenType}, "refresh_token": {t.RefreshToken},
		"expires_in": {strconv.FormatInt(t.ExpiresIn, 10)}, "expires_at": {strconv.FormatInt(t.ExpiresAt, 10)},
		"sb": {""},
	}
}

func addr(sc *tenants.Scope) string {
	if sc.ClientIP.IsValid() {
		return sc.ClientIP.WithZone("").String()
	}
	return ""
}

// Address is the client's address as rows keep it; "" when it is unknown.
func Address(sc *tenants.Scope) string { return addr(sc) }
