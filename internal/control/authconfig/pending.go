package authconfig

import (
	"context"
	"maps"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
)

// pending returns what would be in force in a project in which the actor may do
// the action if a patch were applied; without one, what is. Faults as Update.
func (s *Service) pending(ctx context.Context, actor authz.Actor, action authz.Action, ref string, patch control.Object) (values, error) {
	if _, err := s.Authz.Project(ctx, actor, action, ref); err != nil {
		return values{}, err
	}
	return s.pendingWith(ctx, ref, patch)
}

// pendingWith is pending for an actor who may; the patches are applied together, a
// later one over an earlier one.
func (s *Service) pendingWith(ctx context.Context, ref string, patches ...control.Object) (values, error) {
	patch := control.Object{}
	for _, p := range patches {
		maps.Copy(patch, p)
	}
	if err := s.check(ctx, patch); err != nil {
		return values{}, err
	}
	parsed, err := tenants.ParseRef(ref)
	if err != nil {
		return values{}, authz.ErrProjectNotFound
	}
	p, err := s.DB.ProjectByRef(ctx, parsed)
	if err != nil {
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
