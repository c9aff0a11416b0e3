package authconfig

import (
	"context"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/web/control"
)

// pending returns what would be in force in a project in which the actor may do
// the action if a patch were applied; without one, what is. Faults as Update.
func (s *Service) pending(ctx context.Context, actor authz.Actor, action authz.Action, ref string, patch control.Object) (values, error) {
	p, err := s.Authz.Project(ctx, actor, action, ref)
	if err != nil {
		return values{}, err
	}
	if err := s.check(ctx, patch); err != nil {
		return values{}, err
	}
	stored, err := s.DB.AuthConfigVersion(ctx, p.Ref, p.ConfigVersion)
	if err != nil {
		return values{}, err
	}
	dk, f, err := s.keys(ctx, p.Ref)
	if err != nil {
		return values{}, err
	}
	v, err := open(stored, dk)
	if err != nil || len(patch) == 0 {
		return v, err
	}
	return apply(v, f, patch)
}
