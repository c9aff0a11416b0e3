package server

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/controldb"
)

// OperatorToken issues an access token of the first operator, who is created if
// needed: the way into a new installation. It is valid for ttl, or without
// limit with 0. It does not listen.
func OperatorToken(ctx context.Context, o Options, name string, ttl time.Duration) (string, error) {
	name, err := text.Name("name", name, 1, 256)
	if err != nil {
		return "", err
	}
	s, err := connect(ctx, o)
	if err != nil {
		return "", err
	}
	defer s.close(context.WithoutCancel(ctx))
	if err := s.provision.Bootstrap(ctx); err != nil {
		return "", err
	}
	if err := s.ensurePlatform(ctx); err != nil {
		return "", err
	}
	if ttl == 0 {
		return s.operatorToken(ctx, name, nil)
	}
	expires := s.now().Add(ttl)
	return s.operatorToken(ctx, name, &expires)
}

// AccessTokens lists every access token of the installation, including expired
// ones, the oldest first. Their texts are not stored.
func AccessTokens(ctx context.Context, o Options) ([]controldb.AccessToken, error) {
	s, err := connect(ctx, o)
	if err != nil {
		return nil, err
	}
	defer s.close(context.WithoutCancel(ctx))
	return s.control.AccessTokens(ctx)
}

// ServiceTokens lists the service tokens of all organizations, as AccessTokens.
func ServiceTokens(ctx context.Context, o Options) ([]controldb.ServiceToken, error) {
	s, err := connect(ctx, o)
	if err != nil {
		return nil, err
	}
	defer s.close(context.WithoutCancel(ctx))
	return s.control.ServiceTokens(ctx)
}

// RevokeToken deletes an access token or a service token: every replica refuses it
// at once. controldb.ErrNoAccessToken.
func RevokeToken(ctx context.Context, o Options, id uuid.UUID) error {
	s, err := connect(ctx, o)
	if err != nil {
		return err
	}
	defer s.close(context.WithoutCancel(ctx))
	err = s.control.DeleteAccessToken(ctx, id)
	if !errors.Is(err, controldb.ErrNoAccessToken) {
		return err
	}
	if service := s.control.RevokeServiceToken(ctx, id); !errors.Is(service, controldb.ErrNoServiceToken) {
		return service
	}
	return err
}

// Operator issues an access token of the first operator that does not expire,
// for development.
func (s *Server) Operator(ctx context.Context) (string, error) {
	return s.operatorToken(ctx, "operator", nil)
}

func (s *Server) operatorToken(ctx context.Context, name string, expires *time.Time) (string, error) {
	p, err := s.control.PlatformProject(ctx)
	if err != nil {
		return "", err
	}
	id, err := s.ensureOperator(ctx, p.Ref)
	if err != nil {
		return "", err
	}
	return s.control.CreateAccessTokenUntil(ctx, id, name, expires)
}
