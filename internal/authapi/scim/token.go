package scim

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

const (
	tokenPrefix = "scim_"
	shownPrefix = len(tokenPrefix) + 6
	maxTokens   = 10  // of a connection, in force
	listTokens  = 100 // those that have ended are kept for a month
)

// Created is a new token, which is shown once.
type Created struct {
	auth.SCIMToken
	Token string `json:"token"`
}

// of runs f in a transaction if there is the connection; auth.ErrSSOProviderNotFound.
func (s Service) of(ctx context.Context, sc *tenants.Scope, connection uuid.UUID, f func(*tenantdb.Tx) error) error {
	return sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		if _, err := tx.SSOConnectionOn(ctx, connection); err != nil {
			return auth.ErrSSOProviderNotFound.Because(err).Saying("SSO Identity Provider not found")
		}
		return f(tx)
	})
}

// CreateToken makes a token of a connection beside those that there are;
// auth.ErrSSOProviderNotFound, auth.ErrSCIMTokenQuota.
func (s Service) CreateToken(ctx context.Context, sc *tenants.Scope, connection uuid.UUID, expires *time.Time) (*Created, error) {
	now := s.Now()
	if expires != nil && !expires.After(now) {
		return nil, auth.ErrValidation.Saying("expires_at must be in the future")
	}
	raw := make([]byte, 32)
	_, _ = rand.Read(raw)
	text := tokenPrefix + base64.RawURLEncoding.EncodeToString(raw)
	t := auth.SCIMToken{ID: uuid.New(), Provider: connection, Hash: hashOf(text), Prefix: text[:shownPrefix], CreatedAt: now, ExpiresAt: expires}
	err := s.of(ctx, sc, connection, func(tx *tenantdb.Tx) error {
		if err := tx.LockSSOConnection(ctx, connection); err != nil {
			return err
		}
		ok, err := tx.CreateSCIMToken(ctx, &t, maxTokens)
		if err != nil {
			return err
		}
		if !ok {
			return auth.ErrSCIMTokenQuota
		}
		return audit.Service(ctx, tx, sc, auth.ActionSCIMTokenCreated, traits(connection, t.ID), now)
	})
	if err != nil {
		return nil, err
	}
	return &Created{t, text}, nil
}

func traits(connection, token uuid.UUID) audit.Traits {
	return audit.Traits{"sso_provider_id": connection.String(), "scim_token_id": token.String()}
}

// Tokens returns the tokens of a connection, the newest first; auth.ErrSSOProviderNotFound.
func (s Service) Tokens(ctx context.Context, sc *tenants.Scope, connection uuid.UUID) (list []auth.SCIMToken, err error) {
	err = s.of(ctx, sc, connection, func(tx *tenantdb.Tx) error {
		list, err = tx.SCIMTokens(ctx, connection, listTokens)
		return err
	})
	return list, err
}

// RevokeToken ends a token at once; auth.ErrSSOProviderNotFound,
// auth.ErrSCIMTokenNotFound.
func (s Service) RevokeToken(ctx context.Context, sc *tenants.Scope, connection, id uuid.UUID) error {
	return s.of(ctx, sc, connection, func(tx *tenantdb.Tx) error {
		if err := tx.RevokeSCIMToken(ctx, connection, id, s.Now()); err != nil {
			return err
		}
		return audit.Service(ctx, tx, sc, auth.ActionSCIMTokenRevoked, traits(connection, id), s.Now())
	})
}
