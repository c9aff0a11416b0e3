package server

import (
	"context"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
)

// sessionActor returns the actor of a request of the Management API with an
// access token of the platform project. Its user and session are read from the
// database, so that one who signed out or was banned is refused at once. A token
// without a session, which an app with the project's key signs, is refused, and
// so are anonymous users and sessions without the second factor that the user has.
func (s *Server) sessionActor(ctx context.Context, token string) (authz.Actor, error) {
	p, err := s.control.PlatformProject(ctx)
	if err != nil {
		return authz.Actor{}, err
	}
	t, err := s.registry.Tenant(ctx, p.Ref)
	if err != nil {
		return authz.Actor{}, err
	}
	who, err := web.UserOf(ctx, s.verifier, &tenants.Scope{
		Tenant: t, DB: s.Database(t), Credentials: tenants.Credentials{UserToken: token},
	})
	if err != nil {
		return authz.Actor{}, err
	}
	if who.Session.ID == uuid.Nil || who.User.IsAnonymous {
		return authz.Actor{}, auth.ErrBadJWT
	}
	if err := who.CheckAAL(); err != nil {
		return authz.Actor{}, err
	}
	return authz.Actor{UserID: who.User.ID}, nil
}
